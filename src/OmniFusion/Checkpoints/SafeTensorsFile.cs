using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>
/// A safetensors file, memory-mapped: opening it reads the header alone, and a tensor is a view of the mapping. Nothing has to be
/// disposed: the mapping ends when neither the file nor any of its tensors is referred to.
/// </summary>
public sealed class SafeTensorsFile
{
    private readonly SafeMemoryMappedViewHandle _mapping;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafeTensorsEntry> _entries;

    private SafeTensorsFile(string path, SafeMemoryMappedViewHandle mapping, long dataStart,
        List<SafeTensorsEntry> entries, Dictionary<string, string> metadata)
    {
        Path = path;
        _mapping = mapping;
        _dataStart = dataStart;
        Entries = entries;
        _entries = entries.ToDictionary(entry => entry.Name);
        Metadata = metadata;
    }

    /// <summary>The path it was opened with.</summary>
    public string Path { get; }

    /// <summary>Its tensors in the order of the header, those of types that cannot be computed with too.</summary>
    public IReadOnlyList<SafeTensorsEntry> Entries { get; }

    /// <summary>The strings under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens and validates a file.</summary>
    /// <exception cref="OmniFusionException">The file is missing, is not a safetensors file, or is damaged.</exception>
    public static SafeTensorsFile Open(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            (byte[] header, long dataBytes) = ReadHeader(stream, path);
            var (entries, metadata) = SafeTensorsHeader.Read(header, dataBytes, path);
            using MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            SafeMemoryMappedViewHandle view = mapped.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read).SafeMemoryMappedViewHandle;
            return new SafeTensorsFile(path, view, sizeof(long) + header.Length, entries, metadata);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OmniFusionException($"{path} does not exist", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new OmniFusionException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Whether there is a tensor of this name, of whatever type.</summary>
    public bool Has(string name) => _entries.ContainsKey(name);

    /// <summary>What the header says about a tensor, or null when it is not there.</summary>
    public SafeTensorsEntry? Entry(string name) => _entries.GetValueOrDefault(name);

    /// <summary>A view of a tensor stored as F32, BF16 or F16; a single number (no axes) has the shape [1].</summary>
    /// <exception cref="OmniFusionException">
    /// It is not there, is stored in a type that cannot be computed with, or has more than five axes.
    /// </exception>
    public Tensor Tensor(string name)
    {
        SafeTensorsEntry entry = Entry(name) ?? throw new OmniFusionException($"{Path} has no tensor '{name}'");
        DType type = entry.DType ?? throw new OmniFusionException(
            $"{Path}: the tensor '{name}' is stored as {entry.Type}; only F32, BF16 and F16 can be computed with");
        if (entry.Sizes.Count > 5)
            throw new OmniFusionException(
                $"{Path}: the tensor '{name}' has {entry.Sizes.Count} axes {entry.Shape}; at most 5 are supported");
        if (entry.Sizes.Any(size => size > int.MaxValue))
            throw new OmniFusionException($"{Path}: the tensor '{name}' has an axis beyond {int.MaxValue}: {entry.Shape}");
        Shape shape = entry.Sizes.Count == 0 ? new Shape(1) : new Shape([.. entry.Sizes.Select(size => (int)size)]);
        nint address = _mapping.DangerousGetHandle() + (nint)(_dataStart + entry.Begin);
        return OmniFusion.Tensors.Tensor.View(shape, type, address, _mapping);
    }

    private static (byte[] Header, long DataBytes) ReadHeader(FileStream stream, string path)
    {
        byte[] start = new byte[40];
        int got = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (start.AsSpan(0, got).StartsWith("version https://git-lfs"u8))
            throw new OmniFusionException($"{path} is a git-lfs pointer, not the file itself: fetch it with 'git lfs pull'");
        if (got < sizeof(long))
            throw new OmniFusionException($"{path} is not a safetensors file: it has only {got} bytes");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > SafeTensorsHeader.MaxBytes)
            throw new OmniFusionException($"{path} is not a safetensors file: its header would have {length} bytes");
        long dataBytes = stream.Length - sizeof(long) - (long)length;
        if (dataBytes < 0)
            throw new OmniFusionException($"{path} is truncated: its header has {length} bytes, the file {stream.Length}");
        byte[] header = new byte[length];
        stream.Position = sizeof(long);
        stream.ReadExactly(header);
        return (header, dataBytes);
    }
}
