using System.Text.Json;

namespace OmniFusion.Checkpoints;

/// <summary>
/// Reads and validates the JSON header of a safetensors file (https://github.com/huggingface/safetensors, section "Format").
/// </summary>
internal static class SafeTensorsHeader
{
    /// <summary>Longest header accepted, as in the reference implementation.</summary>
    public const long MaxBytes = 100_000_000;

    /// <summary>Reads the header and checks that the tensors tile the data exactly: no overlap, no hole, nothing outside.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">Bytes of the file after the header.</param>
    /// <param name="file">Path for messages.</param>
    /// <exception cref="OmniFusionException">The header is not what the format allows.</exception>
    public static (List<SafeTensorsEntry> Entries, Dictionary<string, string> Metadata) Read(
        ReadOnlyMemory<byte> json, long dataBytes, string file)
    {
        List<SafeTensorsEntry> entries = [];
        Dictionary<string, string> metadata = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new OmniFusionException($"{file} is not a safetensors file: its header is not a JSON object");
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals("__metadata__"))
                    ReadMetadata(property.Value, metadata, file);
                else
                    entries.Add(ReadEntry(property, file));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-8 or holds half a surrogate pair.
            throw new OmniFusionException($"{file} is not a safetensors file: its header is not valid JSON", e);
        }
        CheckNames(entries, file);
        CheckTiling(entries, dataBytes, file);
        return (entries, metadata);
    }

    private static void ReadMetadata(JsonElement element, Dictionary<string, string> metadata, string file)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new OmniFusionException($"{file}: __metadata__ is not a JSON object");
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw new OmniFusionException($"{file}: the metadata '{property.Name}' is not a string");
            metadata[property.Name] = property.Value.GetString()!;
        }
    }

    private static SafeTensorsEntry ReadEntry(JsonProperty property, string file)
    {
        OmniFusionException Bad(string what) => new($"{file}: the header of tensor '{property.Name}' {what}");

        if (property.Value.ValueKind != JsonValueKind.Object)
            throw Bad("is not a JSON object");
        if (!property.Value.TryGetProperty("dtype", out JsonElement type) || type.ValueKind != JsonValueKind.String)
            throw Bad("has no dtype");
        if (!property.Value.TryGetProperty("shape", out JsonElement shape) || !TryReadLongs(shape, out long[] sizes))
            throw Bad("has no shape of whole numbers from 0");
        if (!property.Value.TryGetProperty("data_offsets", out JsonElement offsets) || !TryReadLongs(offsets, out long[] range)
            || range.Length != 2 || range[1] < range[0])
            throw Bad("has no data_offsets [begin, end]");
        SafeTensorsEntry entry = new(property.Name, type.GetString()!, sizes, range[0], range[1]);
        if (!TryCount(sizes, out long count))
            throw Bad($"has the impossible shape {entry.Shape}");
        // A type this reader has never heard of is listed; its size cannot be checked.
        if (BitsOf(entry.Type) is { } bits && (UInt128)(ulong)count * (uint)bits != (UInt128)(ulong)entry.Bytes * 8)
            throw Bad($"says {entry.Type} {entry.Shape}, which is not the {entry.Bytes} bytes of its data_offsets");
        return entry;
    }

    private static bool TryReadLongs(JsonElement element, out long[] values)
    {
        values = element.ValueKind == JsonValueKind.Array ? new long[element.GetArrayLength()] : [];
        if (element.ValueKind != JsonValueKind.Array)
            return false;
        for (int i = 0; i < values.Length; i++)
            if (element[i].ValueKind != JsonValueKind.Number || !element[i].TryGetInt64(out values[i]) || values[i] < 0)
                return false;
        return true;
    }

    private static bool TryCount(ReadOnlySpan<long> sizes, out long count)
    {
        count = 1;
        foreach (long size in sizes)
        {
            Int128 product = (Int128)count * size;
            if (product > long.MaxValue)
                return false;
            count = (long)product;
        }
        return true;
    }

    private static int? BitsOf(string type) => type switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 8,
        "F16" or "BF16" or "I16" or "U16" => 16,
        "F32" or "I32" or "U32" => 32,
        "F64" or "I64" or "U64" or "C64" => 64,
        _ => null,
    };

    private static void CheckNames(List<SafeTensorsEntry> entries, string file)
    {
        HashSet<string> names = new(entries.Count);
        foreach (SafeTensorsEntry entry in entries)
            if (!names.Add(entry.Name))
                throw new OmniFusionException($"{file}: the tensor '{entry.Name}' appears twice in the header");
    }

    private static void CheckTiling(List<SafeTensorsEntry> entries, long dataBytes, string file)
    {
        long end = 0;
        foreach (SafeTensorsEntry entry in entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.End > dataBytes)
                throw new OmniFusionException(
                    $"{file} is truncated or damaged: the tensor '{entry.Name}' ends at byte {entry.End}, the data at {dataBytes}");
            if (entry.Begin != end)
                throw new OmniFusionException(
                    $"{file}: the tensor '{entry.Name}' {(entry.Begin < end ? "overlaps the one before it" : "leaves a hole before it")}");
            end = entry.End;
        }
        if (end != dataBytes)
            throw new OmniFusionException($"{file}: {dataBytes - end} bytes at the end belong to no tensor");
    }
}
