using System.Text.Json;
using OmniFusion.Models;
using OmniFusion.Text;

namespace OmniFusion.Cli;

/// <summary>One thing to translate, with the names that the user gave; or what is wrong with it.</summary>
internal sealed record TranslateItem(string? Audio, string? Image, string? Text, TranslationRequest? Request, string? Error)
{
    private static readonly string[] Keys = ["audio", "image", "text", "transcript", "to"];

    /// <summary>Reads a file with one JSON object a line; empty lines are skipped, and so are keys of other programs.</summary>
    /// <param name="path">The file; paths in it are relative to its folder.</param>
    /// <param name="language">For lines that name no language, or null.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or holds no lines.</exception>
    internal static TranslateItem[] ReadBatch(string path, string? language)
    {
        string[] lines = TextFile.ReadLines("--batch", path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        TranslateItem[] items = [.. lines
            .Select((line, i) => (Line: line, Number: i + 1))
            .Where(item => !string.IsNullOrWhiteSpace(item.Line))
            .Select(item => Read(item.Line, $"{path}, line {item.Number}", folder, language))];
        return items.Length > 0 ? items : throw new OmniFusionException($"--batch {path} holds no items.");
    }

    /// <summary>What the result of a failed item says.</summary>
    internal static string ErrorLine(string error) => JsonOutput.Line(new { error });

    /// <summary>The result of an item, as JSON.</summary>
    internal string ResultLine(Translation translation) => JsonOutput.Line(new
    {
        Audio,
        Image,
        Text,
        translation.Language,
        Translation = translation.Text,
        translation.Ids,
        // JSON has no word for what is not a number.
        Score = translation.Score is { } score && float.IsFinite(score) ? translation.Score : null,
        Seconds = new { translation.Seconds.Load, translation.Seconds.Encode, translation.Seconds.Decode },
        // Of a cascade; otherwise nobody wrote one.
        translation.Transcript,
    });

    private static TranslateItem Read(string line, string where, string folder, string? language)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                return Bad($"{where}: it is not a JSON object.");
            string?[] values = new string?[Keys.Length];
            for (int i = 0; i < Keys.Length; i++)
            {
                if (!json.RootElement.TryGetProperty(Keys[i], out JsonElement value) || value.ValueKind == JsonValueKind.Null)
                    continue;
                if (value.ValueKind != JsonValueKind.String)
                    return Bad($"{where}: '{Keys[i]}' is not a string.");
                values[i] = value.GetString();
            }
            if ((values[4] ?? language) is not { } to)
                return Bad($"{where}: it names no language, and neither does --to.");
            if (values.Any(value => value is not null && value.Contains('\0', StringComparison.Ordinal)))
                return Bad($"{where}: a text holds the character NUL.");
            TranslationRequest request = new()
            {
                Audio = Resolve(values[0], folder), Image = Resolve(values[1], folder), Text = values[2], Transcript = values[3],
                TargetLanguage = Languages.Find(to).Code,
            };
            return new TranslateItem(values[0], values[1], values[2], request, null);
        }
        // A lone surrogate is well-formed JSON, but no text.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return Bad($"{where}: it is not JSON: {error.Message}");
        }
        catch (OmniFusionException error)
        {
            return Bad($"{where}: {error.Message}");
        }
    }

    private static string? Resolve(string? path, string folder) => path is null ? null : Path.Combine(folder, path);

    private static TranslateItem Bad(string error) => new(null, null, null, null, error);
}
