using OmniFusion.Media;
using OmniFusion.Training.Data;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>Opens what a recipe learns from. How often each part comes is the recipe's mixture.</summary>
internal sealed class TrainingData
{
    private readonly Recipe _recipe;
    private readonly LogMel _logMel = new();
    private readonly List<(string[] Text, SpeechPack Pack, RecipeSpeech Recipe)> _spoken;
    private readonly PictureBook? _pictures;
    private readonly PicturePack? _slides;
    private readonly AmbiguityCorpus? _corpus;
    private readonly SpeechPack? _ambiguous;

    /// <summary>Opens texts and packs.</summary>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or two of them do not belong together.</exception>
    internal TrainingData(Recipe recipe)
    {
        _recipe = recipe;
        RecipeData data = recipe.Data;
        _spoken = [.. data.Further.Prepend(new RecipeSpeech { Source = data.Source, Targets = data.Targets, Speech = data.Speech })
            .Select(item => (TextLines.Read(item.Source), SpeechExamples.Open(item.Speech, item.Source), item))];
        if (data.Pictures is not { } pictures)
            return;
        _corpus = data.Ambiguity is null ? null : AmbiguityCorpus.Read(data.Ambiguity.Corpus);
        _pictures = new PictureBook(PictogramPack.Open(pictures.Pictograms), pictures.Makers,
            _corpus?.Words.SelectMany(word => word.Pictures).SelectMany(codes => codes) ?? []);
        _slides = pictures.Slides is null ? null : PicturePack.Open(pictures.Slides);
        if (_corpus is null)
            return;
        _ambiguous = SpeechPack.Open(data.Ambiguity!.Speech);
        if (!_ambiguous.IsMadeFrom([.. _corpus.Sentences.Select(sentence => sentence.English)]))
            throw new OmniFusionException($"{data.Ambiguity.Speech} does not speak the sentences of {data.Ambiguity.Corpus}.");
    }

    /// <summary>Things that pictures can show; 0 without pictures.</summary>
    internal int Things => _pictures?.Count ?? 0;

    /// <summary>Seconds of the longest recording that is learnt from.</summary>
    internal float LongestSeconds => _spoken.Where(part => part.Recipe.Repeat > 0).SelectMany(part => part.Pack.Items)
        .Select(item => (float)item.Seconds).Where(seconds => seconds <= SpeechExamples.MostSeconds).DefaultIfEmpty().Max();

    /// <summary>Number of examples of each part, and how often a pass goes through it.</summary>
    internal string Sizes
    {
        get
        {
            RecipeData data = _recipe.Data;
            IEnumerable<string> parts =
            [
                .. _spoken.Select(part => $"{part.Pack.Count} x {part.Recipe.Repeat} spoken"),
                .. data.Pictures is not { } pictures ? []
                    : (string[])[$"{pictures.Scenes} scenes", $"{pictures.Written} written", $"{_slides?.Count ?? 0} slides"],
                .. data.Ambiguity is not { } ambiguity ? [] : (string[])
                [
                    $"{_ambiguous!.Count} x {ambiguity.Repeat} ambiguous",
                    $"{_corpus!.Sentences.Count} x {ambiguity.Written ?? ambiguity.Repeat} written",
                ],
            ];
            return string.Join(", ", parts);
        }
    }

    /// <summary>What the thinker learns to write: what is said, read and seen.</summary>
    /// <param name="maxSeconds">Longer utterances are left out.</param>
    /// <param name="picturesOnly">Whether there are only scenes to name.</param>
    internal Mixture ForRecognizer(double maxSeconds, bool picturesOnly)
    {
        if (picturesOnly)
            return ForScenes();
        List<(ExampleSource, int)> sources = [.. Spoken(maxSeconds, [.. _spoken.Select(_ => NoTranslations)])];
        if (_pictures is not null)
        {
            sources.Add((new Scenes(_pictures, _recipe.Data.Pictures!.Scenes, _recipe.Seed), 1));
            sources.Add((new WrittenLines(_spoken[0].Text, NoTranslations, _recipe.Data.Pictures.Written, _recipe.Seed, _pictures), 1));
            if (_slides is not null)
                sources.Add((new Slides(_slides, _pictures), 1));
        }
        return Mix(sources);
    }

    /// <summary>Scenes to name, each of one thing.</summary>
    internal Mixture ForScenes() =>
        Mix(_pictures is null ? [] : [(new Scenes(_pictures, _recipe.Data.Pictures!.Scenes, _recipe.Seed, single: true), 1)]);

    /// <summary>What the fused model learns to translate.</summary>
    /// <exception cref="OmniFusionException">A part has no translations into any language of the recipe.</exception>
    internal Mixture ForFusion()
    {
        Dictionary<string, string> wanted = _recipe.Data.Targets;
        if (_spoken.Find(part => part.Recipe.Repeat > 0 && !part.Recipe.Targets.Keys.Any(wanted.ContainsKey)) is { Recipe: { } untold })
            throw new OmniFusionException(
                $"{untold.Source} has no translations into {string.Join(", ", wanted.Keys)}, so a fusion cannot learn from it: give its 'targets'.");
        if (_corpus is not null && !AmbiguityCorpus.Languages.Any(wanted.ContainsKey))
            throw new OmniFusionException(
                $"{_recipe.Data.Ambiguity!.Corpus} has no translations into {string.Join(", ", wanted.Keys)}, so a fusion cannot learn from it.");
        Dictionary<string, string[]>[] targets = [.. _spoken.Select(part => TextLines.ReadTargets(part.Recipe.Source, part.Recipe.Targets))];
        List<(ExampleSource, int)> sources = [.. Spoken(SpeechExamples.MostSeconds, targets)];
        if (_pictures is null)
            return Mix(sources);
        sources.Add((new Scenes(_pictures, _recipe.Data.Pictures!.Scenes, _recipe.Seed), 1));
        sources.Add((new WrittenLines(_spoken[0].Text, targets[0], _recipe.Data.Pictures.Written, _recipe.Seed, _pictures), 1));
        return Mix(sources);
    }

    private static Dictionary<string, string[]> NoTranslations => [];

    private IEnumerable<(ExampleSource Source, int Repeat)> Spoken(double maxSeconds, Dictionary<string, string[]>[] translations)
    {
        double share = _recipe.Data.Pictures?.Share ?? 0;
        foreach (((string[] text, SpeechPack pack, RecipeSpeech recipe), Dictionary<string, string[]> targets) in _spoken.Zip(translations))
        {
            SpeechExamples speech = Speech(pack);
            yield return (recipe.Slides is null ? new SpokenLines(speech, text, targets, _recipe.Seed, _pictures, share, _recipe.Data.Transcribed, _recipe.Data.Beginnings) { Taught = recipe.Taught }
                : new SpokenTerms(new SpokenLines(speech, text, targets, _recipe.Seed, transcribed: _recipe.Data.Transcribed), speech,
                    TextLines.ReadPair(recipe.Source, recipe.Terms!).Target, PicturePack.Open(recipe.Slides), _pictures!, _recipe.Seed), recipe.Repeat);
        }
        if (_corpus is null)
            yield break;
        yield return (new SpokenAmbiguity(_corpus, Speech(_ambiguous!), _pictures!, _recipe.Seed, _recipe.Data.Transcribed),
            _recipe.Data.Ambiguity!.Repeat);
        yield return (new WrittenAmbiguity(_corpus, _pictures!, _recipe.Seed), _recipe.Data.Ambiguity.Written ?? _recipe.Data.Ambiguity.Repeat);

        SpeechExamples Speech(SpeechPack pack) => new(pack, _logMel, _recipe.Seed, maxSeconds) { NewVoices = _recipe.NewVoices };
    }

    private Mixture Mix(IEnumerable<(ExampleSource, int)> sources) =>
        new(sources, _recipe.BatchSeconds, _recipe.Seed, _recipe.Threads);
}
