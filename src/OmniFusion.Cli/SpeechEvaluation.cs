using System.Diagnostics;
using OmniFusion.Evaluation;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary>A score with what makes it reproducible.</summary>
/// <param name="Name">WER or BLEU.</param>
/// <param name="Value">In percent, and BLEU's points.</param>
/// <param name="Signature">Its settings.</param>
/// <param name="Seconds">What computing the texts took.</param>
internal sealed record Score(string Name, double Value, string Signature, double Seconds);

/// <summary>The table of a model card.</summary>
/// <param name="Items">Number of recordings.</param>
/// <param name="Recognizer">Word error rate of what the thinker writes.</param>
/// <param name="Text">BLEU of the translator on what was really said.</param>
/// <param name="Cascade">BLEU of the translator on what the thinker wrote.</param>
/// <param name="Fused">BLEU of the whole system on the speech.</param>
internal sealed record SpeechScores(int Items, Score Recognizer, Score Text, Score Cascade, Score Fused);

/// <summary>Scores a model on spoken sentences in the four ways that can be compared.</summary>
internal static class SpeechEvaluation
{
    // Sentences of a test set; a recogniser that finds no end must not go on for ever.
    private const int LongestTranscript = 128;

    /// <summary>Runs the model over the set.</summary>
    /// <param name="model">The model.</param>
    /// <param name="set">The recordings.</param>
    /// <param name="language">Language of the translations.</param>
    /// <param name="options">The search, and how many items are computed together.</param>
    /// <param name="advance">Told how many items are done.</param>
    /// <param name="cancellation">Checked at each step.</param>
    /// <exception cref="OmniFusionException">A recording cannot be read.</exception>
    internal static async Task<SpeechScores> Run(
        OmniFusionModel model, SpeechTestSet set, string language, TranslationOptions options, Action<int> advance,
        CancellationToken cancellation)
    {
        string[] said = [.. set.Texts], expected = [.. set.Translations];
        List<string> heard = [], text = [], cascade = [], fused = [];
        Stopwatch hearing = new(), reading = new(), rereading = new(), fusing = new();
        foreach (int[] batch in Enumerable.Range(0, set.Count).Chunk(options.BatchSize))
        {
            TranslationRequest[] speech = [.. batch.Select(item => set.Request(item, language))];
            await Measure(hearing, async () => heard.AddRange(
                (await model.TranscribeBatchAsync(speech, LongestTranscript, cancellation)).Select(transcript => transcript.Trim())));
            await Measure(reading, async () => text.AddRange(
                await Translate(model, Sentences(batch.Select(item => said[item]), language), options, cancellation)));
            await Measure(rereading, async () => cascade.AddRange(
                await Translate(model, Sentences(heard.TakeLast(batch.Length), language), options, cancellation)));
            await Measure(fusing, async () => fused.AddRange(await Translate(model, speech, options, cancellation)));
            advance(batch.Length);
        }
        WordErrors errors = WordErrors.Compute(
            [.. said.Select(TextNormalizer.ForRecognition)], [.. heard.Select(TextNormalizer.ForRecognition)]);
        return new SpeechScores(set.Count,
            new Score("WER", 100 * errors.Wer, "case:lc|punct:no", hearing.Elapsed.TotalSeconds),
            Bleu(text, expected, reading), Bleu(cascade, expected, rereading), Bleu(fused, expected, fusing));
    }

    private static async Task Measure(Stopwatch watch, Func<Task> work)
    {
        watch.Start();
        await work();
        watch.Stop();
    }

    private static Score Bleu(List<string> hypotheses, string[] references, Stopwatch watch)
    {
        BleuScore score = Evaluation.Bleu.Corpus(hypotheses, references);
        return new Score("BLEU", score.Score, score.Signature, watch.Elapsed.TotalSeconds);
    }

    private static TranslationRequest[] Sentences(IEnumerable<string> texts, string language) =>
        [.. texts.Select(text => new TranslationRequest { Text = text, TargetLanguage = language })];

    // Where nothing was heard there is nothing to translate, and the translation is empty.
    private static async Task<string[]> Translate(
        OmniFusionModel model, TranslationRequest[] requests, TranslationOptions options, CancellationToken cancellation)
    {
        string[] texts = [.. requests.Select(_ => "")];
        int[] places = [.. Enumerable.Range(0, requests.Length)
            .Where(i => requests[i].Text is not { } text || !string.IsNullOrWhiteSpace(text))];
        int at = 0;
        await foreach (TranslationResult result in model.TranslateBatchAsync([.. places.Select(i => requests[i])], options, cancellation))
            texts[places[at++]] = result.Translation?.Text ?? throw result.Error!;
        return texts;
    }
}
