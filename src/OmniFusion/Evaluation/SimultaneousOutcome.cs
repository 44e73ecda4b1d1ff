using OmniFusion.Media;

namespace OmniFusion.Evaluation;

/// <summary>What a system put out for a recording, with its reference.</summary>
/// <param name="Output">The text and its times, in seconds.</param>
/// <param name="SourceSeconds">The length of the recording.</param>
/// <param name="References">Its reference segments, at least one.</param>
public sealed record SimultaneousOutcome(StreamOutput Output, double SourceSeconds, IReadOnlyList<ReferenceSegment> References)
{
    // Logs round their times, and frames of sound end a little before or after a sentence.
    private const double Milliseconds = 1000, Rounding = 0.1;

    /// <summary>Whether times with computation are known.</summary>
    public bool Timed { get; init; } = true;

    /// <summary>The outcome of a run.</summary>
    /// <exception cref="OmniFusionException">The run and the recording do not fit.</exception>
    public static SimultaneousOutcome Of(SimultaneousRecord record, SpokenRecording recording, LatencyUnit unit = LatencyUnit.Word,
        ComputationModel model = ComputationModel.RealTime)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(recording);
        return new SimultaneousOutcome(record.Output(unit, model), record.SourceSeconds, recording.References(record.SourceSeconds));
    }

    /// <summary>The outcomes in a simulstream log, in the order of the recordings; those of other recordings are left out.</summary>
    /// <exception cref="OmniFusionException">The log lacks a recording, or ends before its last sentence does.</exception>
    public static IReadOnlyList<SimultaneousOutcome> FromSimulstream(
        IReadOnlyList<StreamOutput> log, IReadOnlyList<SpokenRecording> recordings)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(recordings);
        ILookup<string, StreamOutput> byName = log.ToLookup(output => output.Name);
        return [.. recordings.Select(recording => byName[recording.Name].FirstOrDefault() is { } output
            ? Streamed(output, recording)
            : throw new OmniFusionException($"The log has nothing about the recording {recording.Name}."))];
    }

    private static SimultaneousOutcome Streamed(StreamOutput output, SpokenRecording recording)
    {
        // Without a step nothing was put out, and how long it would have been is nowhere but in the recording.
        double seconds = output.Steps == 0 && output.AudioSeconds == 0
            ? (double)recording.Read(CancellationToken.None).Length / AudioFile.ModelRate : output.AudioSeconds;
        return !(recording.Sentences[^1].End > seconds + Rounding) ? new SimultaneousOutcome(output, seconds, recording.References(seconds))
            : throw new OmniFusionException(
                $"The log has {seconds} seconds of the recording {recording.Name}, whose last sentence ends at {recording.Sentences[^1].End}.");
    }

    /// <summary>The outcomes in a SimulEval log.</summary>
    /// <param name="log">The sentences or whole recordings; the index says which one, from 0.</param>
    /// <param name="recordings">What was translated; null to take the references from the log.</param>
    /// <exception cref="OmniFusionException">The log and the recordings do not fit, or there is no reference.</exception>
    public static IReadOnlyList<SimultaneousOutcome> FromSimulEval(
        IReadOnlyList<LatencyInstance> log, IReadOnlyList<SpokenRecording>? recordings = null)
    {
        ArgumentNullException.ThrowIfNull(log);
        if (log.Count == 0)
            throw new OmniFusionException("The log holds no sentence.");
        if (recordings is null)
            return [.. log.Select(instance => Of(instance, null))];
        LatencyInstance[] inOrder = [.. log.OrderBy(instance => instance.Index)];
        if (inOrder.Length != recordings.Count || inOrder.Where((instance, i) => instance.Index != i).Any())
            throw new OmniFusionException(
                $"The log has {log.Count} sentences whose indexes do not match the {recordings.Count} recordings.");
        return [.. inOrder.Zip(recordings, Of)];
    }

    /// <summary>The whole recording as SimulEval sees it, times in milliseconds.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="unit">What a delay belongs to; SimulEval does not count spaces between characters.</param>
    public LatencyInstance Instance(int index, LatencyUnit unit = LatencyUnit.Word)
    {
        string[] units = StreamOutput.Units(Output.Text, unit);
        // A log's text need not match its delays unit for unit: then its delays are all that counts.
        bool[] counts = [.. units.Length == Output.IdealDelays.Count
            ? units.Select(text => !string.IsNullOrWhiteSpace(text)) : Output.IdealDelays.Select(_ => true)];
        double[] Times(IReadOnlyList<double> seconds) =>
            [.. seconds.Where((_, i) => i >= counts.Length || counts[i]).Select(s => s * Milliseconds)];
        string separator = unit == LatencyUnit.Word ? " " : "";
        return new LatencyInstance
        {
            Index = index,
            Source = Output.Name,
            Prediction = string.Join(separator, units.Where(text => !string.IsNullOrWhiteSpace(text))),
            Reference = string.Join(separator, References.Select(segment => segment.Text.Trim())),
            SourceLength = SourceSeconds * Milliseconds,
            Delays = Times(Output.IdealDelays),
            Elapsed = Timed ? Times(Output.ComputationAwareDelays) : null,
        };
    }

    private static SimultaneousOutcome Of(LatencyInstance instance, SpokenRecording? recording)
    {
        bool timed = instance.Elapsed is { } times && (times.Count > 0 || instance.Delays.Count == 0);
        double[] delays = [.. instance.Delays.Select(d => d / Milliseconds)];
        double[] elapsed = timed ? [.. instance.Elapsed!.Select(d => d / Milliseconds)] : delays;
        double seconds = instance.SourceLength / Milliseconds;
        if (timed && elapsed.Length != delays.Length)
            throw new OmniFusionException(
                $"Sentence {instance.Index} has {elapsed.Length} times with computation for {delays.Length} words.");
        if (!(seconds > 0 && double.IsFinite(seconds)))
            throw new OmniFusionException($"Sentence {instance.Index} has the source length {instance.SourceLength}, not a positive one.");
        if (!delays.Concat(elapsed).All(double.IsFinite))
            throw new OmniFusionException($"Sentence {instance.Index} has a delay that is not a finite number.");
        IReadOnlyList<ReferenceSegment> references = recording?.References(seconds) ?? (string.IsNullOrWhiteSpace(instance.Reference)
            ? throw new OmniFusionException($"Sentence {instance.Index} has no reference.")
            : [new ReferenceSegment(instance.Reference, 0, seconds)]);
        StreamOutput output = new()
        {
            Name = recording?.Name ?? instance.Source ?? $"sentence {instance.Index}",
            Text = instance.Prediction,
            IdealDelays = delays,
            ComputationAwareDelays = elapsed,
            AudioSeconds = seconds,
            // Its elapsed times hold all computation up to the last word.
            ComputationSeconds = timed && elapsed.Length > 0 ? elapsed[^1] - delays[^1] : 0,
        };
        return new SimultaneousOutcome(output, seconds, references) { Timed = timed };
    }
}
