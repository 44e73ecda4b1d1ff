namespace OmniFusion.Tensors;

/// <summary>The kernels of a plain processor: AVX-512, AVX2 or portable vectors, whichever it has, on a pool of threads.</summary>
public sealed partial class CpuKernels : IKernels
{
    /// <summary>Threads at most: they live as long as the process, and no machine has so many cores.</summary>
    public const int MostThreads = 1024;

    /// <summary>Computes on <paramref name="threads"/> threads, the calling one among them, but on at most <see cref="MostThreads"/>.</summary>
    public CpuKernels(int threads) => Pool = WorkerPool.OfSize(Math.Min(threads, MostThreads));

    /// <summary>Kernels on all cores.</summary>
    public static CpuKernels Default { get; } = new(Environment.ProcessorCount);

    internal WorkerPool Pool { get; }

    // Kernels hold bare addresses. Without this, memory of a tensor that its caller no longer needs could be freed while they run.
    private static void KeepAlive(Tensor? a, Tensor? b = null, Tensor? c = null, Tensor? d = null, Tensor? e = null)
    {
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
        GC.KeepAlive(d);
        GC.KeepAlive(e);
    }
}
