using Microsoft.Win32.SafeHandles;
using OmniFusion.Checkpoints;

namespace OmniFusion.Training.Data;

/// <summary>The same pictograms drawn by several makers, in one file.</summary>
/// <remarks>
/// <para>
/// The file: the 8 bytes <c>OFPICTOS</c>; a 32-bit version, 1; the 32-bit size of a JSON header; the header,
/// <c>{"makers", "pictograms": [{"hexcode", "name", "shortName", "category", "subcategory", "baseHexcode"}]}</c>; then the bitmaps, those of
/// the first maker in the order of the header, then those of the second, and so on, each 64 x 64 pixels of red, green, blue and alpha. Numbers
/// are little-endian.
/// </para>
/// <para>Bitmaps are read when they are first asked for, and kept. Reading is safe from several threads at once.</para>
/// </remarks>
public sealed class PictogramPack : IDisposable
{
    private const int MaxHeaderSize = 1 << 24;
    private const uint Version = 1;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly Dictionary<(string Maker, string Code), Pictogram> _byCode = [];

    private PictogramPack(string path, SafeFileHandle file, PictogramPackHeader header, long firstBitmap)
    {
        (_path, _file, Makers, Infos) = (path, file, header.Makers, header.Pictograms);
        List<Pictogram> all = new(Makers.Count * Infos.Count);
        foreach (string maker in Makers)
        {
            foreach (PictogramInfo info in Infos)
            {
                long offset = firstBitmap + (long)all.Count * Pictogram.ByteCount;
                Pictogram pictogram = new(info, maker, () => ReadBitmap(offset));
                all.Add(pictogram);
                _byCode[(maker, Normalize(info.Hexcode))] = pictogram;
            }
        }
        Pictograms = all;
    }

    /// <summary>Who drew them.</summary>
    public IReadOnlyList<string> Makers { get; }

    /// <summary>What there is a drawing of by every maker.</summary>
    public IReadOnlyList<PictogramInfo> Infos { get; }

    /// <summary>All drawings: those of the first maker in the order of <see cref="Infos"/>, then those of the second, and so on.</summary>
    public IReadOnlyList<Pictogram> Pictograms { get; }

    private static ReadOnlySpan<byte> Magic => "OFPICTOS"u8;

    /// <summary>Opens a pack.</summary>
    /// <exception cref="OmniFusionException">The file is missing, damaged, or no pack of pictograms.</exception>
    public static PictogramPack Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            (PictogramPackHeader header, int firstBitmap) = ReadHeader(path, file);
            return new PictogramPack(path, file, header, firstBitmap);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            file?.Dispose();
            throw new OmniFusionException($"Cannot read the pictograms {path}: {error.Message}", error);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>A drawing, or null when the pack has none.</summary>
    /// <param name="hexcode">Its code points; upper case and a missing or superfluous <c>fe0f</c> do not matter.</param>
    /// <param name="maker">One of <see cref="Makers"/>.</param>
    public Pictogram? Find(string hexcode, string maker) => _byCode.GetValueOrDefault((maker, Normalize(hexcode)));

    /// <summary>Whether there is a drawing of it by every maker.</summary>
    /// <inheritdoc cref="Find"/>
    public bool Contains(string hexcode) => Find(hexcode, Makers[0]) is not null;

    /// <summary>Closes the file; bitmaps that were not read by then cannot be any more.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>Writes a pack, under another name first, so that a broken-off write leaves none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="header">What is in it.</param>
    /// <param name="bitmaps">As many as the header says, in its order.</param>
    internal static void Write(string path, PictogramPackHeader header, IEnumerable<byte[]> bitmaps)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            AtomicFile.MakeFolder(folder);
        AtomicFile.Write(path, file =>
        {
            file.Write(PackHeader.Encode(Magic, Version, header));
            foreach (byte[] bitmap in bitmaps)
                file.Write(bitmap);
        });
    }

    private static (PictogramPackHeader Header, int FirstBitmap) ReadHeader(string path, SafeFileHandle file)
    {
        (PictogramPackHeader header, int end) = PackHeader.Read<PictogramPackHeader>(
            path, "a pack of pictograms", file, Magic, Version, MaxHeaderSize, IsComplete);
        long length = RandomAccess.GetLength(file), expected = end + (long)header.Makers.Length * header.Pictograms.Length * Pictogram.ByteCount;
        return length == expected ? (header, end)
            : throw new OmniFusionException($"The pictograms {path} are damaged: the file has {length} bytes instead of {expected}.");
    }

    private static bool IsComplete(PictogramPackHeader header) =>
        header is { Makers.Length: > 0, Pictograms.Length: > 0 } && !header.Makers.Contains(null!) && header.Pictograms.All(info =>
            info is { Hexcode: not null, Name: not null, ShortName: not null, Category: not null, Subcategory: not null });

    /// <summary>Code points in lower case and without the variation selector, which makers put or leave out as they like.</summary>
    internal static string Normalize(string hexcode) =>
        hexcode.ToLowerInvariant().Replace("-fe0f", "", StringComparison.Ordinal);

    private byte[] ReadBitmap(long offset)
    {
        byte[] pixels = new byte[Pictogram.ByteCount];
        try
        {
            for (int filled = 0; filled < pixels.Length;)
            {
                int count = RandomAccess.Read(_file, pixels.AsSpan(filled), offset + filled);
                filled += count > 0 ? count : throw new EndOfStreamException("it became shorter.");
            }
            return pixels;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            throw new OmniFusionException($"Cannot read the pictograms {_path}: {error.Message}", error);
        }
    }
}

/// <summary>What a pack of pictograms holds.</summary>
internal sealed record PictogramPackHeader(string[] Makers, PictogramInfo[] Pictograms);
