namespace OmniFusion.Evaluation;

/// <summary>Measures quality and latency of a simultaneous system with the field's definitions.</summary>
public static class SimultaneousScorer
{
    private const double Milliseconds = 1000;

    /// <summary>Scores a test set.</summary>
    /// <param name="outcomes">One for each recording, at least one.</param>
    /// <param name="unit">What a delay belongs to.</param>
    /// <param name="bleu">Null for sacrebleu's defaults.</param>
    /// <exception cref="OmniFusionException">There is nothing to score, or an outcome is inconsistent; the message names it.</exception>
    public static SimultaneousScores Score(
        IReadOnlyList<SimultaneousOutcome> outcomes, LatencyUnit unit = LatencyUnit.Word, BleuOptions? bleu = null)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        if (outcomes.Count == 0)
            throw new OmniFusionException("There is no recording to score.");
        bool timed = outcomes.All(outcome => outcome.Timed);
        bool talks = outcomes.Any(outcome => outcome.References.Count > 1);
        LatencyInstance[] instances = [.. outcomes.Select((outcome, i) => outcome.Instance(i, unit))];
        StreamOutput[] outputs = [.. outcomes.Select(outcome => outcome.Output)];
        IReadOnlyList<ReferenceSegment>[] references = [.. outcomes.Select(outcome => outcome.References)];
        StreamLatencyScore? laal = talks ? StreamLatency.StreamLaal(outputs, references, unit) : null;
        StreamLatencyScore? yaal = talks ? StreamLatency.LongYaal(outputs, references, unit) : null;

        string[] hypotheses = [.. laal?.Segments.SelectMany(parts => parts) ?? outputs.Select(output => output.Text)];
        string[] expected = [.. references.SelectMany(segments => segments).Select(segment => segment.Text)];
        BleuScore quality = Bleu.Corpus(hypotheses, expected, bleu);
        ChrFScore characters = ChrF.Corpus(hypotheses, expected);

        double units = outputs.Sum(output => output.IdealDelays.Count), audio = outcomes.Sum(outcome => outcome.SourceSeconds);
        return new SimultaneousScores
        {
            Recordings = outcomes.Count,
            Sentences = expected.Length,
            AudioSeconds = audio,
            Bleu = quality.Score,
            BleuSignature = quality.Signature,
            ChrF = characters.Score,
            ChrFSignature = characters.Signature,
            AL = Pair(LatencyMetric.AL),
            LAAL = Pair(LatencyMetric.LAAL),
            AP = Pair(LatencyMetric.AP, 1),
            DAL = Pair(LatencyMetric.DAL),
            ATD = Pair(LatencyMetric.ATD),
            YAAL = Pair(LatencyMetric.YAAL),
            StreamLaal = Stream(laal),
            LongYaal = Stream(yaal),
            StartOffset = Pair(LatencyMetric.StartOffset),
            EndOffset = Pair(LatencyMetric.EndOffset),
            NumChunks = Number(Latency.Compute(instances, LatencyMetric.NumChunks, unit: unit).Mean),
            Steps = outputs.All(output => output.Steps > 0) ? outputs.Average(output => output.Steps) : null,
            // SimulEval's logs know no steps, and nothing of what a step took back.
            NormalizedErasure = outputs.All(output => output.Steps == 0) ? null
                : units > 0 ? outputs.Sum(output => output.DeletedUnits) / units : 0,
            RealTimeFactor = timed && audio > 0 ? outputs.Sum(output => output.ComputationSeconds) / audio : null,
            Words = WordLatencies.Of(Lags(outcomes, laal, unit, output => output.IdealDelays)),
            WordsComputationAware =
                timed ? WordLatencies.Of(Lags(outcomes, laal, unit, output => output.ComputationAwareDelays)) : null,
        };

        LatencyPair Pair(LatencyMetric metric, double scale = Milliseconds) => new(
            Number(Latency.Compute(instances, metric, computationAware: false, unit).Mean / scale),
            timed ? Number(Latency.Compute(instances, metric, computationAware: true, unit).Mean / scale) : null);

        LatencyPair? Stream(StreamLatencyScore? score) =>
            score is null ? null : new LatencyPair(Number(score.Ideal), timed ? Number(score.ComputationAware) : null);
    }

    private static double? Number(double value) => double.IsNaN(value) ? null : value;

    private static IEnumerable<double> Lags(IReadOnlyList<SimultaneousOutcome> outcomes, StreamLatencyScore? segmented, LatencyUnit unit,
        Func<StreamOutput, IReadOnlyList<double>> delaysOf)
    {
        for (int r = 0; r < outcomes.Count; r++)
        {
            IReadOnlyList<double> delays = delaysOf(outcomes[r].Output);
            int at = 0;
            for (int s = 0; s < outcomes[r].References.Count; s++)
            {
                ReferenceSegment segment = outcomes[r].References[s];
                int length = segmented is null ? delays.Count : StreamOutput.Units(segmented.Segments[r][s], unit).Length;
                double pace = segment.Duration / Math.Max(length, StreamOutput.Units(segment.Text, unit).Length);
                for (int j = 0; j < length; j++)
                    yield return delays[at + j] - segment.Start - j * pace;
                at += length;
            }
        }
    }
}
