namespace OmniFusion.Evaluation;

/// <summary>A latency of recordings without segmentation.</summary>
/// <param name="Ideal">Seconds; NaN if nothing was put out.</param>
/// <param name="ComputationAware">Seconds with the time of computation.</param>
/// <param name="Segments">For each recording, the part of the output that belongs to each reference segment.</param>
public sealed record StreamLatencyScore(double Ideal, double ComputationAware, IReadOnlyList<IReadOnlyList<string>> Segments);

/// <summary>
/// Latency on long recordings: the output is first cut into the segments of the reference, then each segment is measured from its start.
/// All times are seconds.
/// </summary>
public static class StreamLatency
{
    /// <summary>
    /// StreamLAAL (Papi et al., ACL 2024), version 2 of simulstream: <see cref="MwerSegmenter"/>, then the length-adaptive average lagging
    /// of each segment.
    /// </summary>
    /// <param name="outputs">The system's output for each recording.</param>
    /// <param name="references">The reference segments of each recording, in order.</param>
    /// <param name="unit">What a delay belongs to.</param>
    /// <exception cref="OmniFusionException">Counts differ, a time is not finite, or a duration is not positive.</exception>
    public static StreamLatencyScore StreamLaal(IReadOnlyList<StreamOutput> outputs,
        IReadOnlyList<IReadOnlyList<ReferenceSegment>> references, LatencyUnit unit = LatencyUnit.Word)
    {
        Check(outputs, references, unit);
        Tally tally = new();
        for (int r = 0; r < outputs.Count; r++)
        {
            (int[] ends, string[] parts) = MwerSegments(outputs[r], references[r], unit);
            for (int s = 0; s < ends.Length; s++)
            {
                ReferenceSegment segment = references[r][s];
                int start = s > 0 ? ends[s - 1] : 0, length = StreamOutput.Units(segment.Text, unit).Length;
                tally.Add(outputs[r], Enumerable.Range(start, ends[s] - start), segment.Start,
                    delays => Latency.LengthAdaptiveAverageLagging(delays, segment.Duration, length));
            }
            tally.Segments.Add(parts);
        }
        return tally.Score();
    }

    /// <summary>
    /// LongYAAL (arXiv 2509.17349) as OmniSTEval computes it without Moses tokenisation: <see cref="SoftSegmenter"/>, then the YAAL of each
    /// segment's words put out before the end of the recording.
    /// </summary>
    /// <param name="outputs">The system's output for each recording.</param>
    /// <param name="references">The reference segments of each recording, in order.</param>
    /// <param name="unit">What a delay belongs to.</param>
    /// <exception cref="OmniFusionException">Counts differ, a time is not finite, or a duration is not positive.</exception>
    public static StreamLatencyScore LongYaal(IReadOnlyList<StreamOutput> outputs,
        IReadOnlyList<IReadOnlyList<ReferenceSegment>> references, LatencyUnit unit = LatencyUnit.Word)
    {
        Check(outputs, references, unit);
        Tally tally = new();
        for (int r = 0; r < outputs.Count; r++)
        {
            string[] units = StreamOutput.Units(outputs[r].Text, unit);
            string[] texts = [.. references[r].Select(s => ReferenceText(s, unit))];
            int[] segments = SoftSegmenter.Align([.. texts.Select(t => StreamOutput.Units(t, unit))], units, unit);
            ILookup<int, int> bySegment = Enumerable.Range(0, units.Length).ToLookup(i => segments[i]);
            double recordingEnd = references[r].Max(s => s.Start + s.Duration);
            for (int s = 0; s < texts.Length; s++)
            {
                ReferenceSegment segment = references[r][s];
                tally.Add(outputs[r], bySegment[s], segment.Start, delays => Latency.YetAnotherAverageLagging(delays, segment.Duration,
                    Latency.LengthOf(texts[s], unit), recordingEnd - segment.Start));
            }
            string separator = unit == LatencyUnit.Word ? " " : "";
            tally.Segments.Add([.. texts.Select((_, s) => string.Join(separator, bySegment[s].Select(i => units[i])))]);
        }
        return tally.Score();
    }

    private static string ReferenceText(ReferenceSegment segment, LatencyUnit unit)
    {
        string text = PythonText.Trim(segment.Text);
        return unit == LatencyUnit.Word ? text : text.Replace(" ", "", StringComparison.Ordinal);
    }

    // Ends count units; for characters, runs of Latin letters and spaces are aligned as one word.
    private static (int[] Ends, string[] Parts) MwerSegments(StreamOutput output, IReadOnlyList<ReferenceSegment> references,
        LatencyUnit unit)
    {
        string[] words = Words(output.Text, unit);
        int[] ends = MwerSegmenter.Align([.. references.Select(s => Words(s.Text, unit))], words);
        string separator = unit == LatencyUnit.Word ? " " : "";
        string[] parts = [.. ends.Select((end, s) => string.Join(separator, words[(s > 0 ? ends[s - 1] : 0)..end]))];
        if (unit == LatencyUnit.Word)
            return (ends, parts);
        int count = 0;
        return ([.. parts.Select(part => count += PythonText.CodePointCount(part))], parts);
    }

    private static string[] Words(string text, LatencyUnit unit)
    {
        string[] units = StreamOutput.Units(text, unit);
        if (unit == LatencyUnit.Word)
            return units;
        List<string> words = [];
        bool open = false;
        foreach (string character in units)
        {
            bool latin = character[0] <= '\u00ff';
            if (latin && open)
                words[^1] += character;
            else
                words.Add(character);
            open = latin;
        }
        return [.. words];
    }

    private static void Check(IReadOnlyList<StreamOutput> outputs, IReadOnlyList<IReadOnlyList<ReferenceSegment>> references,
        LatencyUnit unit)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(references);
        if (outputs.Count != references.Count)
            throw new OmniFusionException($"There are outputs for {outputs.Count} recordings, but references for {references.Count}.");
        for (int r = 0; r < outputs.Count; r++)
        {
            StreamOutput output = outputs[r];
            int units = StreamOutput.Units(output.Text, unit).Length;
            if (output.IdealDelays.Count != units || output.ComputationAwareDelays.Count != units)
                throw new OmniFusionException($"Recording {r + 1} has {units} units of text, but {output.IdealDelays.Count} and "
                    + $"{output.ComputationAwareDelays.Count} delays.");
            if (!output.IdealDelays.Concat(output.ComputationAwareDelays).All(double.IsFinite))
                throw new OmniFusionException($"Recording {r + 1} has a delay that is not a finite number.");
            if (references[r].Count == 0)
                throw new OmniFusionException($"Recording {r + 1} has no reference segment.");
            if (!references[r].All(s => double.IsFinite(s.Start) && s.Duration > 0 && double.IsFinite(s.Duration)))
                throw new OmniFusionException($"Recording {r + 1} has a reference segment whose start or duration is no time.");
        }
    }

    /// <summary>Segments' latencies, summed up; a segment without output does not count.</summary>
    private sealed class Tally
    {
        private readonly List<double?> _ideal = [], _aware = [];

        public List<IReadOnlyList<string>> Segments { get; } = [];

        public void Add(StreamOutput output, IEnumerable<int> units, double start, Func<double[], double?> latency)
        {
            double[] ideal = [.. units.Select(i => output.IdealDelays[i] - start)];
            double[] aware = [.. units.Select(i => output.ComputationAwareDelays[i] - start)];
            if (ideal.Length == 0)
                return;
            _ideal.Add(latency(ideal));
            _aware.Add(latency(aware));
        }

        public StreamLatencyScore Score() => new(Latency.MeanOf(_ideal), Latency.MeanOf(_aware), Segments);
    }
}
