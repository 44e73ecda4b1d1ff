using System.Diagnostics;
using OmniFusion.Tensors;

namespace OmniFusion.Benchmarks;

/// <summary>
/// Speed of attention and its gradient as a share of the multiply-add peak, and of attention over a cache as a share of the read bandwidth.
/// Under a causal mask half of the products count. The peak is measured before and after each shape and the larger one counts.
/// </summary>
internal static class AttentionBench
{
    private static readonly (string Name, int[] Lengths, int Heads, int KvHeads, int Dim, bool Causal)[] s_shapes =
    [
        ("causal 1500", [1500], 4, 4, 64, true),
        ("causal 1500", [1500], 4, 4, 128, true),
        ("causal 1500, 7 share", [1500], 7, 1, 128, true),
        ("causal 1500", [1500], 4, 4, 48, true),
        ("causal 1500", [1500], 4, 4, 24, true),
        ("full 1500", [1500], 4, 4, 64, false),
        ("15 chunks of 100", Equal(15, 100), 4, 4, 64, false),
        ("15 chunks of 100", Equal(15, 100), 4, 4, 32, false),
        ("40 windows of 64", Equal(40, 64), 4, 4, 80, false),
        ("80 windows of 16", Equal(80, 16), 4, 4, 80, false),
        ("32 items of 20 to 120", Mixed(32), 4, 4, 64, true),
        ("32 items of 20 to 120", Mixed(32), 6, 2, 48, true),
        ("32 items of 20 to 120", Mixed(32), 8, 8, 24, true),
        ("4 items of 70", Equal(4, 70), 4, 4, 64, true),
        ("32 items of 20", Equal(32, 20), 4, 4, 48, true),
    ];

    private static readonly (string Name, int Items, int Beams, int Run, int Heads, int KvHeads, int Dim)[] s_cached =
    [
        ("5 beams", 1, 5, 1000, 32, 32, 128), ("1 beam", 1, 1, 1000, 32, 32, 128), ("5 beams, 7 share", 1, 5, 1000, 28, 4, 128),
        ("12 items, 5 beams", 12, 5, 300, 12, 12, 64), ("4 beams, small", 1, 4, 150, 6, 2, 48),
    ];

    internal static void Run(string[] args)
    {
        bool quick = args.Contains("quick");
        string wanted = args.FirstOrDefault(arg => arg != "quick") ?? "";
        Console.WriteLine(Machine.Describe());
        foreach (int threads in quick ? [1] : (int[])[1, Environment.ProcessorCount])
        {
            Console.WriteLine($"\n{threads} thread(s), share of the multiply-add peak in % (GFLOP/s)");
            Console.WriteLine($"{"rows",-24}{"heads",8}{"dim",6}{"forward",16}{"backward",16}");
            foreach ((string name, int[] lengths, int heads, int kvHeads, int dim, bool causal) in s_shapes)
            {
                if (!name.Contains(wanted, StringComparison.Ordinal))
                    continue;
                Console.WriteLine($"{name,-24}{heads + "/" + kvHeads,8}{dim,6}"
                    + Plain(threads, new AttentionShape(new Segments(lengths), heads, kvHeads, causal, 1 / MathF.Sqrt(dim)), dim));
            }
            Console.WriteLine($"\n{threads} thread(s), over a cache and 20 rows of history, share of the read bandwidth in % (GB/s)");
            foreach ((string name, int items, int beams, int run, int heads, int kvHeads, int dim) in s_cached)
            {
                if (name.Contains(wanted, StringComparison.Ordinal))
                {
                    string figures = Cached(threads, items, beams, run, heads, kvHeads, dim);
                    Console.WriteLine($"{name,-24}{heads + "/" + kvHeads,8}{dim,6}{figures}");
                }
            }
        }
    }

    private static string Plain(int threads, AttentionShape shape, int dim)
    {
        CpuKernels kernels = new(threads);
        int rows = shape.Segments.Rows;
        Tensor q = Random(rows, shape.Heads * dim), k = Random(rows, shape.KvHeads * dim), v = Random(rows, shape.KvHeads * dim);
        Tensor y = Tensor.Zeros(q.Shape), logSumExp = Tensor.Zeros(new Shape(rows, shape.Heads)), dy = Random(rows, shape.Heads * dim);
        Tensor dq = Tensor.Zeros(q.Shape), dk = Tensor.Zeros(k.Shape), dv = Tensor.Zeros(v.Shape);
        double pairs = 0;
        for (int i = 0; i < shape.Segments.Count; i++)
        {
            double length = shape.Segments.Length(i);
            pairs += shape.Causal ? length * (length + 1) / 2 : length * length;
        }
        double flops = 2 * pairs * dim * shape.Heads;
        return Share(threads, 2 * flops, () => kernels.Attention(q, k, v, shape, y, logSumExp))
            + Share(threads, 5 * flops, () => kernels.AttentionGrad(q, k, v, shape, y, logSumExp, dy, dq, dk, dv));
    }

    // Caches are used in turn, of copies that the processor's own caches do not hold together.
    private static string Cached(int threads, int items, int beams, int run, int heads, int kvHeads, int dim)
    {
        CpuKernels kernels = new(threads);
        int rows = items * beams, capacity = items * run + rows * 20;
        long bytes = 2L * capacity * kvHeads * dim * sizeof(float);
        Tensor[] caches = [.. Enumerable.Range(0, 2 * (int)Math.Max(1, (100L << 20) / bytes)).Select(_ => Random(capacity, kvHeads * dim))];
        Tensor q = Random(rows, heads * dim), y = Tensor.Zeros(q.Shape);
        CacheRows seen = new();
        for (int row = 0; row < rows; row++)
            seen.Add(row / beams * run, run, [.. Enumerable.Range(0, 20).Select(i => items * run + row * 20 + i)]);
        int next = 0;
        double before = Machine.ReadGigabytes(threads);
        double seconds = Seconds(threads, () =>
        {
            kernels.CachedAttention(q, caches[next], caches[next + 1], seen, heads, kvHeads, 0.1f, y);
            next = (next + 2) % caches.Length;
        });
        double rate = bytes / seconds / 1e9, peak = Math.Max(before, Machine.ReadGigabytes(threads));
        return $"{rate / peak * 100,6:F0} ({rate,5:F1})  {seconds * 1e6,8:F0} us";
    }

    private static string Share(int threads, double flops, Action action)
    {
        double before = Machine.PeakGflops(threads);
        double seconds = Seconds(threads, action);
        double peak = Math.Max(before, Machine.PeakGflops(threads)), rate = flops / seconds / 1e9;
        return $"{rate / peak * 100,8:F1} ({rate,5:F0})";
    }

    // The best of some batches, of one thread in processor time: other programs may be using the machine.
    private static double Seconds(int threads, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 60 && (i < 4 || Stopwatch.GetElapsedTime(start).TotalSeconds < 0.15); i++)
            action();
        double best = double.MaxValue;
        for (int batch = 0; batch < 8; batch++)
        {
            int calls = 0;
            TimeSpan busy = Environment.CpuUsage.TotalTime;
            start = Stopwatch.GetTimestamp();
            do
            {
                action();
                calls++;
            }
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < 0.04);
            double seconds = (threads == 1 ? Environment.CpuUsage.TotalTime - busy : Stopwatch.GetElapsedTime(start)).TotalSeconds;
            best = Math.Min(best, seconds / calls);
        }
        return best;
    }

    private static Tensor Random(int rows, int columns)
    {
        Random random = new(rows + columns);
        Tensor tensor = Tensor.Zeros(new Shape(rows, columns));
        foreach (ref float x in tensor.Span)
            x = random.NextSingle() * 2 - 1;
        return tensor;
    }

    private static int[] Equal(int count, int length) => [.. Enumerable.Repeat(length, count)];

    private static int[] Mixed(int count) => [.. Enumerable.Range(0, count).Select(i => 20 + i * 37 % 101)];
}
