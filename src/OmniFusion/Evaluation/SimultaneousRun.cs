using OmniFusion.Media;
using OmniFusion.Simultaneous;

namespace OmniFusion.Evaluation;

/// <summary>
/// Feeds recordings to a simultaneous translator in chunks, as fast as it takes them, and measures what each step computed. Nothing is
/// played in real time: audio times are known from the chunks, and <see cref="ComputationModel"/> brings both together afterwards.
/// </summary>
public static class SimultaneousRun
{
    /// <summary>The longest chunk, in seconds.</summary>
    public const double LongestChunk = 3600;

    private const double WarmUpSeconds = 5;

    /// <summary>Runs one recording.</summary>
    /// <param name="translator">At the beginning of a stream; stays the caller's.</param>
    /// <param name="name">The recording's name in logs.</param>
    /// <param name="samples">Mono, 16 kHz.</param>
    /// <param name="chunkSeconds">The audio of a step; the last has what is left, and the end of the stream is a step of its own.</param>
    /// <param name="clock">Measures computation; null for the system's.</param>
    /// <param name="images">What is seen, and from how many seconds on, in order; null: nothing.</param>
    /// <param name="cancellation">Handed to the translator.</param>
    /// <exception cref="OmniFusionException">The length of a chunk is impossible, or the model cannot take an image.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static SimultaneousRecord Run(ISimultaneousTranslator translator, string name, ReadOnlySpan<float> samples, double chunkSeconds,
        TimeProvider? clock = null, IReadOnlyList<(RgbImage? Image, double Seconds)>? images = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(translator);
        clock ??= TimeProvider.System;
        images ??= [];
        int chunk = ChunkSamples(chunkSeconds), shown = 0;
        List<RecordedStep> steps = [];
        for (int at = 0; at < samples.Length; at += chunk)
        {
            cancellation.ThrowIfCancellationRequested();
            int end = (int)Math.Min((long)at + chunk, samples.Length);
            long began = clock.GetTimestamp();
            List<StreamEvent> brought = [];
            // A slide that changes within a chunk cuts it, not the step.
            for (int from = at; from < end;)
            {
                while (shown < images.Count && Sample(images[shown].Seconds) <= from)
                    translator.Show(images[shown++].Image);
                int until = shown < images.Count ? (int)Math.Min(Sample(images[shown].Seconds), end) : end;
                brought.AddRange(translator.Push(samples[from..until], cancellation));
                from = until;
            }
            steps.Add(Recorded(brought, end, clock.GetElapsedTime(began)));
        }
        long finishing = clock.GetTimestamp();
        IReadOnlyList<StreamEvent> last = translator.Finish(cancellation);
        steps.Add(Recorded(last, samples.Length, clock.GetElapsedTime(finishing)));
        return new SimultaneousRecord(name, Seconds(samples.Length), steps);
    }

    /// <summary>Runs all recordings, each with a translator of its own; before the first, a few seconds of it are run unmeasured.</summary>
    /// <param name="recordings">What is translated.</param>
    /// <param name="create">Begins a stream.</param>
    /// <param name="chunkSeconds">The audio of a step.</param>
    /// <param name="done">Told of each record as it is there.</param>
    /// <param name="clock">Measures computation; null for the system's.</param>
    /// <param name="cancellation">Checked at each step.</param>
    /// <exception cref="OmniFusionException">A recording or an image cannot be read, or the length of a chunk is impossible.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static IReadOnlyList<SimultaneousRecord> RunAll(IReadOnlyList<SpokenRecording> recordings,
        Func<ISimultaneousTranslator> create, double chunkSeconds, Action<SimultaneousRecord>? done = null, TimeProvider? clock = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        ArgumentNullException.ThrowIfNull(create);
        int chunk = ChunkSamples(chunkSeconds);
        List<SimultaneousRecord> records = new(recordings.Count);
        foreach (SpokenRecording recording in recordings)
        {
            float[] samples = recording.Read(cancellation);
            (RgbImage?, double)[] images =
                [.. recording.Images.Select(image => (image.Path is null ? null : ImageFile.Read(image.Path, cancellation), image.Seconds))];
            if (records.Count == 0)
            {
                using ISimultaneousTranslator cold = create();
                int warm = Math.Min(samples.Length, Math.Max(chunk, (int)(WarmUpSeconds * AudioFile.ModelRate)));
                Run(cold, recording.Name, samples.AsSpan(0, warm), chunkSeconds, clock, images, cancellation);
            }
            using ISimultaneousTranslator translator = create();
            SimultaneousRecord record = Run(translator, recording.Name, samples, chunkSeconds, clock, images, cancellation);
            records.Add(record);
            done?.Invoke(record);
        }
        return records;
    }

    private static int ChunkSamples(double seconds) => seconds > 0 && seconds <= LongestChunk
        ? Math.Max(1, (int)Math.Round(seconds * AudioFile.ModelRate))
        : throw new OmniFusionException($"A chunk is longer than 0 and at most {LongestChunk} seconds, not {seconds}.");

    private static double Sample(double seconds) => Math.Round(seconds * AudioFile.ModelRate);

    private static double Seconds(int samples) => (double)samples / AudioFile.ModelRate;

    // A step is one change of the text, however many events tell of it.
    private static RecordedStep Recorded(IReadOnlyList<StreamEvent> brought, int samples, TimeSpan computation)
    {
        string added = "";
        int deleted = 0;
        foreach (StreamEvent happened in brought)
        {
            int own = Math.Min(happened.Deleted, added.Length);
            added = added[..^own] + happened.Committed;
            deleted += happened.Deleted - own;
        }
        return new RecordedStep(Seconds(samples), computation.TotalSeconds, deleted, added);
    }
}
