using System.Globalization;

namespace OmniFusion.Evaluation;

/// <summary>The settings of <see cref="Ter"/>; the defaults are sacrebleu's.</summary>
public sealed record TerOptions
{
    /// <summary>Sets punctuation apart from words first.</summary>
    public bool Normalized { get; init; }

    /// <summary>Removes punctuation first.</summary>
    public bool NoPunctuation { get; init; }

    /// <summary>Makes every Chinese or Japanese character a word if normalised, and removes their punctuation with the rest.</summary>
    public bool AsianSupport { get; init; }

    /// <summary>Distinguishes upper and lower case.</summary>
    public bool CaseSensitive { get; init; }
}

/// <summary>A translation edit rate.</summary>
/// <param name="Score">Edits for 100 words of reference, 0 is perfect, above 100 is possible.</param>
/// <param name="Edits">Insertions, deletions, substitutions and shifts.</param>
/// <param name="RefLen">Words of the references, the mean where a sentence has several.</param>
/// <param name="Signature">The settings that make the score reproducible, in sacrebleu's notation.</param>
public sealed record TerScore(double Score, long Edits, double RefLen, string Signature)
{
    /// <summary>The score line as sacrebleu prints it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"TER = {Score:F2}");
}

/// <summary>
/// Translation edit rate (Snover et al., AMTA 2006): the fewest edits, a shift of a phrase among them, for a word of the reference. The
/// search for shifts and its limits are Tercom's as sacrebleu 2.6 follows them.
/// </summary>
public static class Ter
{
    /// <summary>Scores a test set with one reference for each hypothesis.</summary>
    /// <exception cref="OmniFusionException">The counts differ or nothing is to be scored.</exception>
    public static TerScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, TerOptions? options = null) =>
        Corpus(hypotheses, [references], options);

    /// <summary>Scores a test set with several sets of references.</summary>
    /// <param name="hypotheses">One text a sentence.</param>
    /// <param name="references">Sets of references, each as long as the hypotheses; null where a sentence has fewer references.</param>
    /// <param name="options">Null for sacrebleu's defaults.</param>
    /// <exception cref="OmniFusionException">The counts differ or nothing is to be scored.</exception>
    public static TerScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references,
        TerOptions? options = null)
    {
        SegmentStatistics statistics = Statistics(hypotheses, references, options);
        double[] sums = statistics.Sums();
        return new TerScore(Rate(sums), (long)sums[0], sums[1], Signature(statistics.References, options ?? new TerOptions()));
    }

    /// <summary>Scores one sentence.</summary>
    /// <exception cref="OmniFusionException">There is no reference.</exception>
    public static TerScore Sentence(string hypothesis, IReadOnlyList<string> references, TerOptions? options = null) =>
        Corpus([hypothesis], [.. references.Select(r => new[] { r })], options);

    /// <summary>The statistics of each sentence, for <see cref="Bootstrap"/>.</summary>
    /// <exception cref="OmniFusionException">The counts differ or nothing is to be scored.</exception>
    public static SegmentStatistics Statistics(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references,
        TerOptions? options = null)
    {
        TerOptions settings = options ?? new TerOptions();
        return SegmentStatistics.Collect(hypotheses, references, 2, higherIsBetter: false,
            (hypothesis, refs, row) => Count(hypothesis, refs, settings, row), Rate);
    }

    // [fewest edits, mean length of the references]
    private static void Count(string hypothesis, string[] references, TerOptions options, Span<double> row)
    {
        List<string>[] texts = [.. references.Prepend(hypothesis).Select(t => TerTokenization.Split(PythonText.TrimEnd(t), options))];
        int[][] words = Ngrams.NumberWords(texts);
        row[0] = words.Skip(1).Min(reference => TerShifts.Edits(words[0], reference));
        row[1] = words.Skip(1).Average(reference => reference.Length);
    }

    private static double Rate(ReadOnlySpan<double> sums) => 100 * (sums[1] > 0 ? sums[0] / sums[1] : sums[0] > 0 ? 1 : 0);

    private static string Signature(string references, TerOptions options) =>
        $"{references}|case:{(options.CaseSensitive ? "mixed" : "lc")}|tok:tercom|norm:{YesNo(options.Normalized)}"
        + $"|punct:{YesNo(!options.NoPunctuation)}|asian:{YesNo(options.AsianSupport)}|{TestSet.Version}";

    private static string YesNo(bool value) => value ? "yes" : "no";
}
