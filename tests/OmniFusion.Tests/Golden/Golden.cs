using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace OmniFusion.Tests;

/// <summary>Expected values computed with the published implementations; see tests/goldens/README.md.</summary>
internal sealed class Golden
{
    private readonly Dictionary<string, (int[] Shape, Array Values)> _tensors = [];

    private Golden(JsonElement json) => Json = json;

    /// <summary>The case's inputs and notes.</summary>
    public JsonElement Json { get; }

    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>The folder tests/goldens of this checkout.</summary>
    public static string Root { get; } = FindRoot();

    public static string Media(string name) => Path.Combine(Root, "media", Path.GetFileName(name));

    public static string Tiny(string name) => Path.Combine(Root, "tiny", name);

    public static Golden Load(string name)
    {
        string stem = Path.Combine(Root, "cases", name);
        Golden golden = new(File.Exists(stem + ".json") ? JsonDocument.Parse(File.ReadAllText(stem + ".json")).RootElement : default);
        if (File.Exists(stem + ".safetensors"))
            golden.ReadTensors(File.ReadAllBytes(stem + ".safetensors"));
        return golden;
    }

    public bool Has(string tensor) => _tensors.ContainsKey(tensor);

    public int[] Shape(string tensor) => _tensors[tensor].Shape;

    public float[] Floats(string tensor) => (float[])_tensors[tensor].Values;

    public long[] Longs(string tensor) => (long[])_tensors[tensor].Values;

    public byte[] Bytes(string tensor) => (byte[])_tensors[tensor].Values;

    // A reader of its own, so that a fault in the library's reader cannot hide itself.
    private void ReadTensors(byte[] file)
    {
        int headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, headerLength));
        foreach (JsonProperty entry in header.RootElement.EnumerateObject())
        {
            if (entry.Name == "__metadata__")
                continue;
            int[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())];
            int begin = entry.Value.GetProperty("data_offsets")[0].GetInt32(), end = entry.Value.GetProperty("data_offsets")[1].GetInt32();
            ReadOnlySpan<byte> data = file.AsSpan(8 + headerLength + begin, end - begin);
            _tensors[entry.Name] = (shape, entry.Value.GetProperty("dtype").GetString() switch
            {
                "F32" => MemoryMarshal.Cast<byte, float>(data).ToArray(),
                "I64" => MemoryMarshal.Cast<byte, long>(data).ToArray(),
                "U8" => data.ToArray(),
                string other => throw new NotSupportedException(other),
                null => throw new InvalidDataException(entry.Name),
            });
        }
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "tests", "goldens")))
                return Path.Combine(folder.FullName, "tests", "goldens");
        throw new DirectoryNotFoundException("tests/goldens");
    }
}
