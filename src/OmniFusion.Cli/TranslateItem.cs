using OmniFusion.Models;
using OmniFusion.Text;

namespace OmniFusion.Cli;

/// <summary>One thing to translate, with the names that the user gave; or what is wrong with it.</summary>
internal sealed record TranslateItem(string? Audio, string? Image, string? Text, TranslationRequest? Request, string? Error)
{
    /// <summary>Reads a file with one JSON object a line; empty lines are skipped, and so are keys of other programs.</summary>
    /// <param name="path">The file; paths in it are relative to its folder.</param>
    /// <param name="language">For lines that name no language, or null.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or holds no lines.</exception>
    internal static TranslateItem[] ReadBatch(string path, string? language)
    {
        return ManifestLine.ReadAll("--batch", path, line => Read(line, language), error => new TranslateItem(null, null, null, null, error));
    }

    /// <summary>What the result of a failed item says: why, and which item it is.</summary>
    internal string ErrorLine(string error) => JsonOutput.Line(new { error, Audio, Image, Text });

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
        // What the thinker wrote in a cascade or a chain of thought, or what was given.
        Transcript = translation.Transcript ?? Request?.Transcript,
        // Of a model whose prefix has one.
        translation.Gloss,
    });

    private static TranslateItem Read(ManifestLine line, string? language)
    {
        TranslateItem item = new(line.Text("audio"), line.Text("image"), line.Text("text"), null, null);
        try
        {
            return item with
            {
                Request = new TranslationRequest
                {
                    Audio = line.File("audio"), Image = line.File("image"), Text = item.Text, Transcript = line.Text("transcript"),
                    TargetLanguage = LanguageOf(line, language),
                },
            };
        }
        catch (OmniFusionException error)
        {
            return item with { Error = error.Message };
        }
    }

    private static string LanguageOf(ManifestLine line, string? language)
    {
        string name = line.Text("to") ?? language ?? throw line.Bad("it names no language, and neither does --to");
        try
        {
            return Languages.Find(name).Code;
        }
        catch (OmniFusionException error)
        {
            throw line.Bad(error.Message.TrimEnd('.'));
        }
    }
}
