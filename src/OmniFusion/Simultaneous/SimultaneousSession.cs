using System.Diagnostics;
using System.Runtime.InteropServices;
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
    // Audio waits in blocks of half a second, so many at most, whatever pieces it was pushed in; and so many events.
    private const int BlockSamples = AudioFile.ModelRate / 2, WaitingBlocks = 20, WaitingEvents = 64;

    private readonly Channel<Work> _work = Channel.CreateBounded<Work>(new BoundedChannelOptions(WaitingBlocks) { SingleReader = true });
    private readonly Channel<StreamEvent> _events =
        Channel.CreateBounded<StreamEvent>(new BoundedChannelOptions(WaitingEvents) { SingleWriter = true });
    private readonly SemaphoreSlim _order = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly StreamTranslator? _checks;
    private readonly Task _running;
    private Work? _last;
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
        _checks = translator as StreamTranslator;
        _running = Run(translator, _work, _events.Writer, Stopwatch.GetTimestamp(), _stop.Token);
    }

    /// <summary>
    /// What happens, in order: each event that brings or changes text, or ends a segment. It ends after <see cref="FinishAsync"/> with all
    /// text out; an error of the computation is thrown here, behind what came before it. Each event is handed out once.
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
            for (int at = _last?.Add(samples.Span) ?? 0; at < samples.Length;)
            {
                Work block = new();
                at += block.Add(samples.Span[at..]);
                await Send(block, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            _order.Release();
        }
    }

    /// <summary>
    /// What is seen from here on in the audio, or null. An image that the model cannot take is refused, and the session goes on.
    /// </summary>
    /// <inheritdoc cref="PushAsync"/>
    public async ValueTask ShowAsync(RgbImage? image, CancellationToken cancellation = default)
    {
        _checks?.CheckImage(image);
        await Enter(cancellation).ConfigureAwait(false);
        try
        {
            await Send(new Work { Shows = true, Image = image }, cancellation).ConfigureAwait(false);
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
        _last = null;
        _order.Release();
    }

    /// <summary>Stops the computation where it is, and gives back its memory. What was not read is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        bool first = Interlocked.Exchange(ref _disposed, 1) == 0;
        if (first)
        {
            _work.Writer.TryComplete();
            await _stop.CancelAsync().ConfigureAwait(false);
        }
        await _running.ConfigureAwait(false);
        if (first)
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
            _last = work;
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
            try
            {
                await foreach (Work next in work.Reader.ReadAllAsync(stop).ConfigureAwait(false))
                {
                    if (next.Shows)
                        translator.Show(next.Image);
                    else
                        // Off the thread that pushed: a step computes for long.
                        await Tell(await Task.Run(() => translator.Push(next.Take(), stop), stop).ConfigureAwait(false)).ConfigureAwait(false);
                }
                await Tell(await Task.Run(() => translator.Finish(stop), stop).ConfigureAwait(false)).ConfigureAwait(false);
            }
            catch when (!stop.IsCancellationRequested && translator is StreamTranslator stream)
            {
                await Tell(stream.TakeRest()).ConfigureAwait(false);
                throw;
            }
        }
        catch (Exception error)
        {
            failure = error;
        }
        finally
        {
            translator.Dispose();
            // Whoever waits to push learns of it, and no block that nobody will take is added to.
            work.Writer.TryComplete(failure);
            while (work.Reader.TryRead(out Work? left))
                left.Take();
            events.TryComplete(failure);
        }

        async Task Tell(IReadOnlyList<StreamEvent> happened)
        {
            foreach (StreamEvent one in happened)
                await events.WriteAsync(one with { WallSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds }, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Samples that wait, to which more are added until they are taken; or what is seen from now on.</summary>
    private sealed class Work
    {
        private readonly List<float> _samples = [];
        private readonly Lock _lock = new();
        private bool _taken;

        internal bool Shows { get; init; }

        internal RgbImage? Image { get; init; }

        /// <summary>Adds as many as there is room for, and tells how many.</summary>
        internal int Add(ReadOnlySpan<float> samples)
        {
            lock (_lock)
            {
                int count = _taken || Shows ? 0 : Math.Min(samples.Length, BlockSamples - _samples.Count);
                _samples.AddRange(samples[..count]);
                return count;
            }
        }

        internal ReadOnlySpan<float> Take()
        {
            lock (_lock)
                _taken = true;
            return CollectionsMarshal.AsSpan(_samples);
        }
    }
}
