using System.Text.Json;

namespace OmniFusion.Training.Data;

/// <summary>An object on a line of a JSON-lines file, whose values are checked when they are asked for.</summary>
internal sealed class JsonLine
{
    private readonly JsonElement _object;

    private JsonLine(string place, string json)
    {
        Place = place;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            _object = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw Bad("it is not JSON");
        }
        if (_object.ValueKind != JsonValueKind.Object)
            throw Bad("it is not a JSON object");
    }

    /// <summary>The file and the line.</summary>
    public string Place { get; }

    /// <summary>The lines of all files of a folder that match a pattern, sorted by name; empty lines are skipped.</summary>
    /// <exception cref="OmniFusionException">There is no such file or it cannot be read.</exception>
    public static List<JsonLine> ReadAll(string folder, string pattern)
    {
        List<JsonLine> lines = [];
        try
        {
            string[] files = [.. Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal)];
            if (files.Length == 0)
                throw new OmniFusionException($"The folder {folder} has no {pattern}.");
            foreach (string file in files)
            {
                int number = 0;
                foreach (string text in File.ReadLines(file))
                {
                    number++;
                    if (!string.IsNullOrWhiteSpace(text))
                        lines.Add(new JsonLine($"{file}, line {number}", text));
                }
            }
            return lines;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new OmniFusionException($"Cannot read {pattern} in the folder {folder}: {error.Message}", error);
        }
    }

    public OmniFusionException Bad(string what) => new($"{Place}: {what}.");

    public string Text(string key) => TextOf(Get(key), key);

    public string OneOf(string key, IReadOnlyCollection<string> allowed) =>
        Text(key) is var text && allowed.Contains(text) ? text : throw Bad($"\"{key}\" is '{text}' and not {string.Join(", ", allowed)}");

    /// <summary>Two different texts.</summary>
    public string[] Pair(string key)
    {
        string[] pair = [.. Two(key).Select(element => TextOf(element, key))];
        return pair[0] != pair[1] ? pair : throw Bad($"\"{key}\" says the same for both readings");
    }

    /// <summary>Two lists of texts.</summary>
    public string[][] TextLists(string key) =>
    [
        .. Two(key).Select(list => list.ValueKind == JsonValueKind.Array
            ? (string[])[.. list.EnumerateArray().Select(element => TextOf(element, key))]
            : throw Bad($"\"{key}\" is not two lists")),
    ];

    private JsonElement Get(string key) =>
        Unicode<JsonElement?>(() => _object.TryGetProperty(key, out JsonElement value) ? value : null) ?? throw Bad($"\"{key}\" is missing");

    private JsonElement[] Two(string key) =>
        Get(key) is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() == 2
            ? [.. array.EnumerateArray()]
            : throw Bad($"\"{key}\" is not a list of two, one for each reading");

    private string TextOf(JsonElement element, string key)
    {
        string? text = element.ValueKind == JsonValueKind.String ? Unicode(element.GetString) : null;
        if (string.IsNullOrWhiteSpace(text) || text != text.Trim() || text.Any(char.IsControl))
            throw Bad($"\"{key}\" has something that is not a text on one line without spaces around it");
        return text;
    }

    // An escaped half of a surrogate pair is found only when the text is asked for.
    private T Unicode<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw Bad("it holds broken Unicode");
        }
    }
}
