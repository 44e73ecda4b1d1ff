using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OmniFusion.Tensors;

namespace OmniFusion.Benchmarks;

/// <summary>What this machine can do at most: every other figure is given as a share of it.</summary>
internal static unsafe class Machine
{
    private const int FmaRounds = 20_000;
    private const long ReadBytes = 128L << 20;

    private static readonly PinnedBuffer s_memory = Touched(ReadBytes);

    /// <summary>The model, the cores and the vectors, in words.</summary>
    internal static string Describe()
    {
        string model = "unknown processor";
        if (File.Exists("/proc/cpuinfo"))
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
            model = line?.Split(':')[1].Trim() ?? model;
        }
        int bits = CpuKernels.BestGemmPath switch { GemmPath.Avx512 => 512, GemmPath.Avx2 => 256, _ => Vector<byte>.Count * 8 };
        return $"{model}, {Environment.ProcessorCount} cores, {bits}-bit vectors, .NET {Environment.Version}";
    }

    /// <summary>Multiply-adds in registers: floating-point operations a second, in billions.</summary>
    internal static double PeakGflops(int threads)
    {
        double best = 0;
        for (int i = 0; i < 5; i++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int repeat = 0; repeat < 4; repeat++)
                WorkerPool.OfSize(threads).For(threads, &Fma, null);
            double flops = 4.0 * threads * FmaRounds * 24 * 2 * FmaWidth;
            best = Math.Max(best, flops / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }

    /// <summary>
    /// Reading 128 MB, which no cache holds: gigabytes a second. What is next is asked for or left to be foreseen, whichever is faster.
    /// </summary>
    internal static double ReadGigabytes(int threads)
    {
        double best = 0;
        for (int i = 0; i < 10; i++)
        {
            bool fetch = i % 2 == 0;
            long start = Stopwatch.GetTimestamp();
            WorkerPool.OfSize(threads).For(64, &Read, &fetch);
            best = Math.Max(best, ReadBytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }

    /// <summary>
    /// Memory that was written to. What was not is one page of zeros, however large it looks, and is read from a cache.
    /// </summary>
    private static PinnedBuffer Touched(long bytes)
    {
        PinnedBuffer buffer = new(bytes, zeroed: false);
        new Span<byte>(buffer.Pointer, checked((int)bytes)).Fill(1);
        return buffer;
    }

    private static int FmaWidth => CpuKernels.BestGemmPath switch { GemmPath.Avx512 => 16, GemmPath.Avx2 => 8, _ => Vector<float>.Count };

    private static void Fma(void* state, int part)
    {
        switch (CpuKernels.BestGemmPath)
        {
            case GemmPath.Avx512: Fma<Simd512, Vector512<float>>(); break;
            case GemmPath.Avx2: Fma<Simd256, Vector256<float>>(); break;
            default: Fma<SimdPortable, Vector<float>>(); break;
        }
    }

    // 12 independent sums, twice a round: enough to hide the latency of four cycles of two units, few enough for 16 registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fma<TSimd, V>()
        where TSimd : struct, ISimd<V>
        where V : struct
    {
        V x = TSimd.Broadcast(0.999f), y = TSimd.Broadcast(1e-3f);
        V a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (int round = 0; round < 2 * FmaRounds; round++)
        {
            a = TSimd.MultiplyAdd(a, x, y);
            b = TSimd.MultiplyAdd(b, x, y);
            c = TSimd.MultiplyAdd(c, x, y);
            d = TSimd.MultiplyAdd(d, x, y);
            e = TSimd.MultiplyAdd(e, x, y);
            f = TSimd.MultiplyAdd(f, x, y);
            g = TSimd.MultiplyAdd(g, x, y);
            h = TSimd.MultiplyAdd(h, x, y);
            i = TSimd.MultiplyAdd(i, x, y);
            j = TSimd.MultiplyAdd(j, x, y);
            k = TSimd.MultiplyAdd(k, x, y);
            l = TSimd.MultiplyAdd(l, x, y);
        }
        V sum = TSimd.Add(TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)), TSimd.Add(TSimd.Add(e, f), TSimd.Add(g, h)));
        float* numbers = stackalloc float[Vector512<float>.Count];
        TSimd.Store(TSimd.Add(sum, TSimd.Add(TSimd.Add(i, j), TSimd.Add(k, l))), numbers);
        GC.KeepAlive(numbers[0] == 0.5f ? s_memory : null);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Read(void* state, int part)
    {
        bool fetch = *(bool*)state;
        long count = ReadBytes / 64 / sizeof(float);
        float* from = (float*)s_memory.Pointer + part * count;
        Vector512<float> a = default, b = default, c = default, d = default;
        for (long i = 0; i < count; i += 64)
        {
            for (int line = 0; fetch && line < 64; line += 16)
                Cache.Fetch(from + i + line + 1024);
            a += Vector512.Load(from + i);
            b += Vector512.Load(from + i + 16);
            c += Vector512.Load(from + i + 32);
            d += Vector512.Load(from + i + 48);
        }
        GC.KeepAlive(Vector512.Sum(a + b + c + d) == 0.5f ? s_memory : null);
    }
}
