namespace OmniFusion.Evaluation;

/// <summary>A latency without and with the time of computation; null where it is not defined.</summary>
public readonly record struct LatencyPair(double? Plain, double? ComputationAware);

/// <summary>
/// How the lags of single words are distributed, in seconds. The lag of word j of a segment is its time less the segment's start less j
/// times the pace of LAAL; unlike in LAAL, words after the end of the source count.
/// </summary>
/// <param name="Words">Number of words (or characters).</param>
/// <param name="Mean">Their mean.</param>
/// <param name="Median">Half of the words are not later.</param>
/// <param name="P90">90 % of the words are not later.</param>
/// <param name="P99">99 % of the words are not later.</param>
public sealed record WordLatencies(int Words, double Mean, double Median, double P90, double P99)
{
    /// <summary>The distribution of some lags by nearest rank; null for none.</summary>
    public static WordLatencies? Of(IEnumerable<double> lags)
    {
        double[] sorted = [.. lags.Order()];
        double Rank(double share) => sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
        return sorted.Length == 0 ? null : new WordLatencies(sorted.Length, sorted.Average(), Rank(0.5), Rank(0.9), Rank(0.99));
    }
}

/// <summary>Quality and latency of a simultaneous system on a test set. Latencies are seconds, except AP, which has no unit.</summary>
public sealed record SimultaneousScores
{
    /// <summary>Number of recordings.</summary>
    public required int Recordings { get; init; }

    /// <summary>Number of reference segments.</summary>
    public required int Sentences { get; init; }

    /// <summary>Length of all recordings.</summary>
    public required double AudioSeconds { get; init; }

    /// <summary>BLEU of the segments; those of a talk are cut by minimum word error rate.</summary>
    public required double Bleu { get; init; }

    /// <summary>The settings of BLEU.</summary>
    public required string BleuSignature { get; init; }

    /// <summary>chrF of the same segments.</summary>
    public required double ChrF { get; init; }

    /// <summary>The settings of chrF.</summary>
    public required string ChrFSignature { get; init; }

    /// <summary>Average Lagging.</summary>
    public LatencyPair AL { get; init; }

    /// <summary>Length-Adaptive Average Lagging.</summary>
    public LatencyPair LAAL { get; init; }

    /// <summary>Average Proportion; no unit.</summary>
    public LatencyPair AP { get; init; }

    /// <summary>Differentiable Average Lagging.</summary>
    public LatencyPair DAL { get; init; }

    /// <summary>Average Token Delay.</summary>
    public LatencyPair ATD { get; init; }

    /// <summary>YAAL of whole recordings.</summary>
    public LatencyPair YAAL { get; init; }

    /// <summary>StreamLAAL after minimum-WER resegmentation; null where no recording has several sentences.</summary>
    public LatencyPair? StreamLaal { get; init; }

    /// <summary>LongYAAL after soft resegmentation; null where no recording has several sentences.</summary>
    public LatencyPair? LongYaal { get; init; }

    /// <summary>Time of the first word.</summary>
    public LatencyPair StartOffset { get; init; }

    /// <summary>Time of the last word less the length of the recording.</summary>
    public LatencyPair EndOffset { get; init; }

    /// <summary>SimulEval's NumChunks: pieces of output with a time of their own entry, a mean over the recordings.</summary>
    public double? NumChunks { get; init; }

    /// <summary>Steps (chunks of audio, and the end) that the system took, a mean over the recordings; null if unknown.</summary>
    public double? Steps { get; init; }

    /// <summary>Flicker: units taken back for each unit of the final texts; 0 for a system that never revises; null if unknown.</summary>
    public required double? NormalizedErasure { get; init; }

    /// <summary>Seconds of computation for a second of audio; null if unknown.</summary>
    public double? RealTimeFactor { get; init; }

    /// <summary>Lags of single words without computation; null if there was no output.</summary>
    public WordLatencies? Words { get; init; }

    /// <summary>Lags of single words with computation; null if unknown.</summary>
    public WordLatencies? WordsComputationAware { get; init; }

    /// <summary>The latency that the field reports of such a set: StreamLAAL for talks, LAAL for sentences.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public LatencyPair MainLatency => StreamLaal ?? LAAL;
}
