using System.Text.Json;

namespace OmniFusion.Checkpoints;

/// <summary>One object of a JSON settings file, read key by key; whatever is wrong is said with the file and the key's full path.</summary>
internal sealed class JsonSection
{
    private const int Large = 1 << 28;

    private readonly string _file;
    private readonly string _path;
    private readonly JsonElement _element;

    private JsonSection(string file, string path, JsonElement element)
    {
        _file = file;
        _path = path;
        _element = element;
    }

    // Some editors begin a text with it.
    private static ReadOnlySpan<byte> ByteOrderMark => "\uFEFF"u8;

    /// <summary>Reads a file whose root is an object.</summary>
    /// <exception cref="OmniFusionException">It is missing, unreadable, not JSON, or no object.</exception>
    public static JsonSection Open(string file)
    {
        try
        {
            ReadOnlySpan<byte> text = File.ReadAllBytes(file);
            JsonElement root = JsonElement.Parse(text.StartsWith(ByteOrderMark) ? text[ByteOrderMark.Length..] : text);
            return root.ValueKind == JsonValueKind.Object
                ? new JsonSection(file, "", root)
                : throw new OmniFusionException($"{file} is not a JSON object");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OmniFusionException($"{file} does not exist", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new OmniFusionException($"{file} cannot be read: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new OmniFusionException($"{file} is not valid JSON in line {e.LineNumber + 1}: {e.Message.Split(" LineNumber:")[0]}", e);
        }
    }

    /// <summary>The section's keys and values.</summary>
    public IEnumerable<(string Key, JsonElement Value)> Entries
    {
        get
        {
            foreach (JsonProperty property in _element.EnumerateObject())
                yield return (Read(() => property.Name, "a name"), property.Value);
        }
    }

    /// <summary>The error for a key whose value cannot be used.</summary>
    public OmniFusionException Wrong(string key, string what) => new($"{_file}: '{_path}{key}' {what}");

    /// <summary>Whether the key is there and not null.</summary>
    public bool Has(string key) => Value(key) is not null;

    public JsonSection Section(string key) => SectionOrNull(key) ?? throw Missing(key);

    public JsonSection? SectionOrNull(string key) => Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new JsonSection(_file, $"{_path}{key}.", value)
        : throw Wrong(key, "is not an object");

    /// <summary>A whole number from 1 up: a size or a count.</summary>
    public int Size(string key) => SizeOrNull(key) ?? throw Missing(key);

    public int? SizeOrNull(string key) => IntOrNull(key) switch
    {
        null => null,
        >= 1 and <= Large and int value => value,
        int value => throw Wrong(key, $"is {value}, not a size from 1 to {Large}"),
    };

    public int Int(string key) => IntOrNull(key) ?? throw Missing(key);

    public int? IntOrNull(string key) => Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number
        : throw Wrong(key, "is not a whole number");

    public float? FloatOrNull(string key) => Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && float.IsFinite(number) ? number
        : throw Wrong(key, "is not a number");

    public double? DoubleOrNull(string key) => Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number
        : throw Wrong(key, "is not a number");

    public bool? BoolOrNull(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(key, "is not true or false"),
    };

    public string? StringOrNull(string key) => Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? Read(() => value.GetString()!, $"'{_path}{key}'")
        : throw Wrong(key, "is not a string");

    public int[]? IntsOrNull(string key)
    {
        if (Value(key) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(key, "is not a list");
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int number)
            ? number : throw Wrong(key, "is not a list of whole numbers"))];
    }

    /// <summary>One whole number or a list of them.</summary>
    public int[]? IntOrIntsOrNull(string key) =>
        Value(key) is { ValueKind: JsonValueKind.Number } ? [Int(key)] : IntsOrNull(key);

    public string[]? StringsOrNull(string key)
    {
        if (Value(key) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(key, "is not a list");
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String
            ? Read(() => item.GetString()!, $"'{_path}{key}'") : throw Wrong(key, "is not a list of strings"))];
    }

    /// <summary>One string or a list of them.</summary>
    public string[]? StringOrStringsOrNull(string key) =>
        Value(key) is { ValueKind: JsonValueKind.String } ? [StringOrNull(key)!] : StringsOrNull(key);

    private JsonElement? Value(string key) => Read(
        () => _element.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : (JsonElement?)null,
        "a name");

    private OmniFusionException Missing(string key) => Wrong(key, "is missing");

    private T Read<T>(Func<T> read, string what)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new OmniFusionException($"{_file}: {what} holds broken Unicode", e);
        }
    }
}
