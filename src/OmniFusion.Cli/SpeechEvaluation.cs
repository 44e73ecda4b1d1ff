using System.Diagnostics;
using OmniFusion.Evaluation;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary>Runs a model over spoken sentences in the five ways that can be compared.</summary>
internal static class SpeechEvaluation
{
    /// <summary>Computes the results that are missing.</summary>
    /// <param name="model">The model.</param>
    /// <param name="set">The recordings.</param>
    /// <param name="images">What the fused model sees; the recogniser and the cascade only hear.</param>
    /// <param name="options">The search, and how many items are computed together.</param>
    /// <param name="results">Receives them, batch by batch.</param>
    /// <param name="advance">Told how many items are done.</param>
    /// <param name="cancellation">Checked at each step.</param>
    /// <exception cref="OmniFusionException">A recording cannot be read.</exception>
    internal static async Task Run(OmniFusionModel model, SpeechTestSet set, SpeechImages images, TranslationOptions options,
        SpeechResults results, Action<int> advance, CancellationToken cancellation)
    {
        int[] missing = [.. Enumerable.Range(0, set.Items.Count).Where(item => !results.ByItem.ContainsKey(item))];
        advance(set.Items.Count - missing.Length);
        foreach (int[] batch in missing.Chunk(options.BatchSize))
        {
            SpeechTestItem[] items = [.. batch.Select(item => set.Items[item])];
            TranslationRequest[] speech = [.. batch.Select(item => set.Request(item, set.Languages[0]))];
            TimedText[]? heard = null;
            string?[] glosses = [];
            Dictionary<string, SpeechTranslations[]> translations = [];
            foreach (string language in set.Languages)
            {
                (TimedText[] text, _) = await Timed(() =>
                    Translate(model, items, Sentences(items.Select(item => item.Text), language), options, cancellation));
                Translation[] stages = await Cascade(model, items,
                    [.. speech.Select((request, i) => request with { TargetLanguage = language, Transcript = heard?[i].Text })],
                    options, cancellation);
                heard ??= [.. stages.Select(stage => new TimedText(stage.Transcript!, stage.Seconds.Load + stage.Seconds.Encode))];
                TimedText[] cascade =
                    [.. stages.Zip(heard, (stage, said) => new TimedText(stage.Text, said.Seconds + stage.Seconds.Decode))];
                TranslationRequest[] seen =
                    [.. speech.Zip(batch, (request, item) => images.Beside(request, item) with { TargetLanguage = language })];
                (TimedText[] fused, glosses) = await Timed(() => Translate(model, items, seen, options, cancellation));
                (TimedText[] thought, _) = await Timed(() => Translate(model, items,
                    [.. seen.Zip(heard, (request, said) => request with { Transcript = said.Text })], options, cancellation));
                thought = [.. thought.Zip(heard, (one, said) => one with { Seconds = said.Seconds + one.Seconds })];
                translations[language] = [.. batch.Select((_, i) => new SpeechTranslations(text[i], cascade[i], fused[i], thought[i]))];
            }
            results.Add([.. batch.Select((item, i) => new SpeechResult(
                item, heard![i], set.Languages.ToDictionary(language => language, language => translations[language][i]),
                // With a picture the gloss tells that as well, which nobody said.
                images.Shows(item) ? null : glosses[i]))]);
            advance(batch.Length);
        }
    }

    /// <summary>What the fused model alone makes of the speech, into the first language of the set.</summary>
    internal static async Task<IReadOnlyList<string>> RunFused(OmniFusionModel model, SpeechTestSet set, SpeechImages images,
        TranslationOptions options, Action<int> advance, CancellationToken cancellation)
    {
        List<string> texts = [];
        foreach (int[] batch in Enumerable.Range(0, set.Items.Count).Chunk(options.BatchSize))
        {
            texts.AddRange((await Translate(model, [.. batch.Select(item => set.Items[item])],
                [.. batch.Select(item => images.Beside(set.Request(item, set.Languages[0]), item))], options, cancellation)).Select(TextOf));
            advance(batch.Length);
        }
        return texts;
    }

    /// <summary>Scores the results of all items.</summary>
    internal static SpeechReport Score(SpeechTestSet set, SpeechResults results, BootstrapOptions draw, string signature)
    {
        SpeechResult[] items = [.. Enumerable.Range(0, set.Items.Count).Select(item => results.ByItem[item])];
        string[] said = [.. set.Items.Select(item => TextNormalizer.ForRecognition(item.Text))];
        string[] heard = [.. items.Select(item => TextNormalizer.ForRecognition(item.Recognizer.Text))];
        int[] glossed = [.. Enumerable.Range(0, items.Length).Where(item => items[item].Gloss is not null)];
        return new SpeechReport(
            items.Length, WordErrorRate(said, heard, items.Sum(item => item.Recognizer.Seconds)), Voices(voice => voice),
            [.. set.Languages.Select((language, i) => Score(set, language, [.. set.Items.Select(item => item.Translations[i])], items, draw))],
            signature)
        {
            Gloss = glossed.Length == 0 ? null : WordErrorRate(
                [.. glossed.Select(item => said[item])], [.. glossed.Select(item => TextNormalizer.ForRecognition(items[item].Gloss!))], seconds: null),
            Synthesizers = Voices(voice => voice?.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon ? voice[..colon] : null),
            Terms = set.HasTerms ? 100 * TermAccuracy.Compute([.. items.Select(item => item.Recognizer.Text)], TermsOf(set)) : null,
        };

        VoiceScore[] Voices(Func<string?, string?> called) => [.. Enumerable.Range(0, items.Length)
            .Where(item => called(set.Items[item].Voice) is not null)
            .GroupBy(item => called(set.Items[item].Voice)!, StringComparer.Ordinal)
            .OrderBy(voice => voice.Key, StringComparer.Ordinal)
            .Select(voice => new VoiceScore(
                voice.Key, voice.Count(),
                100 * WordErrors.Compute([.. voice.Select(item => said[item])], [.. voice.Select(item => heard[item])]).Wer))];

        SpeechScore WordErrorRate(string[] said, string[] written, double? seconds)
        {
            SegmentStatistics words = WordErrors.Statistics(said, written);
            BootstrapInterval? interval = draw.Interval(words);
            return new SpeechScore("WER", 100 * words.Score(), 100 * interval?.Lower, 100 * interval?.Upper, seconds,
                EvaluationSignature.With("nrefs:1|" + EvaluationSignature.Of(("case", "lc"), ("punct", "no")), draw));
        }
    }

    private static string?[] TermsOf(SpeechTestSet set) => [.. set.Items.Select(item => item.Term)];

    private static LanguageScores Score(SpeechTestSet set, string language, string[] expected, SpeechResult[] items, BootstrapOptions draw)
    {
        BleuOptions options = new()
        {
            Tokenizer = language switch
            {
                "zh" => BleuTokenizer.Chinese,
                "ja" => BleuTokenizer.Character,
                _ => BleuTokenizer.V13a,
            },
        };
        TimedText[] text = Of(item => item.Text), cascade = Of(item => item.Cascade), fused = Of(item => item.Fused);
        TimedText[] thought = Of(item => item.ChainOfThought);
        SegmentStatistics baseline = Statistics(cascade);
        SystemFigures characters = Figures(texts => ChrF.Corpus(texts, expected).Score);
        return new LanguageScores(
            language, Bleu(text), Bleu(cascade), Bleu(fused), Bleu(thought), characters.Fused,
            draw.Compare(baseline, Statistics(fused))?.PValue, draw.Compare(baseline, Statistics(thought))?.PValue)
        {
            ChrF = characters,
            ChrFSignature = ChrF.Corpus(expected, expected).Signature,
            Exact = Figures(texts => 100.0 * texts.Zip(expected).Count(pair => pair.First.Trim() == pair.Second.Trim()) / texts.Length),
            OfWords = expected.All(reference => !reference.Trim().Contains(' ', StringComparison.Ordinal)),
            Terms = set.HasTerms ? Figures(texts => 100 * TermAccuracy.Compute(texts, TermsOf(set))) : null,
        };

        SystemFigures Figures(Func<string[], double> measure) =>
            new(measure(Texts(text)), measure(Texts(cascade)), measure(Texts(fused)), measure(Texts(thought)));

        TimedText[] Of(Func<SpeechTranslations, TimedText> system) => [.. items.Select(item => system(item.Translations[language]))];

        SegmentStatistics Statistics(TimedText[] texts) => Evaluation.Bleu.Statistics(Texts(texts), [expected], options);

        SpeechScore Bleu(TimedText[] texts)
        {
            BleuScore score = Evaluation.Bleu.Corpus(Texts(texts), expected, options);
            BootstrapInterval? interval = draw.Interval(Statistics(texts));
            return new SpeechScore("BLEU", score.Score, interval?.Lower, interval?.Upper, texts.Sum(one => one.Seconds),
                EvaluationSignature.With(score.Signature, draw));
        }
    }

    private static string[] Texts(TimedText[] texts) => [.. texts.Select(text => text.Text)];

    private static string TextOf(Translation? translation) => translation?.Text ?? "";

    private static async Task<(TimedText[] Texts, string?[] Glosses)> Timed(Func<Task<Translation?[]>> work)
    {
        long started = Stopwatch.GetTimestamp();
        Translation?[] translations = await work();
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds / translations.Length;
        return ([.. translations.Select(one => new TimedText(TextOf(one), seconds))], [.. translations.Select(one => one?.Gloss)]);
    }

    private static TranslationRequest[] Sentences(IEnumerable<string> texts, string language) =>
        [.. texts.Select(text => new TranslationRequest { Text = text, TargetLanguage = language })];

    // What the recogniser heard for one language it hears for all: it is given then.
    private static async Task<Translation[]> Cascade(OmniFusionModel model, SpeechTestItem[] items, TranslationRequest[] requests,
        TranslationOptions options, CancellationToken cancellation)
    {
        List<Translation> translations = [];
        await foreach (TranslationResult result in model.TranslateCascadeBatchAsync(requests, options, cancellation))
            translations.Add(result.Translation ?? throw Bad(items[translations.Count], result.Error!));
        return [.. translations];
    }

    // Where nothing is said there is nothing to translate: null. A chain of thought reads the transcript of its request, and no other.
    private static async Task<Translation?[]> Translate(OmniFusionModel model, SpeechTestItem[] items, TranslationRequest[] requests,
        TranslationOptions options, CancellationToken cancellation)
    {
        Translation?[] translations = new Translation?[requests.Length];
        int[] places = [.. Enumerable.Range(0, requests.Length)
            .Where(i => requests[i].Text is not { } text || !string.IsNullOrWhiteSpace(text))];
        int at = 0;
        await foreach (TranslationResult result in model.TranslateBatchAsync([.. places.Select(i => requests[i])], options with { ChainOfThought = false }, cancellation))
        {
            translations[places[at]] = result.Translation ?? throw Bad(items[places[at]], result.Error!);
            at++;
        }
        return translations;
    }

    private static OmniFusionException Bad(SpeechTestItem item, Exception error) => new($"{item.Place}: {error.Message}", error);
}
