namespace OmniFusion.Evaluation;

/// <summary>
/// Latency metrics of simultaneous translation as SimulEval 1.1.4 and, for YAAL, OmniSTEval 0.1.10 define them. The metrics of one sentence
/// take delays (or times with computation), the length of the source in the same unit, and the length of the target in words.
/// </summary>
public static class Latency
{
    private const double SpeechTokenMs = 300;

    /// <summary>Computes a metric for each sentence and its mean.</summary>
    /// <param name="instances">The outputs; those without any word are skipped.</param>
    /// <param name="metric">Which latency.</param>
    /// <param name="computationAware">Whether the time of computation counts.</param>
    /// <param name="unit">What the delays belong to, for the length of the reference.</param>
    /// <exception cref="OmniFusionException">Times are missing, too many or not finite, or a source length is not positive.</exception>
    public static LatencyScore Compute(IReadOnlyList<LatencyInstance> instances, LatencyMetric metric, bool computationAware = false,
        LatencyUnit unit = LatencyUnit.Word)
    {
        ArgumentNullException.ThrowIfNull(instances);
        double?[] scores = [.. instances.Select(instance => Compute(instance, metric, computationAware, unit))];
        return new LatencyScore(MeanOf(scores), scores);
    }

    /// <summary>Average Lagging: the mean lag behind an ideal that keeps the reference's pace, until the source has ended.</summary>
    /// <exception cref="OmniFusionException">There is no delay, or a length is not positive.</exception>
    public static double AverageLagging(ReadOnlySpan<double> delays, double sourceLength, int targetLength)
    {
        Check(delays, sourceLength, targetLength);
        return delays[0] > sourceLength ? delays[0] : Lag(delays, sourceLength / targetLength, d => d >= sourceLength);
    }

    /// <summary>LAAL: Average Lagging that a translation longer than the reference cannot lower.</summary>
    /// <exception cref="OmniFusionException">There is no delay, or the source's length is not positive.</exception>
    public static double LengthAdaptiveAverageLagging(ReadOnlySpan<double> delays, double sourceLength, int targetLength) =>
        AverageLagging(delays, sourceLength, Math.Max(delays.Length, targetLength));

    /// <summary>Average Proportion: the mean share of the source read for a word.</summary>
    /// <exception cref="OmniFusionException">There is no delay, or a length is not positive.</exception>
    public static double AverageProportion(ReadOnlySpan<double> delays, double sourceLength, int targetLength)
    {
        Check(delays, sourceLength, targetLength);
        double sum = 0;
        foreach (double delay in delays)
            sum += delay;
        return sum / (sourceLength * targetLength);
    }

    /// <summary>DAL: Average Lagging in which every word takes its share of the source's time.</summary>
    /// <exception cref="OmniFusionException">There is no delay, or the source's length is not positive.</exception>
    public static double DifferentiableAverageLagging(ReadOnlySpan<double> delays, double sourceLength)
    {
        Check(delays, sourceLength, delays.Length);
        double pace = sourceLength / delays.Length, sum = 0, end = double.NegativeInfinity;
        for (int i = 0; i < delays.Length; i++)
        {
            end = Math.Max(delays[i], end + pace);
            sum += end - i * pace;
        }
        return sum / delays.Length;
    }

    /// <summary>
    /// YAAL: Length-Adaptive Average Lagging of the words before the end. Null if there is none: the system was not simultaneous there.
    /// </summary>
    /// <param name="delays">Times relative to the start of the source.</param>
    /// <param name="sourceLength">The length of the segment.</param>
    /// <param name="targetLength">Words of the reference.</param>
    /// <param name="end">
    /// Words from this time on do not count: the source length for a sentence by itself; the end of the recording for a segment of a
    /// longer one, relative to the segment's start.
    /// </param>
    /// <exception cref="OmniFusionException">There is no delay, or the source's length is not positive.</exception>
    public static double? YetAnotherAverageLagging(ReadOnlySpan<double> delays, double sourceLength, int targetLength, double end)
    {
        Check(delays, sourceLength, Math.Max(delays.Length, targetLength));
        int counted = 0;
        while (counted < delays.Length && delays[counted] < end)
            counted++;
        double pace = sourceLength / Math.Max(delays.Length, targetLength);
        return counted == 0 ? null : Lag(delays[..counted], pace, _ => false);
    }

    /// <summary>
    /// Average Token Delay of text from speech, in milliseconds: the source counts as words of 300 ms, and each word of the target is
    /// compared with the one of the source that it can at the earliest be a translation of.
    /// </summary>
    /// <param name="delays">Milliseconds, not decreasing.</param>
    /// <param name="elapsed">The same with computation; empty to leave computation out.</param>
    /// <exception cref="OmniFusionException">There is no delay, one is smaller than the one before it, or the counts differ.</exception>
    public static double AverageTokenDelay(ReadOnlySpan<double> delays, ReadOnlySpan<double> elapsed = default)
    {
        Check(delays, sourceLength: 1, targetLength: 1);
        if (!elapsed.IsEmpty && elapsed.Length != delays.Length)
            throw new OmniFusionException($"There are {elapsed.Length} times with computation for {delays.Length} delays.");
        // Source words up to the end of each chunk, and the time at which each chunk starts.
        List<double> sourceWords = [0], starts = [];
        double sum = 0, finished = 0, computedBefore = 0, lastDelay = 0;
        int wordsBefore = 0;
        for (int t = 0; t < delays.Length; t++)
        {
            if (t == 0 || delays[t] != lastDelay)
            {
                if (delays[t] < lastDelay)
                    throw new OmniFusionException($"The average token delay needs delays in order, but {delays[t]} follows {lastDelay}.");
                starts.Add(lastDelay);
                sourceWords.Add(sourceWords[^1] + Math.Ceiling((delays[t] - lastDelay) / SpeechTokenMs));
                wordsBefore = t;
                lastDelay = delays[t];
            }
            double computed = elapsed.IsEmpty ? 0 : elapsed[t] - delays[t];
            finished = Math.Max(delays[t], finished) + (computed - computedBefore);
            computedBefore = computed;
            double word = t + 1 - Math.Max(0, wordsBefore - sourceWords[^2]);
            sum += finished - SourceTime(Math.Min(word, sourceWords[^1]), sourceWords, starts, lastDelay);
        }
        return sum / delays.Length;
    }

    internal static double MeanOf(IEnumerable<double?> scores) => scores.Average() ?? double.NaN;

    internal static int LengthOf(string reference, LatencyUnit unit) => unit == LatencyUnit.Word
        ? reference.Count(c => c == ' ') + 1
        : PythonText.CodePointCount(PythonText.Trim(reference));

    // The last word of a chunk ends with the chunk, however short it is.
    private static double SourceTime(double word, List<double> sourceWords, List<double> starts, double end)
    {
        if (word <= 0)
            return 0;
        int chunk = starts.Count - 1;
        while (sourceWords[chunk] >= word)
            chunk--;
        double chunkEnd = chunk + 1 < starts.Count ? starts[chunk + 1] : end;
        return Math.Min(chunkEnd, starts[chunk] + (word - sourceWords[chunk]) * SpeechTokenMs);
    }

    private static double Lag(ReadOnlySpan<double> delays, double pace, Func<double, bool> isLast)
    {
        double sum = 0;
        int count = 0;
        foreach (double delay in delays)
        {
            sum += delay - count++ * pace;
            if (isLast(delay))
                break;
        }
        return sum / count;
    }

    private static double? Compute(LatencyInstance instance, LatencyMetric metric, bool computationAware, LatencyUnit unit)
    {
        if (instance.Delays.Count == 0)
            return null;
        Check(instance, computationAware);
        double[] delays = [.. instance.Delays], times = computationAware ? [.. instance.Elapsed!] : delays;
        double source = instance.SourceLength;
        int target = instance.Reference is null ? times.Length : LengthOf(instance.Reference, unit);
        if (target == 0)
            throw new OmniFusionException($"Sentence {instance.Index} has an empty reference.");
        return metric switch
        {
            LatencyMetric.AL => AverageLagging(times, source, target),
            LatencyMetric.LAAL => LengthAdaptiveAverageLagging(times, source, target),
            LatencyMetric.AP => AverageProportion(times, source, target),
            LatencyMetric.DAL => DifferentiableAverageLagging(times, source),
            LatencyMetric.ATD => AverageTokenDelay(delays, computationAware ? times : []),
            LatencyMetric.YAAL => YetAnotherAverageLagging(times, source, target, source),
            LatencyMetric.LongYAAL => YetAnotherAverageLagging(times, source, target, double.PositiveInfinity),
            LatencyMetric.StartOffset => times[0],
            LatencyMetric.EndOffset => times[^1] - source,
            LatencyMetric.NumChunks => times.Length,
            LatencyMetric.RTF => times[^1] / source,
            _ => throw new OmniFusionException($"The latency metric {metric} does not exist."),
        };
    }

    private static void Check(ReadOnlySpan<double> delays, double sourceLength, int targetLength)
    {
        if (delays.IsEmpty || !(sourceLength > 0) || targetLength <= 0)
            throw new OmniFusionException(
                $"A latency needs delays and positive lengths, not {delays.Length}, source {sourceLength}, target {targetLength}.");
    }

    private static void Check(LatencyInstance instance, bool computationAware)
    {
        if (!(instance.SourceLength > 0 && double.IsFinite(instance.SourceLength)))
            throw new OmniFusionException($"Sentence {instance.Index} has the source length {instance.SourceLength}, not a positive one.");
        if (computationAware && instance.Elapsed?.Count != instance.Delays.Count)
            throw new OmniFusionException(
                $"Sentence {instance.Index} has {instance.Elapsed?.Count ?? 0} times with computation for {instance.Delays.Count} words.");
        if (!instance.Delays.All(double.IsFinite) || !(instance.Elapsed ?? []).All(double.IsFinite))
            throw new OmniFusionException($"Sentence {instance.Index} has a delay that is not a finite number.");
    }
}
