using OmniFusion.Models;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary>
/// Spoken sentences with what was said and its translations: a speech pack with the texts that it speaks, or a manifest.
/// </summary>
internal sealed class SpeechTestSet : IDisposable
{
    private readonly SpeechPack? _pack;
    private readonly SpeechTestItem[] _items;

    private SpeechTestSet(string path, SpeechPack? pack, SpeechTestItem[] items, IReadOnlyList<string> languages, int? limit)
    {
        Languages = languages;
        _pack = pack;
        All = items;
        _items = items.Length <= limit ? items : [.. items.Take(limit ?? items.Length)];
        // The whole set counts, so that a larger limit may go on with the results of a smaller one.
        Name = $"{Path.GetFileName(path)}@" + EvaluationSignature.Digest(
            items.SelectMany(item => (string?[])[item.Recording, item.Voice, item.Text, .. item.Translations])
                .Concat(EvaluationSignature.Contents(items.SelectMany(item => (string?[])[item.Audio, item.Image]).Append(pack is null ? null : path))));
    }

    /// <summary>What signatures call it: the file's name and a digest of all that it says, and of recordings and pictures.</summary>
    internal string Name { get; }

    /// <summary>Codes of the languages of the translations.</summary>
    internal IReadOnlyList<string> Languages { get; }

    internal IReadOnlyList<SpeechTestItem> Items => _items;

    /// <summary>The items beyond the limit as well.</summary>
    internal IReadOnlyList<SpeechTestItem> All { get; }

    internal bool HasImages => _items.Any(item => item.Image is not null);

    internal bool HasTerms => _items.Any(item => item.Term is not null);

    /// <summary>Opens a pack with the lines that it speaks and their translations.</summary>
    /// <param name="packFile">The pack.</param>
    /// <param name="sourceFile">What it speaks.</param>
    /// <param name="targetFiles">Translations, one file a language.</param>
    /// <param name="languages">Their codes, in that order.</param>
    /// <param name="termFile">A term of each line, or null.</param>
    /// <param name="limit">The first items only; null for all.</param>
    /// <exception cref="OmniFusionException">A file cannot be read, or they do not belong together.</exception>
    internal static SpeechTestSet OfPack(string packFile, string sourceFile, IReadOnlyList<string> targetFiles,
        IReadOnlyList<string> languages, string? termFile, int? limit)
    {
        SpokenTexts texts = SpokenTexts.Open(packFile, sourceFile, targetFiles);
        string[]? terms = termFile is null ? null : TextFile.ReadLines("--terms", termFile);
        if (terms is not null && terms.Length != texts.Source.Length)
            throw new OmniFusionException(
                $"{sourceFile} has {texts.Source.Length} lines and {termFile} has {terms.Length}, so they do not belong together.");
        SpeechTestItem[] items = [.. texts.Spoken.Select(i => (Index: i, Item: texts.Pack.Items[i]))
            .Select(pair => new SpeechTestItem(
                $"{texts.Pack.Seed}:{pair.Index}:{pair.Item.SampleCount}", null, pair.Index, pair.Item.Voice,
                texts.Source[pair.Item.TextIndex], null, [.. texts.Targets.Select(lines => lines[pair.Item.TextIndex])])
            {
                Place = $"{packFile}, item {pair.Index}", Term = terms?[pair.Item.TextIndex] is { Length: > 0 } term ? term : null,
            })];
        return new SpeechTestSet(packFile, texts.Pack, items, languages, limit);
    }

    /// <summary>
    /// Reads a manifest: one object a line, <c>{"audio", "text", "translation"}</c> or, for several languages,
    /// <c>{"audio", "text", "translations": {"de": …}}</c>, and where they are known <c>"image"</c>, <c>"term"</c> and
    /// <c>"voice"</c> (or <c>"speaker"</c>); paths relative to it.
    /// </summary>
    /// <exception cref="OmniFusionException">It cannot be read, or a line lacks something.</exception>
    internal static SpeechTestSet OfManifest(string path, IReadOnlyList<string> languages, int? limit)
    {
        int read = 0;
        SpeechTestItem[] items = ManifestLine.ReadAll("MANIFEST", path, line => Read(line, languages, wanted: read++ < (limit ?? int.MaxValue)));
        return new SpeechTestSet(path, null, items, languages, limit);
    }

    /// <summary>A request to translate an item's speech.</summary>
    internal TranslationRequest Request(int item, string language)
    {
        SpeechTestItem one = _items[item];
        return one.Audio is not null ? new TranslationRequest { Audio = one.Audio, TargetLanguage = language }
            : new TranslationRequest { Samples = _pack!.ReadSamples(one.PackItem), TargetLanguage = language };
    }

    public void Dispose() => _pack?.Dispose();

    private static SpeechTestItem Read(ManifestLine line, IReadOnlyList<string> languages, bool wanted)
    {
        string recording = line.Needed("audio");
        if (wanted && !File.Exists(line.File("audio")))
            throw line.Bad($"the recording {line.File("audio")} does not exist");
        return new SpeechTestItem(recording, line.File("audio"), 0, line.Text("voice") ?? line.Text("speaker"), line.Needed("text"),
            line.File("image"), [.. languages.Select(Translation)])
        {
            Place = line.Place, Term = line.Text("term"),
        };

        string Translation(string language)
        {
            if (line.Within("translations", language) is { } one)
                return one;
            string single = line.Needed("translation");
            return languages.Count == 1 ? single : throw line.Bad("it has one 'translation'; for several languages it needs 'translations'");
        }
    }
}

/// <summary>A spoken sentence.</summary>
/// <param name="Recording">What tells its recording from others: the name in a manifest, place and length in a pack.</param>
/// <param name="Audio">Path of the recording, or null in a pack.</param>
/// <param name="PackItem">Place in the pack.</param>
/// <param name="Voice">Who speaks, where that is known.</param>
/// <param name="Text">What is said.</param>
/// <param name="Image">Path of a picture that goes with it, or null.</param>
/// <param name="Translations">In the order of the set's languages.</param>
internal sealed record SpeechTestItem(
    string Recording, string? Audio, int PackItem, string? Voice, string Text, string? Image, IReadOnlyList<string> Translations)
{
    /// <summary>Where it was read, for messages.</summary>
    internal required string Place { get; init; }

    /// <summary>A word, such as a name, that every translation is to hold as it is written; or null.</summary>
    internal string? Term { get; init; }
}
