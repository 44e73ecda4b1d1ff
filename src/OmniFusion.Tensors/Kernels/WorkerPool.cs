using System.Collections.Concurrent;

namespace OmniFusion.Tensors;

/// <summary>
/// Threads that share loops. A loop is cut into parts which idle threads take one after the other; the calling thread works too, so that
/// one thread means no hand-over at all.
/// </summary>
internal sealed class WorkerPool
{
    // A helper waits this many turns for the next loop before it sleeps: the operations of a model follow each other within microseconds.
    private const int SpinTurns = 2000;

    private static readonly ConcurrentDictionary<int, WorkerPool> s_pools = new();

    private readonly Lock _callers = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly int _helpers;
    private volatile Job? _job;
    private int _sleeping;

    private WorkerPool(int threads)
    {
        _helpers = Math.Max(threads, 1) - 1;
        for (int i = 0; i < _helpers; i++)
            new Thread(Help) { IsBackground = true, Name = $"tensor {i + 1}" }.Start();
    }

    /// <summary>Threads that work on a loop, the caller among them.</summary>
    internal int Threads => _helpers + 1;

    /// <summary>The pool of that size; there is one for each size in the process.</summary>
    internal static WorkerPool OfSize(int threads) => s_pools.GetOrAdd(Math.Max(threads, 1), count => new WorkerPool(count));

    /// <summary>
    /// Calls <paramref name="body"/> with 0 to <paramref name="parts"/> − 1, each once, on all threads, and returns when all are done.
    /// The state is passed through, so that the body can be a static method and nothing is allocated once warm.
    /// </summary>
    internal unsafe void For(int parts, delegate*<void*, int, void> body, void* state)
    {
        if (parts <= 1 || _helpers == 0)
        {
            for (int part = 0; part < parts; part++)
                body(state, part);
            return;
        }
        // Two callers take turns: each loop wants all cores anyway.
        lock (_callers)
        {
            Job job = _reusable;
            job.Prepare(parts, body, state, _helpers);
            _job = job;
            if (Volatile.Read(ref _sleeping) > 0)
                _wake.Release(Volatile.Read(ref _sleeping));
            job.Work();
            SpinWait spin = default;
            while (!job.Finished)
                spin.SpinOnce(sleep1Threshold: -1);
            _job = null;
        }
    }

    private readonly Job _reusable = new();

    private void Help()
    {
        long seen = 0;
        while (true)
        {
            for (int turn = 0; ; turn++)
            {
                if (_job is { } job && job.TryEnter(ref seen))
                {
                    job.Work();
                    job.Leave();
                    turn = 0;
                }
                else if (turn < SpinTurns)
                {
                    Thread.SpinWait(20);
                }
                else
                {
                    break;
                }
            }
            Interlocked.Increment(ref _sleeping);
            if (_job is null)
                _wake.Wait();
            Interlocked.Decrement(ref _sleeping);
        }
    }

    private sealed unsafe class Job
    {
        private delegate*<void*, int, void> _body;
        private void* _state;
        private int _parts, _next, _done, _inside;
        private long _generation;

        internal bool Finished => Volatile.Read(ref _done) == _parts && Volatile.Read(ref _inside) == 0;

        internal void Prepare(int parts, delegate*<void*, int, void> body, void* state, int helpers)
        {
            _body = body;
            _state = state;
            _parts = parts;
            _done = 0;
            _next = 0;
            Interlocked.Increment(ref _generation);
        }

        internal bool TryEnter(ref long seen)
        {
            long generation = Volatile.Read(ref _generation);
            if (generation == seen || Volatile.Read(ref _next) >= _parts)
                return false;
            Interlocked.Increment(ref _inside);
            seen = generation;
            return true;
        }

        internal void Leave() => Interlocked.Decrement(ref _inside);

        internal void Work()
        {
            int part;
            while ((part = Interlocked.Increment(ref _next) - 1) < _parts)
            {
                _body(_state, part);
                Interlocked.Increment(ref _done);
            }
        }
    }
}
