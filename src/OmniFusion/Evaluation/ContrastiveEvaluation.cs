using OmniFusion.Models;

namespace OmniFusion.Evaluation;

/// <summary>Which picture a model sees.</summary>
public enum ContrastiveImage
{
    /// <summary>The one that decides the reading.</summary>
    Own,

    /// <summary>None: the control that a model must not pass.</summary>
    None,

    /// <summary>That of the other reading: a model that looks is then wrong where it was right.</summary>
    Mismatched,
}

/// <summary>What the model is given besides the candidates.</summary>
/// <param name="Speech">The recording instead of the written sentence.</param>
/// <param name="Image">Which picture; a written sentence without one goes to the translator alone.</param>
public sealed record ContrastiveCondition(bool Speech = false, ContrastiveImage Image = ContrastiveImage.Own);

/// <summary>The scores of an item's two translations.</summary>
/// <param name="Correct">The right one's.</param>
/// <param name="Incorrect">The other's.</param>
public sealed record ContrastiveOutcome(CandidateScore Correct, CandidateScore Incorrect)
{
    /// <summary>Whether the right one has the lower perplexity; as in CoMMuTE's own script, a tie is not right.</summary>
    public bool IsRight => Correct.Mean > Incorrect.Mean;
}

/// <summary>Figures of one ambiguous word.</summary>
/// <param name="Word">The word.</param>
/// <param name="Items">Lines that have it.</param>
/// <param name="Right">Lines with the right translation preferred.</param>
public sealed record ContrastiveWord(string Word, int Items, int Right);

/// <summary>What came out for a whole set.</summary>
/// <param name="Items">Number of lines.</param>
/// <param name="Right">Lines with the right translation preferred.</param>
/// <param name="Accuracy">Their share in percent, with a confidence interval over sentences, whose two lines are drawn together.</param>
/// <param name="BothRight">Share of sentences with both readings right, in percent; without a picture it is 0.</param>
/// <param name="Margin">Mean of the difference of the two length-normalised log-probabilities, in nats for each token.</param>
/// <param name="Words">By ambiguous word in alphabetical order; empty where the set does not tell the words.</param>
public sealed record ContrastiveScores(
    int Items, int Right, BootstrapInterval Accuracy, double BothRight, double Margin, IReadOnlyList<ContrastiveWord> Words);

/// <summary>
/// Contrastive evaluation: which of two given translations a model finds more probable. No text is generated, so nothing but the picture
/// can tell a sentence's two lines apart.
/// </summary>
public static class ContrastiveEvaluation
{
    /// <summary>Scores both translations of every item.</summary>
    /// <param name="model">The model.</param>
    /// <param name="set">The items.</param>
    /// <param name="language">Language of the translations.</param>
    /// <param name="condition">What the model is given.</param>
    /// <param name="options">Batch and image size.</param>
    /// <param name="advance">Told after each item.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="OmniFusionException">The set lacks what the condition asks for, or an item cannot be scored.</exception>
    public static async Task<IReadOnlyList<ContrastiveOutcome>> RunAsync(
        OmniFusionModel model, ContrastiveSet set, string language, ContrastiveCondition condition, TranslationOptions? options = null,
        Action? advance = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(condition);
        (TranslationRequest, IReadOnlyList<string>)[] requests = [.. Enumerable.Range(0, set.Items.Count)
            .Select(i => (Request(set, i, language, condition), (IReadOnlyList<string>)[set.Items[i].Correct, set.Items[i].Incorrect]))];
        List<ContrastiveOutcome> outcomes = new(requests.Length);
        await foreach (ScoringResult result in model.ScoreBatchAsync(requests, options, cancellation).ConfigureAwait(false))
        {
            if (result.Scores is not [{ } correct, { } incorrect])
                throw new OmniFusionException($"{set.Folder}, line {outcomes.Count + 1}: {result.Error!.Message}", result.Error);
            outcomes.Add(new ContrastiveOutcome(correct, incorrect));
            advance?.Invoke();
        }
        return outcomes;
    }

    /// <summary>Sums the outcomes up.</summary>
    /// <param name="set">The items.</param>
    /// <param name="outcomes">One for each, in their order.</param>
    /// <param name="resamples">Bootstrap resamples of the confidence interval.</param>
    /// <param name="seed">Fixes what is drawn.</param>
    public static ContrastiveScores Score(
        ContrastiveSet set, IReadOnlyList<ContrastiveOutcome> outcomes, int resamples = 1000, ulong seed = 12345)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(outcomes);
        if (outcomes.Count != set.Items.Count)
            throw new ArgumentException($"{outcomes.Count} outcomes do not fit {set.Items.Count} items", nameof(outcomes));
        double[] rightOfSentence = [.. outcomes.Chunk(2).Select(pair => (double)pair.Count(outcome => outcome.IsRight))];
        SegmentStatistics statistics = new([.. rightOfSentence.SelectMany(right => new[] { right, 2 })], 2, higherIsBetter: true,
            sums => 100 * sums[0] / sums[1]);
        ContrastiveWord[] words = [.. set.Items.Zip(outcomes)
            .Where(item => !string.IsNullOrEmpty(item.First.Word))
            .GroupBy(item => item.First.Word!, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new ContrastiveWord(group.Key, group.Count(), group.Count(item => item.Second.IsRight)))];
        return new ContrastiveScores(
            outcomes.Count,
            outcomes.Count(outcome => outcome.IsRight),
            Bootstrap.Confidence(statistics, resamples, seed),
            100 * rightOfSentence.Average(right => right == 2 ? 1.0 : 0),
            outcomes.Average(outcome => outcome.Correct.Mean - outcome.Incorrect.Mean),
            words);
    }

    // Said for every item before the first is computed.
    private static TranslationRequest Request(ContrastiveSet set, int item, string language, ContrastiveCondition condition)
    {
        ContrastiveItem own = set.Items[item];
        string? image = condition.Image switch
        {
            ContrastiveImage.Own => Existing(set, item, own.Image, "img.order"),
            ContrastiveImage.Mismatched => Existing(set, item ^ 1, set.Other(item).Image, "img.order"),
            _ => null,
        };
        return new TranslationRequest
        {
            Text = condition.Speech ? null : own.Source,
            Audio = condition.Speech ? Existing(set, item, own.Audio, "audio.order") : null,
            Image = image,
            TargetLanguage = language,
        };
    }

    private static string Existing(ContrastiveSet set, int item, string? path, string list) =>
        path is null ? throw new OmniFusionException($"{set.Folder} has no {list}.")
        : File.Exists(path) ? path
        : throw new OmniFusionException($"{Path.Combine(set.Folder, list)}, line {item + 1}: {path} does not exist.");
}
