namespace OmniFusion.Tensors.Tests;

public class AttentionCachedTests
{
    // As wide as the processor allows, and narrow, on one thread and on two.
    private static readonly CpuKernels[] s_kernels =
        [new(1), new(1) { WideAttention = false }, new(2), new(2) { WideAttention = false }];

    [Theory]
    [InlineData(24, 4, 2)]
    [InlineData(64, 2, 2)]
    [InlineData(16, 6, 1)]
    [InlineData(3, 2, 1)]
    public void Rows_agree_with_plain_causal_attention(int dim, int heads, int kvHeads)
    {
        // Every row of a causal attention is a query over a run of its own length.
        AttentionTests.Case @case = new(new Random(1), new AttentionShape(new Segments(130), heads, kvHeads, true, 0.3f), dim, 1);
        double[] y = @case.Reference.Forward(@case.Q, @case.K, @case.V);
        CacheRows rows = new();
        for (int i = 0; i < 130; i++)
            rows.Add(0, i + 1);
        foreach (CpuKernels kernels in s_kernels)
            AttentionTests.Close(y, Run(kernels, @case.Q, @case.K, @case.V, rows, heads, kvHeads, dim), 2e-5);
    }

    [Fact]
    public void Beams_with_their_own_histories_agree_with_double_precision()
    {
        Random random = new(6);
        for (int trial = 0; trial < 30; trial++)
        {
            int kvHeads = random.Next(1, 4), heads = kvHeads * random.Next(1, 8), capacity = 300;
            int dim = new[] { 8, 16, 24, 32, 64, 72 }[random.Next(6)];
            CacheRows rows = new();
            List<int[]> seen = [];
            for (int item = 0; item < random.Next(1, 4); item++)
            {
                int start = random.Next(0, 100), length = random.Next(4) == 0 ? 0 : random.Next(0, 150);
                for (int beam = 0; beam < random.Next(1, 8); beam++)
                {
                    int history = random.Next(3) == 0 ? 0 : random.Next(0, 50);
                    int[] extra = [.. Enumerable.Range(0, history).Select(_ => random.Next(250, capacity))];
                    rows.Add(start, length, extra);
                    seen.Add([.. Enumerable.Range(start, length), .. extra]);
                }
            }
            double[] q = Draw(random, seen.Count * heads * dim);
            double[] k = Draw(random, capacity * kvHeads * dim), v = Draw(random, capacity * kvHeads * dim);
            double[] y = new double[q.Length];
            for (int row = 0; row < seen.Count; row++)
            {
                if (seen[row].Length == 0)
                    continue;
                // One query at the end of a sequence that is gathered from the cache.
                AttentionReference one = new(new AttentionShape(new Segments(seen[row].Length), heads, kvHeads, true, 0.3f), dim);
                int stride = heads * dim, kvStride = kvHeads * dim;
                double[] queries = new double[seen[row].Length * stride];
                q.AsSpan(row * stride, stride).CopyTo(queries.AsSpan(queries.Length - stride));
                double[] keys = [.. seen[row].SelectMany(j => k[(j * kvStride)..((j + 1) * kvStride)])];
                double[] values = [.. seen[row].SelectMany(j => v[(j * kvStride)..((j + 1) * kvStride)])];
                one.Forward(queries, keys, values).AsSpan(queries.Length - stride).CopyTo(y.AsSpan(row * stride));
            }
            float[] first = [];
            for (int i = 0; i < s_kernels.Length; i++)
            {
                Tensor mine = Run(s_kernels[i], q, k, v, rows, heads, kvHeads, dim);
                AttentionTests.Close(y, mine, 2e-5);
                if (i is 0)
                    first = mine.Span.ToArray();
                else if (i is 2)
                    Assert.Equal(first, mine.Span.ToArray());
            }
        }
    }

    [Fact]
    public void A_row_that_sees_nothing_gives_zeros()
    {
        CacheRows rows = new();
        rows.Add(0, 0);
        rows.Add(2, 1);
        Random random = new(1);
        double[] v = Draw(random, 4 * 8);
        Tensor y = Run(s_kernels[0], Draw(random, 16), Draw(random, 32), v, rows, 1, 1, 8);
        Assert.All(y.Row(0).ToArray(), x => Assert.Equal(0, x));
        Assert.Equal(v[16..24].Select(x => (float)x), y.Row(1).ToArray());
    }

    [Fact]
    public void A_warm_call_allocates_nothing()
    {
        CacheRows rows = new();
        Random random = new(1);
        Tensor q = AttentionTests.Floats(Draw(random, 64), new Shape(2, 32));
        Tensor k = AttentionTests.Floats(Draw(random, 320), new Shape(20, 16));
        Tensor y = Tensor.Zeros(q.Shape);
        Assert.Equal(0, Allocations.OfWarmCall(() =>
        {
            rows.Clear();
            rows.Add(0, 10, [12, 13]);
            rows.Add(0, 10, [11]);
            s_kernels[0].CachedAttention(q, k, k, rows, 2, 1, 0.3f, y);
        }));
    }

    private static double[] Draw(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (double)(float)(random.NextDouble() * 4 - 2))];

    private static Tensor Run(CpuKernels kernels, double[] q, double[] k, double[] v, CacheRows rows, int heads, int kvHeads, int dim)
    {
        Tensor y = Tensor.Zeros(new Shape(rows.Count, heads * dim));
        Shape cache = new(k.Length / (kvHeads * dim), kvHeads * dim);
        Tensor keys = AttentionTests.Floats(k, cache), values = AttentionTests.Floats(v, cache);
        kernels.CachedAttention(AttentionTests.Floats(q, y.Shape), keys, values, rows, heads, kvHeads, 0.3f, y);
        return y;
    }
}
