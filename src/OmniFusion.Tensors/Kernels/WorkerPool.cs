using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace OmniFusion.Tensors;

/// <summary>
/// Threads that share loops. A loop is cut into parts which idle threads take one after the other; the calling thread works too, so that
/// one thread means no hand-over at all.
/// </summary>
internal sealed unsafe class WorkerPool
{
    // A helper waits this long for the next loop before it sleeps: the operations of a model follow each other within microseconds.
    private static readonly long s_patience = Stopwatch.Frequency * 70 / 1_000_000;

    private static readonly ConcurrentDictionary<int, Lazy<WorkerPool>> s_pools = new();

    private readonly SemaphoreSlim _wake = new(0);
    private readonly int _helpers;

    // 1 while a caller owns the loop below.
    private int _busy;

    // The loop. It is written before _untaken is, and read only by who has taken a part: the owner does not go on to the next loop
    // before that part is done, so what is read belongs to the part that was taken.
    private delegate*<void*, int, void> _body;
    private void* _state;
    private int _parts;
    private Exception? _error;

    // Parts that nobody has taken yet (or less than none, when threads came in vain), and parts that are not done yet.
    private int _untaken, _undone;
    private int _sleeping;

    private WorkerPool(int threads)
    {
        _helpers = threads - 1;
        for (int i = 0; i < _helpers; i++)
            new Thread(Help) { IsBackground = true, Name = $"tensor {i + 1}" }.Start();
    }

    /// <summary>Threads that work on a loop, the caller among them.</summary>
    internal int Threads => _helpers + 1;

    /// <summary>The pool of that size; there is one for each size in the process.</summary>
    internal static WorkerPool OfSize(int threads) =>
        s_pools.GetOrAdd(Math.Max(threads, 1), static count => new Lazy<WorkerPool>(() => new WorkerPool(count))).Value;

    /// <summary>
    /// Calls <paramref name="body"/> with 0 to <paramref name="parts"/> − 1, each once, on all threads, and returns when all are done.
    /// The state is passed through, so that the body can be a static method and nothing is allocated once warm. A loop started while
    /// another one runs (within a body, or by another thread) runs on the calling thread alone. When bodies throw, the first exception
    /// is thrown again here after the loop has ended; parts that had not begun by then are left out.
    /// </summary>
    internal void For(int parts, delegate*<void*, int, void> body, void* state)
    {
        if (parts <= 1 || _helpers == 0 || Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            for (int part = 0; part < parts; part++)
                body(state, part);
            return;
        }
        _body = body;
        _state = state;
        _parts = parts;
        Volatile.Write(ref _undone, parts);
        // A full fence: helpers about to sleep either see the parts or are seen sleeping.
        Interlocked.Exchange(ref _untaken, parts);
        WakeSleepers(parts - 1);
        Work();
        SpinWait spin = default;
        while (Volatile.Read(ref _undone) != 0)
            spin.SpinOnce(sleep1Threshold: -1);
        Exception? error = _error;
        _error = null;
        Volatile.Write(ref _busy, 0);
        if (error is not null)
            ExceptionDispatchInfo.Throw(error);
    }

    private void Work()
    {
        while (Volatile.Read(ref _untaken) > 0)
        {
            int untaken = Interlocked.Decrement(ref _untaken);
            if (untaken < 0)
                return;
            try
            {
                if (Volatile.Read(ref _error) is null)
                    _body(_state, _parts - 1 - untaken);
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref _error, error, null);
            }
            Interlocked.Decrement(ref _undone);
        }
    }

    private void Help()
    {
        while (true)
        {
            long since = Stopwatch.GetTimestamp();
            while (Stopwatch.GetTimestamp() - since < s_patience)
            {
                if (Volatile.Read(ref _untaken) > 0)
                {
                    Work();
                    since = Stopwatch.GetTimestamp();
                }
                Thread.SpinWait(4);
            }
            Interlocked.Increment(ref _sleeping);
            // Work that came meanwhile: stay awake, unless a caller has already counted on waking this thread.
            if (Volatile.Read(ref _untaken) <= 0 || TakeSleepers(1) == 0)
                _wake.Wait();
        }
    }

    private void WakeSleepers(int wanted)
    {
        if (Volatile.Read(ref _sleeping) > 0 && TakeSleepers(wanted) is > 0 and int count)
            _wake.Release(count);
    }

    private int TakeSleepers(int wanted)
    {
        while (true)
        {
            int sleeping = Volatile.Read(ref _sleeping);
            int taken = Math.Min(sleeping, wanted);
            if (taken <= 0)
                return 0;
            if (Interlocked.CompareExchange(ref _sleeping, sleeping - taken, sleeping) == sleeping)
                return taken;
        }
    }
}
