using System.Text.Json;

namespace OmniFusion.Cli;

/// <summary>An object on a line of a manifest or batch. Paths in it are relative to the file; keys of other programs are skipped.</summary>
internal sealed class ManifestLine
{
    private readonly string _place, _folder;
    private readonly JsonElement _object;

    private ManifestLine(string place, string folder, string json)
    {
        (_place, _folder) = (place, folder);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            _object = document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            // Behind the reason stands advice to programmers, and a place counted within this line, from zero.
            throw Bad($"it is not JSON: {error.Message.Split(" LineNumber:")[0].Split(" Change the reader")[0].TrimEnd('.')}");
        }
        if (_object.ValueKind != JsonValueKind.Object)
            throw Bad("it is not a JSON object");
    }

    /// <summary>Reads every line of a file that is not empty.</summary>
    /// <param name="option">The option or argument that names the file, for messages.</param>
    /// <param name="path">The file.</param>
    /// <param name="read">Makes an item of a line.</param>
    /// <param name="bad">Makes an item of a line that is wrong; without: the file is refused.</param>
    /// <param name="limit">The first lines only; null for all.</param>
    /// <exception cref="OmniFusionException">The file cannot be read, holds nothing, or a line of it is wrong.</exception>
    internal static T[] ReadAll<T>(
        string option, string path, Func<ManifestLine, T> read, Func<string, T>? bad = null, int? limit = null)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        T[] items = [.. TextFile.ReadLines(option, path).Index()
            .Where(line => !string.IsNullOrWhiteSpace(line.Item))
            .Take(limit ?? int.MaxValue)
            .Select(line => Make($"{path}, line {line.Index + 1}", line.Item))];
        return items.Length > 0 ? items : throw new OmniFusionException($"{option} {path} holds no items.");

        T Make(string place, string json)
        {
            try
            {
                return read(new ManifestLine(place, folder, json));
            }
            catch (OmniFusionException error) when (bad is not null)
            {
                return bad(error.Message);
            }
        }
    }

    /// <summary>File and number of the line, for messages.</summary>
    internal string Place => _place;

    /// <summary>A text, or null where there is none.</summary>
    /// <exception cref="OmniFusionException">The value is something else, or no text that can be used.</exception>
    internal string? Text(string key) => TextOf(_object, key);

    /// <summary>A text that must be there.</summary>
    /// <exception cref="OmniFusionException">It is not.</exception>
    internal string Needed(string key) => Text(key) ?? throw Bad($"'{key}' is missing");

    /// <summary>A text of an object within, or null where there is no such object.</summary>
    /// <exception cref="OmniFusionException">There is the object, but not the text.</exception>
    internal string? Within(string key, string inner) =>
        !_object.TryGetProperty(key, out JsonElement all) || all.ValueKind == JsonValueKind.Null ? null
        : all.ValueKind == JsonValueKind.Object && TextOf(all, inner) is { } text ? text : throw Bad($"'{key}' has no '{inner}'");

    /// <summary>A path, or null where there is none.</summary>
    /// <exception cref="OmniFusionException">The path is empty, or the value is something else.</exception>
    internal string? File(string key) =>
        Text(key) is not { } name ? null : name.Length > 0 ? Path.Combine(_folder, name) : throw Bad($"'{key}' is empty");

    /// <summary>What is wrong with the line.</summary>
    internal OmniFusionException Bad(string what) => new($"{_place}: {what}.");

    private string? TextOf(JsonElement parent, string key)
    {
        if (!parent.TryGetProperty(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind != JsonValueKind.String)
            throw Bad($"'{key}' is not a string");
        try
        {
            string text = value.GetString()!;
            return text.Contains('\0', StringComparison.Ordinal) ? throw Bad($"'{key}' holds the character NUL") : text;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate is well-formed JSON, but no text.
            throw Bad($"'{key}' is no text");
        }
    }
}
