using System.Runtime.ExceptionServices;

namespace OmniFusion.Training.Data;

/// <summary>What to speak, and how.</summary>
/// <param name="Text">The lines to speak; not empty.</param>
/// <param name="Voices">The voices to draw from; not empty.</param>
public sealed record SpeechPackPlan(IReadOnlyList<string> Text, IReadOnlyList<Voice> Voices)
{
    /// <summary>How many times each line is spoken, 1 to 65535.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>Seed from which voices, rates and pitches are drawn.</summary>
    public long Seed { get; init; }

    /// <summary>Number of sentences spoken at once.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;
}

/// <summary>A line that could not be spoken.</summary>
/// <param name="TextIndex">Zero-based line of the text.</param>
/// <param name="Copy">Which time that the line was to be spoken.</param>
/// <param name="Voice">The <see cref="Voice.Id"/> of the speaker.</param>
/// <param name="Reason">What the engine said; null when it failed in an earlier run.</param>
public sealed record SpeechFailure(int TextIndex, int Copy, string Voice, string? Reason);

/// <summary>How far the making of a pack is.</summary>
/// <param name="Done">Items in the pack.</param>
/// <param name="Total">Items that it will have.</param>
/// <param name="Samples">Samples in the pack.</param>
public readonly record struct SpeechPackProgress(int Done, int Total, long Samples);

/// <summary>
/// Makes a <see cref="SpeechPack"/> with several workers. Its content depends on the text, the voices and the seed only, not on the
/// number of workers nor on how often it was stopped and resumed.
/// </summary>
public sealed class SpeechPackBuilder
{
    private const int Attempts = 3;

    // So many lines cannot all be unspeakable: something else is wrong, and going on would lose the rest of the set.
    private const int MaxFailuresInARow = 20;

    // How far a worker may run ahead of a slow sentence before it waits: bounds the memory.
    private const int WindowPerWorker = 32;

    private readonly SpeechPackPlan _plan;
    private readonly Func<IUtteranceSpeaker> _createSpeaker;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, (Utterance Utterance, short[] Samples)> _finished = [];
    private readonly List<SpeechFailure> _failures = [];
    private int _taken;
    private int _written;
    private int _failuresInARow;
    private long _samples;

    private SpeechPackBuilder(SpeechPackPlan plan, Func<IUtteranceSpeaker> createSpeaker)
    {
        _plan = plan;
        _createSpeaker = createSpeaker;
    }

    private int Total => _plan.Text.Count * _plan.Copies;

    /// <summary>Makes a pack, or goes on with one.</summary>
    /// <param name="path">The pack; its index is written beside it.</param>
    /// <param name="plan">What to speak.</param>
    /// <param name="resume">Whether to go on with a pack that exists.</param>
    /// <param name="progress">Called after each item, from one thread at a time.</param>
    /// <param name="cancellation">Stops between two sentences; the pack can be resumed.</param>
    /// <returns>The lines that could not be spoken, in this run or in those resumed.</returns>
    /// <exception cref="OmniFusionException">
    /// An engine is missing, the plan is empty, the pack cannot be written, or 20 lines in a row cannot be spoken.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlyList<SpeechFailure> Build(
        string path, SpeechPackPlan plan, bool resume, Action<SpeechPackProgress>? progress, CancellationToken cancellation)
    {
        SpeechSynthesizer.RequireInstalled(plan.Voices);
        return Build(path, plan, resume, progress, () => new SpeechSynthesizer(), cancellation);
    }

    internal static IReadOnlyList<SpeechFailure> Build(
        string path,
        SpeechPackPlan plan,
        bool resume,
        Action<SpeechPackProgress>? progress,
        Func<IUtteranceSpeaker> createSpeaker,
        CancellationToken cancellation)
    {
        if (plan.Text.Count == 0)
            throw new OmniFusionException("The text has no lines.");
        if (plan.Voices.Count == 0)
            throw new OmniFusionException("There are no voices to speak with.");
        if (plan.Copies is < 1 or > ushort.MaxValue || (long)plan.Text.Count * plan.Copies > int.MaxValue)
            throw new OmniFusionException($"{plan.Copies} copies of {plan.Text.Count} lines do not fit in a pack.");
        if (plan.Workers < 1)
            throw new OmniFusionException("There must be at least one worker.");
        return new SpeechPackBuilder(plan, createSpeaker).Run(path, resume, progress, cancellation);
    }

    private IReadOnlyList<SpeechFailure> Run(
        string path, bool resume, Action<SpeechPackProgress>? progress, CancellationToken cancellation)
    {
        SpeechPackHeader header = new(
            SpeechPack.SampleRate,
            _plan.Seed,
            _plan.Text.Count,
            SpeechPackHeader.HashText(_plan.Text),
            [.. _plan.Voices.Select(voice => voice.Id)]);
        using SpeechPackWriter writer = SpeechPackWriter.Open(path, header, resume);
        _taken = _written = writer.Written.Count;
        _samples = writer.Written.Sum(item => (long)item.SampleCount);
        _failures.AddRange(
            from item in writer.Written
            where item.SampleCount == 0
            select new SpeechFailure(item.TextIndex, item.Copy, item.Voice, null));
        progress?.Invoke(new SpeechPackProgress(_written, Total, _samples));

        // A worker that cannot go on stops the others.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ExceptionDispatchInfo? failure = null;
        Thread[] workers = [.. Enumerable.Range(0, _plan.Workers).Select(_ => new Thread(() =>
        {
            try
            {
                Work(writer, progress, stop.Token);
            }
            catch (Exception error)
            {
                if (!stop.IsCancellationRequested)
                    Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(error), null);
                stop.Cancel();
            }
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();
        failure?.Throw();
        cancellation.ThrowIfCancellationRequested();
        return [.. _failures.OrderBy(line => line.Copy).ThenBy(line => line.TextIndex)];
    }

    private void Work(SpeechPackWriter writer, Action<SpeechPackProgress>? progress, CancellationToken stop)
    {
        using IUtteranceSpeaker speaker = _createSpeaker();
        while (Interlocked.Increment(ref _taken) - 1 is var item && item < Total)
        {
            WaitForRoom(item, stop);
            Utterance utterance = Utterance.Draw(_plan.Seed, item % _plan.Text.Count, item / _plan.Text.Count, _plan.Voices);
            short[] samples = Speak(speaker, utterance, stop);
            lock (_gate)
            {
                _finished.Add(item, (utterance, samples));
                while (!stop.IsCancellationRequested && _finished.Remove(_written, out (Utterance Utterance, short[] Samples) next))
                {
                    writer.Append(next.Utterance, next.Samples);
                    _written++;
                    _samples += next.Samples.Length;
                    progress?.Invoke(new SpeechPackProgress(_written, Total, _samples));
                    _failuresInARow = next.Samples.Length == 0 ? _failuresInARow + 1 : 0;
                    if (_failuresInARow == MaxFailuresInARow)
                        throw new OmniFusionException(
                            $"Stopped, because {MaxFailuresInARow} sentences in a row could not be spoken: {_failures[^1].Reason}");
                }
            }
        }
    }

    private void WaitForRoom(int item, CancellationToken stop)
    {
        while (item - Volatile.Read(ref _written) > WindowPerWorker * _plan.Workers)
        {
            stop.ThrowIfCancellationRequested();
            Thread.Sleep(5);
        }
    }

    private short[] Speak(IUtteranceSpeaker speaker, Utterance utterance, CancellationToken stop)
    {
        for (int attempt = 1; ; attempt++)
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                return speaker.Speak(utterance, _plan.Text[utterance.TextIndex]);
            }
            catch (OmniFusionException error)
            {
                if (attempt < Attempts)
                    continue;
                lock (_gate)
                    _failures.Add(new SpeechFailure(utterance.TextIndex, utterance.Copy, utterance.Voice.Id, error.Message));
                return [];
            }
        }
    }
}
