using System.Diagnostics;
using OmniFusion.Tensors;

namespace OmniFusion.Benchmarks;

/// <summary>
/// Speed of the matrix products as a share of what the machine can do. The peak is measured again just before and after each shape and the
/// larger one counts, since other programs may be using the machine; figures are medians.
/// </summary>
internal static class GemmBench
{
    private static readonly (int M, int N, int K)[] s_shapes =
    [
        (1024, 1024, 1024),
        (40, 192, 192), (40, 768, 256), (40, 1152, 288), (40, 1024, 1024), (40, 3584, 1024), (40, 3584, 3584),
        (200, 192, 192), (200, 768, 192), (200, 256, 768), (200, 1152, 288), (200, 1024, 1024), (200, 3584, 3584),
        (1500, 192, 192), (1500, 768, 192), (1500, 192, 768), (1500, 288, 288), (1500, 1152, 288), (1500, 288, 1152), (1500, 1024, 1024),
        (1500, 3000, 256), (1500, 6000, 288), (1500, 3584, 3584),
    ];

    // Up to so many rows reading the weights is what takes time.
    private const int MostFew = 12;

    private static readonly (int M, int N, int K)[] s_few =
    [
        (1, 3584, 3584), (1, 18944, 3584), (2, 3584, 3584), (5, 3584, 3584), (5, 18944, 3584), (8, 3584, 3584), (12, 3584, 3584),
        (1, 1152, 288), (5, 1152, 288), (5, 6000, 288),
    ];

    // For a machine that others are using: with "best" the fastest sample counts instead of the median, with "processor" the time that this
    // process was given instead of the time that passed (of use with one thread).
    private static bool s_best, s_processor;

    internal static void Run(string[] args)
    {
        bool quick = args.Contains("quick");
        s_best = args.Contains("best");
        s_processor = args.Contains("processor");
        string? only = args.FirstOrDefault(arg => arg.Contains('x', StringComparison.Ordinal));
        int all = Environment.ProcessorCount;
        int[] threadCounts = all == 1 ? [1] : quick ? [1] : [1, all];
        // One shape, which need not be of the list.
        int[]? wanted = only?.Split('x').Select(int.Parse).ToArray();
        IEnumerable<(int M, int N, int K)> Chosen((int M, int N, int K)[] shapes, bool few) =>
            wanted is null ? shapes : (wanted[0] <= MostFew) == few ? [(wanted[0], wanted[1], wanted[2])] : [];
        Console.WriteLine(Machine.Describe());
        foreach (int threads in threadCounts)
        {
            Console.WriteLine($"{threads} thread(s): {Machine.PeakGflops(threads):F0} GFLOP/s in registers, "
                + $"{Machine.ReadGigabytes(threads):F1} GB/s read from memory");
        }
        foreach (int threads in threadCounts)
        {
            Console.WriteLine($"\n{threads} thread(s), share of the multiply-add peak in % (GFLOP/s)");
            Console.WriteLine($"{"M x N x K",-20}" + (quick
                ? $"{"y F32",14}{"dx F32",14}{"dw",14}"
                : $"{"y F32",14}{"y BF16",14}{"y F16",14}{"dx F32",14}{"dx BF16",14}{"dw",14}"));
            foreach ((int m, int n, int k) in Chosen(s_shapes, few: false))
                Console.WriteLine($"{m + " x " + n + " x " + k,-20}" + string.Concat(Products(m, n, k, threads, quick)));
            Console.WriteLine($"\n{threads} thread(s), share of the read bandwidth in % (GB/s of weights)");
            Console.WriteLine($"{"M x N x K",-20}{"y F32",14}{"y BF16",14}{"y F16",14}");
            foreach ((int m, int n, int k) in Chosen(s_few, few: true))
                Console.WriteLine($"{m + " x " + n + " x " + k,-20}" + string.Concat(Few(m, n, k, threads)));
        }
    }

    private static IEnumerable<string> Products(int m, int n, int k, int threads, bool quick)
    {
        CpuKernels kernels = new(threads);
        Tensor x = Random(m, k), w = Random(n, k), bias = Random(1, n).Reshape(new(n)), y = Random(m, n);
        Tensor dx = Random(m, k), dw = Random(n, k), bf16 = w.ToBF16(), f16 = F16(n, k);
        double flops = 2.0 * m * n * k;
        yield return Share(threads, flops, () => kernels.MatMul(x, w, bias, y));
        if (!quick)
        {
            yield return Share(threads, flops, () => kernels.MatMul(x, bf16, bias, y));
            yield return Share(threads, flops, () => kernels.MatMul(x, f16, bias, y));
        }
        yield return Share(threads, flops, () => kernels.MatMulInputGrad(y, w, dx));
        if (!quick)
            yield return Share(threads, flops, () => kernels.MatMulInputGrad(y, bf16, dx));
        yield return Share(threads, flops, () => kernels.MatMulWeightGrad(y, x, dw, null));
    }

    // Weights are used in turn, of copies that no cache holds together.
    private static IEnumerable<string> Few(int m, int n, int k, int threads)
    {
        CpuKernels kernels = new(threads);
        Tensor x = Random(m, k), y = Random(m, n);
        foreach (DType type in (DType[])[DType.F32, DType.BF16, DType.F16])
        {
            long bytes = (long)n * k * type.Size();
            Tensor[] copies = Enumerable.Range(0, (int)Math.Max(1, (160L << 20) / bytes)).Select(_ => Weights(n, k, type)).ToArray();
            int next = 0;
            double before = Machine.ReadGigabytes(threads);
            double seconds = Median(() => kernels.MatMul(x, copies[next++ % copies.Length], null, y));
            double peak = Math.Max(before, Machine.ReadGigabytes(threads)), rate = bytes / seconds / 1e9;
            yield return $"{rate / peak * 100,6:F0} ({rate,5:F1})";
        }
    }

    private static string Share(int threads, double flops, Action action)
    {
        double before = Machine.PeakGflops(threads);
        double seconds = Median(action);
        double peak = Math.Max(before, Machine.PeakGflops(threads)), rate = flops / seconds / 1e9;
        return $"{rate / peak * 100,7:F0} ({rate,4:F0})";
    }

    // At least five samples and 0.25 s, of at least 0.3 ms each.
    private static double Median(Action action)
    {
        for (int i = 0; i < 3; i++)
            action();
        double start = Seconds();
        action();
        int repeats = (int)Math.Clamp(0.0003 / Math.Max(Seconds() - start, 1e-6), 1, 300);
        List<double> samples = [];
        long begin = Stopwatch.GetTimestamp();
        while (samples.Count < 5 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.25)
        {
            start = Seconds();
            for (int i = 0; i < repeats; i++)
                action();
            samples.Add((Seconds() - start) / repeats);
        }
        samples.Sort();
        return s_best ? samples[0] : samples[samples.Count / 2];
    }

    private static double Seconds() =>
        s_processor ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    // Written to, as Machine's memory is; the numbers themselves do not matter.
    private static unsafe Tensor Weights(int rows, int columns, DType type)
    {
        Tensor weights = Tensor.Zeros(new(rows, columns), type);
        new Span<byte>(weights.Data, rows * columns * type.Size()).Fill(1);
        return weights;
    }

    private static unsafe Tensor F16(int rows, int columns)
    {
        Tensor tensor = Tensor.Zeros(new(rows, columns), DType.F16);
        Random random = new(2);
        for (int i = 0; i < rows * columns; i++)
            ((Half*)tensor.Data)[i] = (Half)(random.NextSingle() * 2 - 1);
        return tensor;
    }

    private static Tensor Random(int rows, int columns)
    {
        Tensor tensor = Tensor.Zeros(new(rows, columns));
        Random random = new(1);
        foreach (ref float value in tensor.Span)
            value = random.NextSingle() * 2 - 1;
        return tensor;
    }
}
