using System.Globalization;

namespace OmniFusion.Evaluation;

/// <summary>
/// BLEU (Papineni et al., ACL 2002) as sacrebleu 2.6 defines it (Post, WMT 2018): clipped n-gram precisions, their geometric mean, and a
/// penalty for brevity. Hypotheses and references are plain text, never tokenised beforehand.
/// </summary>
public static class Bleu
{
    // Orders without any n-gram count as precision zero; its logarithm is cut here so that the score becomes 0, not NaN.
    private const double LogOfZero = -9999999999;

    /// <summary>Scores a test set with one reference for each hypothesis.</summary>
    /// <param name="hypotheses">One text a sentence.</param>
    /// <param name="references">As many texts as hypotheses.</param>
    /// <param name="options">Null for sacrebleu's defaults.</param>
    /// <exception cref="OmniFusionException">The counts differ, nothing is to be scored, or an option is out of range.</exception>
    public static BleuScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<string> references, BleuOptions? options = null) =>
        Corpus(hypotheses, [references], options);

    /// <summary>Scores a test set with several sets of references.</summary>
    /// <param name="hypotheses">One text a sentence.</param>
    /// <param name="references">Sets of references, each as long as the hypotheses; null where a sentence has fewer references.</param>
    /// <param name="options">Null for sacrebleu's defaults.</param>
    /// <exception cref="OmniFusionException">The counts differ, nothing is to be scored, or an option is out of range.</exception>
    public static BleuScore Corpus(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references,
        BleuOptions? options = null)
    {
        SegmentStatistics statistics = Statistics(hypotheses, references, options);
        options ??= new BleuOptions();
        return Compute(statistics.Sums(), options, Signature(statistics.References, options));
    }

    /// <summary>Scores one sentence; <see cref="BleuOptions.EffectiveOrder"/> is advisable.</summary>
    /// <exception cref="OmniFusionException">There is no reference, or an option is out of range.</exception>
    public static BleuScore Sentence(string hypothesis, IReadOnlyList<string> references, BleuOptions? options = null) =>
        Corpus([hypothesis], [.. references.Select(r => new[] { r })], options);

    /// <summary>The statistics of each sentence, for <see cref="Bootstrap"/>.</summary>
    /// <exception cref="OmniFusionException">The counts differ, nothing is to be scored, or an option is out of range.</exception>
    public static SegmentStatistics Statistics(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references,
        BleuOptions? options = null)
    {
        BleuOptions settings = Checked(options);
        return SegmentStatistics.Collect(hypotheses, references, 2 + 2 * settings.MaxOrder, higherIsBetter: true,
            (hypothesis, refs, row) => Count(hypothesis, refs, settings, row), sums => Compute(sums, settings, "").Score);
    }

    private static BleuOptions Checked(BleuOptions? options)
    {
        options ??= new BleuOptions();
        if (options.MaxOrder is < 1 or > 16)
            throw new OmniFusionException($"The longest n-gram of BLEU must be 1 to 16, not {options.MaxOrder}.");
        if (options.SmoothValue is { } value && !(value >= 0 && double.IsFinite(value)))
            throw new OmniFusionException($"The smoothing constant of BLEU must be a number from 0 up, not {value}.");
        return options;
    }

    // [hypothesis words, reference words, matches of each order, n-grams of each order]
    private static void Count(string hypothesis, string[] references, BleuOptions options, Span<double> row)
    {
        List<string>[] words = [Words(hypothesis, options), .. references.Select(r => Words(r, options))];
        int[][] numbers = Ngrams.NumberWords(words);
        int[][][] ngrams = Ngrams.Number(numbers, options.MaxOrder);
        int length = numbers[0].Length;
        row[0] = length;
        row[1] = numbers.Skip(1).Select(r => r.Length).OrderBy(r => Math.Abs(r - length)).ThenBy(r => r).First();
        for (int n = 0; n < options.MaxOrder; n++)
        {
            row[2 + n] = Ngrams.Matches(ngrams[n][0], ngrams[n].AsSpan(1));
            row[2 + options.MaxOrder + n] = ngrams[n][0].Length;
        }
    }

    private static List<string> Words(string sentence, BleuOptions options) =>
        BleuTokenization.Split(PythonText.TrimEnd(options.Lowercase ? PythonText.ToLower(sentence) : sentence), options.Tokenizer);

    private static BleuScore Compute(ReadOnlySpan<double> sums, BleuOptions options, string signature)
    {
        int orders = options.MaxOrder;
        double sysLen = sums[0], refLen = sums[1];
        double[] correct = sums.Slice(2, orders).ToArray(), total = sums.Slice(2 + orders, orders).ToArray();
        double[] precisions = new double[orders];
        double brevity = sysLen >= refLen ? 1 : sysLen > 0 ? Math.Exp(1 - refLen / sysLen) : 0;
        double score = 0;
        if (correct.Any(c => c > 0))
        {
            int effective = Precisions(correct, total, options, precisions);
            double logs = precisions.Take(effective).Sum(p => p > 0 ? Math.Log(p) : LogOfZero);
            // Of perfect texts the exponential is a little more than 100.
            score = Math.Min(brevity * Math.Exp(logs / effective), 100);
        }
        return new BleuScore(score, precisions, [.. correct.Select(c => (long)c)], [.. total.Select(t => (long)t)], brevity, (long)sysLen,
            (long)refLen, signature);
    }

    // Returns how many orders take part in the mean.
    private static int Precisions(double[] correct, double[] total, BleuOptions options, double[] precisions)
    {
        double halvings = 1;
        int effective = precisions.Length;
        for (int n = 0; n < precisions.Length; n++)
        {
            double added = options.Smoothing == BleuSmoothing.AddK && n > 0 ? SmoothValue(options) : 0;
            double matches = correct[n] + added, count = total[n] + added;
            if (count == 0)
                break;
            if (options.EffectiveOrder)
                effective = n + 1;
            if (matches > 0)
                precisions[n] = 100 * matches / count;
            else if (options.Smoothing == BleuSmoothing.Exp)
                precisions[n] = 100 / ((halvings *= 2) * count);
            else if (options.Smoothing == BleuSmoothing.Floor)
                precisions[n] = 100 * SmoothValue(options) / count;
        }
        return effective;
    }

    private static double SmoothValue(BleuOptions options) =>
        options.SmoothValue ?? (options.Smoothing == BleuSmoothing.Floor ? 0.1 : 1);

    private static string Signature(string references, BleuOptions options)
    {
        string smoothing = options.Smoothing switch
        {
            BleuSmoothing.Exp => "exp",
            BleuSmoothing.Floor => string.Create(CultureInfo.InvariantCulture, $"floor[{SmoothValue(options):F2}]"),
            BleuSmoothing.AddK => string.Create(CultureInfo.InvariantCulture, $"add-k[{SmoothValue(options):F2}]"),
            _ => "none",
        };
        return $"{references}|case:{(options.Lowercase ? "lc" : "mixed")}|eff:{(options.EffectiveOrder ? "yes" : "no")}"
            + $"|tok:{BleuTokenization.Name(options.Tokenizer)}|smooth:{smoothing}|{TestSet.Version}";
    }
}
