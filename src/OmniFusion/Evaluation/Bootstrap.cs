namespace OmniFusion.Evaluation;

/// <summary>A score with its 95 % confidence interval.</summary>
/// <param name="Score">The score of the test set itself.</param>
/// <param name="Mean">The mean over the resamples.</param>
/// <param name="Lower">The 2.5 % point of the resamples.</param>
/// <param name="Upper">The 97.5 % point of the resamples.</param>
public sealed record BootstrapInterval(double Score, double Mean, double Lower, double Upper)
{
    /// <summary>Half of the interval's width, the figure after the ± of a report.</summary>
    public double HalfWidth => (Upper - Lower) / 2;
}

/// <summary>The comparison of two systems on the same sentences.</summary>
/// <param name="Baseline">The first system.</param>
/// <param name="System">The second system.</param>
/// <param name="PValue">How probable a difference at least as large is if the systems are equally good.</param>
/// <param name="SystemWins">The share of resamples in which the second system is strictly better, 0 to 1.</param>
public sealed record PairedBootstrap(BootstrapInterval Baseline, BootstrapInterval System, double PValue, double SystemWins)
{
    /// <summary>The second system's score less the first's.</summary>
    public double Difference => System.Score - Baseline.Score;
}

/// <summary>
/// Bootstrap resampling (Koehn, EMNLP 2004) over stored statistics, with the conventions of sacrebleu 2.6. The same seed gives the same
/// result on every machine; the numbers drawn are not NumPy's, so the last digits differ from sacrebleu's.
/// </summary>
public static class Bootstrap
{
    /// <summary>The confidence interval of a score.</summary>
    /// <param name="statistics">The sentences' statistics, from <c>Bleu.Statistics</c> and its like.</param>
    /// <param name="resamples">How many test sets are drawn, 1 to 1,000,000.</param>
    /// <param name="seed">Fixes what is drawn.</param>
    /// <exception cref="OmniFusionException"><paramref name="resamples"/> is out of range.</exception>
    public static BootstrapInterval Confidence(SegmentStatistics statistics, int resamples = 1000, ulong seed = 12345)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        return Interval(statistics.Score(), Draw([statistics], resamples, seed)[0]);
    }

    /// <summary>The paired bootstrap test: both systems are scored on the same drawn sentences.</summary>
    /// <param name="baseline">The first system's statistics.</param>
    /// <param name="system">The second system's statistics, by the same metric on the same sentences.</param>
    /// <param name="resamples">How many test sets are drawn, 1 to 1,000,000.</param>
    /// <param name="seed">Fixes what is drawn.</param>
    /// <exception cref="OmniFusionException">The numbers of sentences differ, or a value is out of range.</exception>
    public static PairedBootstrap Paired(SegmentStatistics baseline, SegmentStatistics system, int resamples = 1000, ulong seed = 12345)
    {
        ArgumentNullException.ThrowIfNull(baseline);
        ArgumentNullException.ThrowIfNull(system);
        if (baseline.Count != system.Count || baseline.HigherIsBetter != system.HigherIsBetter)
            throw new OmniFusionException(
                $"The two systems are not comparable: {baseline.Count} and {system.Count} sentences, or different metrics.");

        double[][] drawn = Draw([baseline, system], resamples, seed);
        double[] differences = [.. drawn[1].Zip(drawn[0], (s, b) => Math.Abs(s - b))];
        BootstrapInterval first = Interval(baseline.Score(), drawn[0]), second = Interval(system.Score(), drawn[1]);
        double observed = Math.Abs(second.Score - first.Score), mean = differences.Average();
        // Any difference is at least as large as none; sacrebleu's formula would call equal systems different.
        double pValue = observed == 0 ? 1 : (differences.Count(d => d - mean > observed) + 1.0) / (resamples + 1);
        int sign = system.HigherIsBetter ? 1 : -1;
        double wins = (double)drawn[1].Zip(drawn[0], (s, b) => sign * (s - b) > 0).Count(w => w) / resamples;
        return new PairedBootstrap(first, second, pValue, wins);
    }

    private static BootstrapInterval Interval(double score, double[] drawn)
    {
        double[] sorted = [.. drawn.Order()];
        int tail = sorted.Length / 40;
        return new BootstrapInterval(score, sorted.Average(), sorted[tail], sorted[^(tail + 1)]);
    }

    private static double[][] Draw(SegmentStatistics[] systems, int resamples, ulong seed)
    {
        if (resamples is < 1 or > 1_000_000)
            throw new OmniFusionException($"The number of bootstrap resamples must be 1 to 1000000, not {resamples}.");
        double[][] scores = [.. systems.Select(_ => new double[resamples])];
        SplitMix64 random = new(seed);
        int[] sentences = new int[systems[0].Count];
        for (int r = 0; r < resamples; r++)
        {
            for (int i = 0; i < sentences.Length; i++)
                sentences[i] = random.Below(sentences.Length);
            for (int s = 0; s < systems.Length; s++)
                scores[s][r] = systems[s].Score(sentences);
        }
        return scores;
    }
}
