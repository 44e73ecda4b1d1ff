using System.Text.Json.Serialization;
using OmniFusion.Models;
using OmniFusion.Text;

namespace OmniFusion.Cli;

/// <summary>One thing to translate, with the names that the user gave; or what is wrong with it.</summary>
internal sealed record TranslateItem(string? Audio, string? Image, string? Text, TranslationRequest? Request, string? Error)
{
    /// <summary>Reads a file with one JSON object a line; empty lines are skipped, and so are keys of other programs.</summary>
    /// <param name="path">The file; paths in it are relative to its folder.</param>
    /// <param name="language">For lines that name no language, or null.</param>
    /// <param name="source">The language of sentences, for lines that name none.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or holds no lines.</exception>
    internal static TranslateItem[] ReadBatch(string path, string? language, string source) => ManifestLine.ReadAll(
        "--batch", path, line => Read(line, language, source), error => new TranslateItem(null, null, null, null, error));

    /// <summary>What the result of a failed item says: why, and which item it is.</summary>
    internal string ErrorLine(string error) => JsonOutput.Line(new { error, Audio, Image, Text });

    /// <summary>The result of an item, as JSON.</summary>
    internal string ResultLine(Translation translation) => JsonOutput.Line(new Result(
        Audio, Image, Text, translation.Language, translation.Text, translation.Ids,
        // JSON has no word for what is not a number.
        translation.Score is { } score && float.IsFinite(score) ? translation.Score : null,
        translation.Seconds, translation.Transcript ?? Request?.Transcript, translation.Gloss, translation.Warning));

    // The last three only where there is one: what the thinker wrote in a cascade or a chain of thought, or what was given; what a model with
    // a gloss says of its prefix; why not to trust it.
    private sealed record Result(
        string? Audio, string? Image, string? Text, string Language, string Translation, int[] Ids, float? Score, Timings Seconds,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Transcript,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Gloss,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Warning);

    private static TranslateItem Read(ManifestLine line, string? language, string source)
    {
        TranslateItem item = new(line.Text("audio"), line.Text("image"), line.Text("text"), null, null);
        try
        {
            return item with
            {
                Request = new TranslationRequest
                {
                    Audio = line.File("audio"), Image = line.File("image"), Text = item.Text, Transcript = line.Text("transcript"),
                    TargetLanguage = LanguageOf(line, "to", language) ?? throw line.Bad("it names no language, and neither does --to"),
                    SourceLanguage = LanguageOf(line, "from", source)!,
                },
            };
        }
        catch (OmniFusionException error)
        {
            return item with { Error = error.Message };
        }
    }

    private static string? LanguageOf(ManifestLine line, string key, string? otherwise)
    {
        try
        {
            return line.Text(key) is { } name ? Languages.Find(name).Code : otherwise;
        }
        catch (OmniFusionException error)
        {
            throw line.Bad(error.Message.TrimEnd('.'));
        }
    }
}
