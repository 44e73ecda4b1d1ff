namespace OmniFusion.Evaluation;

/// <summary>The settings of <see cref="ChrF"/>; the defaults are sacrebleu's.</summary>
public sealed record ChrFOptions
{
    /// <summary>The longest character n-gram, 1 to 32.</summary>
    public int CharOrder { get; init; } = 6;

    /// <summary>The longest word n-gram, 0 to 16: 0 for chrF, 2 for chrF++.</summary>
    public int WordOrder { get; init; }

    /// <summary>How many times more recall counts than precision, 1 to 100.</summary>
    public int Beta { get; init; } = 2;

    /// <summary>Ignores the difference of upper and lower case.</summary>
    public bool Lowercase { get; init; }

    /// <summary>Counts white space as a character.</summary>
    public bool Whitespace { get; init; }

    /// <summary>A tiny precision instead of leaving out the orders that a text is too short for, as chrF++.py, Moses and NLTK do.</summary>
    public bool EpsSmoothing { get; init; }

    /// <summary>The settings of chrF++.</summary>
    public static ChrFOptions PlusPlus { get; } = new() { WordOrder = 2 };
}

/// <summary>A chrF score.</summary>
/// <param name="Score">The score, 0 to 100.</param>
/// <param name="Name">The metric's name with its parameters: chrF2, chrF2++.</param>
/// <param name="Signature">The settings that make the score reproducible, in sacrebleu's notation.</param>
public sealed record ChrFScore(double Score, string Name, string Signature)
{
    /// <summary>The score line as sacrebleu prints it.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Name} = {Score:F2}");
}

/// <summary>
/// chrF (Popović, WMT 2015) and chrF++ (WMT 2017) as sacrebleu 2.6 defines them: the F-score of character and word n-grams. With several
/// references the one with the best score of a sentence counts.
/// </summary>
public static class ChrF
{
    private const double Epsilon = 1e-16;
    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    /// <summary>Scores a test set with one reference for each hypothesis.</summary>
    /// <exception cref="OmniFusionException">The counts differ, nothing is to be scored, or an option is out of range.</exception>
    public static ChrFScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, ChrFOptions? options = null) =>
        Corpus(hypotheses, [references], options);

    /// <summary>Scores a test set with several sets of references.</summary>
    /// <param name="hypotheses">One text a sentence.</param>
    /// <param name="references">Sets of references, each as long as the hypotheses; null where a sentence has fewer references.</param>
    /// <param name="options">Null for chrF; <see cref="ChrFOptions.PlusPlus"/> for chrF++.</param>
    /// <exception cref="OmniFusionException">The counts differ, nothing is to be scored, or an option is out of range.</exception>
    public static ChrFScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references,
        ChrFOptions? options = null)
    {
        SegmentStatistics statistics = Statistics(hypotheses, references, options);
        options ??= new ChrFOptions();
        string name = $"chrF{options.Beta}{new string('+', options.WordOrder)}";
        return new ChrFScore(Score(statistics.Sums(), options), name, Signature(statistics.References, options));
    }

    /// <summary>Scores one sentence.</summary>
    /// <exception cref="OmniFusionException">There is no reference, or an option is out of range.</exception>
    public static ChrFScore Sentence(string hypothesis, IReadOnlyList<string> references, ChrFOptions? options = null) =>
        Corpus([hypothesis], [.. references.Select(r => new[] { r })], options);

    /// <summary>The statistics of each sentence, for <see cref="Bootstrap"/>.</summary>
    /// <exception cref="OmniFusionException">The counts differ, nothing is to be scored, or an option is out of range.</exception>
    public static SegmentStatistics Statistics(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references,
        ChrFOptions? options = null)
    {
        ChrFOptions settings = options ?? new ChrFOptions();
        if (settings.CharOrder is < 1 or > 32 || settings.WordOrder is < 0 or > 16 || settings.Beta is < 1 or > 100)
            throw new OmniFusionException(
                $"chrF takes a character order of 1 to 32, a word order of 0 to 16 and a beta of 1 to 100, not {settings.CharOrder}, "
                + $"{settings.WordOrder} and {settings.Beta}.");
        return SegmentStatistics.Collect(hypotheses, references, 3 * (settings.CharOrder + settings.WordOrder), higherIsBetter: true,
            (hypothesis, refs, row) => Count(hypothesis, refs, settings, row), sums => Score(sums, settings));
    }

    // For each order, characters before words: [n-grams of the hypothesis, of the reference, matches]
    private static void Count(string hypothesis, string[] references, ChrFOptions options, Span<double> best)
    {
        string[] texts = [hypothesis, .. references];
        if (options.Lowercase)
            texts = [.. texts.Select(PythonText.ToLower)];
        int[][] characters = [.. texts.Select(t => PythonText.CodePoints(options.Whitespace ? t : PythonText.RemoveSpaces(t)))];
        int[][][] ngrams = Ngrams.Number(characters, options.CharOrder);
        if (options.WordOrder > 0)
            ngrams = [.. ngrams, .. Ngrams.Number(Ngrams.NumberWords([.. texts.Select(Words)]), options.WordOrder)];

        double[] row = new double[best.Length];
        double bestScore = -1;
        for (int r = 1; r < texts.Length; r++)
        {
            for (int n = 0; n < ngrams.Length; n++)
            {
                int[] hypothesisGrams = ngrams[n][0], referenceGrams = ngrams[n][r];
                row[3 * n] = referenceGrams.Length > 0 ? hypothesisGrams.Length : 0;
                row[3 * n + 1] = referenceGrams.Length;
                row[3 * n + 2] = Ngrams.Matches(hypothesisGrams, referenceGrams);
            }
            double score = Score(row, options);
            if (score > bestScore)
            {
                bestScore = score;
                row.CopyTo(best);
            }
        }
    }

    // One punctuation mark is split off a word, the last character before the first.
    private static List<string> Words(string text)
    {
        List<string> words = [];
        foreach (string word in PythonText.Split(text))
        {
            if (PythonText.CodePointCount(word) == 1)
                words.Add(word);
            else if (Punctuation.Contains(word[^1]))
                words.AddRange([word[..^1], word[^1..]]);
            else if (Punctuation.Contains(word[0]))
                words.AddRange([word[..1], word[1..]]);
            else
                words.Add(word);
        }
        return words;
    }

    private static double Score(ReadOnlySpan<double> sums, ChrFOptions options)
    {
        double factor = options.Beta * options.Beta, smoothed = 0, precision = 0, recall = 0;
        int orders = sums.Length / 3, effective = 0;
        for (int n = 0; n < orders; n++)
        {
            double inHypothesis = sums[3 * n], inReference = sums[3 * n + 1], matches = sums[3 * n + 2];
            double p = inHypothesis > 0 ? matches / inHypothesis : Epsilon, r = inReference > 0 ? matches / inReference : Epsilon;
            double denominator = factor * p + r;
            smoothed += denominator > 0 ? (1 + factor) * p * r / denominator : Epsilon;
            if (inHypothesis > 0 && inReference > 0)
            {
                precision += p;
                recall += r;
                effective++;
            }
        }
        if (options.EpsSmoothing)
            return 100 * smoothed / orders;
        if (precision + recall == 0)
            return 0;
        precision /= effective;
        recall /= effective;
        return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
    }

    private static string Signature(string references, ChrFOptions options) =>
        $"{references}|case:{(options.Lowercase ? "lc" : "mixed")}|eff:{(options.EpsSmoothing ? "no" : "yes")}|nc:{options.CharOrder}"
        + $"|nw:{options.WordOrder}|space:{(options.Whitespace ? "yes" : "no")}|{TestSet.Version}";
}
