using System.Diagnostics;
using System.Threading.Channels;
using OmniFusion.Media;
using OmniFusion.Models;

namespace OmniFusion.Simultaneous;

/// <summary>
/// A live simultaneous translation: audio goes in with <see cref="PushAsync"/>, events come out of <see cref="Events"/>. The computation
/// runs by itself; many sessions share one model. All members may be called from any thread.
/// <code>
/// await using SimultaneousSession session = new(model, new() { TargetLanguage = "de" });
/// Task listening = Task.Run(async () =>
/// {
///     while (await microphone.Read(block))
///         await session.PushAsync(block);
///     await session.FinishAsync();
/// });
/// await foreach (StreamEvent happened in session.Events)
///     Console.Write(happened.Committed);
/// </code>
/// Both ways are bounded. Whoever does not read events stops the computation, and then <see cref="PushAsync"/> waits: read while you push.
/// </summary>
public sealed class SimultaneousSession : IAsyncDisposable
{
    // A push is cut into blocks of half a second; so much audio waits at most, and so many events.
    private const int BlockSamples = AudioFile.ModelRate / 2, WaitingBlocks = 20, WaitingEvents = 64;

    private readonly Channel<Work> _work = Channel.CreateBounded<Work>(new BoundedChannelOptions(WaitingBlocks) { SingleReader = true });
    private readonly Channel<StreamEvent> _events =
        Channel.CreateBounded<StreamEvent>(new BoundedChannelOptions(WaitingEvents) { SingleWriter = true });
    private readonly SemaphoreSlim _order = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _disposed;

    /// <summary>Begins a stream on a loaded model; nothing is computed before somebody speaks.</summary>
    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    public SimultaneousSession(OmniFusionModel model, SimultaneousOptions options) : this(StreamTranslator.Create(model, options))
    {
    }

    /// <summary>Begins a stream with a translator, which the session owns from now on.</summary>
    public SimultaneousSession(ISimultaneousTranslator translator)
    {
        ArgumentNullException.ThrowIfNull(translator);
        _running = Run(translator, _work, _events.Writer, Stopwatch.GetTimestamp(), _stop.Token);
    }

    /// <summary>
    /// What happens, in order: each event that brings or changes text, or ends a segment. It ends after <see cref="FinishAsync"/> with all
    /// text out; an error of the computation is thrown here. Each event is handed out once.
    /// </summary>
    /// <exception cref="OperationCanceledException">The session was disposed while it was read.</exception>
    public IAsyncEnumerable<StreamEvent> Events => _events.Reader.ReadAllAsync();

    /// <summary>Takes the next samples, mono, 16 kHz, and copies them; waits while too many wait already.</summary>
    /// <exception cref="OmniFusionException">A sample is not a number (then none is taken), or the computation failed.</exception>
    /// <exception cref="InvalidOperationException">The stream is finished.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop; a part of the samples may be taken.</exception>
    public async ValueTask PushAsync(ReadOnlyMemory<float> samples, CancellationToken cancellation = default)
    {
        StreamTranslator.CheckFinite(samples.Span);
        await Enter(cancellation).ConfigureAwait(false);
        try
        {
            for (int at = 0; at < samples.Length; at += BlockSamples)
            {
                float[] block = samples.Slice(at, Math.Min(BlockSamples, samples.Length - at)).ToArray();
                await Send(new Work(block, null), cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            _order.Release();
        }
    }

    /// <summary>What is seen from here on in the audio, or null.</summary>
    /// <inheritdoc cref="PushAsync"/>
    public async ValueTask ShowAsync(RgbImage? image, CancellationToken cancellation = default)
    {
        await Enter(cancellation).ConfigureAwait(false);
        try
        {
            await Send(new Work(null, image), cancellation).ConfigureAwait(false);
        }
        finally
        {
            _order.Release();
        }
    }

    /// <summary>The stream has ended. The rest of the text comes as events, and then they end. Calling it again changes nothing.</summary>
    /// <exception cref="OperationCanceledException">The caller asked to stop, while a push was under way.</exception>
    public async ValueTask FinishAsync(CancellationToken cancellation = default)
    {
        await Enter(cancellation).ConfigureAwait(false);
        _work.Writer.TryComplete();
        _order.Release();
    }

    /// <summary>Stops the computation where it is, and gives back its memory. What was not read is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;
        _work.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async ValueTask Enter(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed == 1, this);
        await _order.WaitAsync(cancellation).ConfigureAwait(false);
    }

    private async ValueTask Send(Work work, CancellationToken cancellation)
    {
        try
        {
            await _work.Writer.WriteAsync(work, cancellation).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed)
        {
            ObjectDisposedException.ThrowIf(_disposed == 1, this);
            throw closed.InnerException is OmniFusionException error ? error
                : new InvalidOperationException("The stream is finished.", closed.InnerException);
        }
    }

    // Knows the channels and not the session, so that a session that is dropped can be collected.
    private static async Task Run(
        ISimultaneousTranslator translator, Channel<Work> work, ChannelWriter<StreamEvent> events, long started, CancellationToken stop)
    {
        Exception? failure = null;
        try
        {
            string tentative = "";
            await foreach (Work next in work.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                if (next.Samples is not { } samples)
                {
                    translator.Show(next.Image);
                    continue;
                }
                // Off the thread that pushed: a step computes for long.
                StreamEvent happened = await Task.Run(() => translator.Push(samples, stop), stop).ConfigureAwait(false);
                if (happened.Committed.Length > 0 || happened.Deleted > 0 || happened.EndsSegment || happened.Tentative != tentative)
                    await events.WriteAsync(Timed(happened), stop).ConfigureAwait(false);
                tentative = happened.Tentative;
            }
            StreamEvent last = await Task.Run(() => translator.Finish(stop), stop).ConfigureAwait(false);
            await events.WriteAsync(Timed(last), stop).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            failure = error;
        }
        finally
        {
            translator.Dispose();
            // Whoever waits to push learns of it.
            work.Writer.TryComplete(failure);
            events.TryComplete(failure);
        }

        StreamEvent Timed(StreamEvent happened) => happened with { WallSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
    }

    /// <summary>The next samples, or where there are none, what is seen from now on.</summary>
    private readonly record struct Work(float[]? Samples, RgbImage? Image);
}
