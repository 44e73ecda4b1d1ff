using System.Runtime.InteropServices;

namespace OmniFusion.Tensors.Tests;

public unsafe class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void EveryPartIsComputedOnce(int threads)
    {
        WorkerPool pool = WorkerPool.OfSize(threads);
        int* counts = stackalloc int[64];
        for (int round = 0; round < 20_000; round++)
        {
            int parts = round % 61;
            new Span<int>(counts, 64).Clear();
            pool.For(parts, &Count, counts);
            for (int part = 0; part < 64; part++)
                if (counts[part] != (part < parts ? 1 : 0))
                    Assert.Fail($"part {part} of {parts} was computed {counts[part]} times in round {round}");
        }
    }

    [Fact]
    public void SleepingThreadsWakeUp()
    {
        WorkerPool pool = WorkerPool.OfSize(3);
        int* counts = stackalloc int[64];
        new Span<int>(counts, 64).Clear();
        for (int round = 1; round <= 60; round++)
        {
            pool.For(64, &Count, counts);
            for (int part = 0; part < 64; part++)
                Assert.Equal(round, counts[part]);
            Thread.Sleep(round % 3);
        }
    }

    [Fact]
    public void CallersOfSeveralThreadsDoNotDisturbEachOther()
    {
        WorkerPool pool = WorkerPool.OfSize(3);
        int wrong = 0;
        Thread[] callers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            int* counts = stackalloc int[32];
            for (int round = 0; round < 3000; round++)
            {
                new Span<int>(counts, 32).Clear();
                pool.For(32, &Count, counts);
                for (int part = 0; part < 32; part++)
                    if (counts[part] != 1)
                        Interlocked.Increment(ref wrong);
            }
        })).ToArray();
        foreach (Thread caller in callers)
            caller.Start();
        foreach (Thread caller in callers)
            caller.Join();
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void LoopsWithinLoopsRunToTheirEnd()
    {
        int* counts = stackalloc int[64];
        new Span<int>(counts, 64).Clear();
        for (int round = 1; round <= 500; round++)
        {
            WorkerPool.OfSize(3).For(8, &Nested, counts);
            for (int part = 0; part < 64; part++)
                Assert.Equal(8 * round, counts[part]);
        }
    }

    [Fact]
    public void AnExceptionOfABodyReachesTheCaller()
    {
        WorkerPool pool = WorkerPool.OfSize(2);
        int* counts = stackalloc int[64];
        for (int round = 0; round < 300; round++)
        {
            InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => pool.For(32, &Fail, null));
            Assert.StartsWith("part ", error.Message);
            new Span<int>(counts, 64).Clear();
            pool.For(64, &Count, counts);
            for (int part = 0; part < 64; part++)
                Assert.Equal(1, counts[part]);
        }
    }

    [Fact]
    public void WarmLoopsAllocateNothing()
    {
        WorkerPool pool = WorkerPool.OfSize(2);
        int* counts = (int*)NativeMemory.AllocZeroed(64 * sizeof(int));
        Assert.Equal(0, Allocations.OfWarmCall(() => pool.For(64, &Count, counts)));
        NativeMemory.Free(counts);
    }

    private static void Count(void* state, int part) => Interlocked.Increment(ref ((int*)state)[part]);

    private static void Nested(void* state, int part) => WorkerPool.OfSize(3).For(64, &Count, state);

    private static void Fail(void* state, int part)
    {
        if (part is 5 or 6 or 30)
            throw new InvalidOperationException($"part {part}");
    }
}
