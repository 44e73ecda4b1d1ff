using FsCheck.Fluent;

namespace OmniFusion.Tensors.Tests;

public class AttentionTests
{
    // As wide as the processor allows, and narrow, on one thread and on two.
    private static readonly CpuKernels[] s_kernels =
        [new(1), new(1) { WideAttention = false }, new(2), new(2) { WideAttention = false }];

    private static readonly int[] s_dims = [1, 3, 8, 12, 16, 24, 32, 48, 64, 72, 80, 100, 128];

    [Fact]
    public void Random_shapes_agree_with_double_precision() => ForRandomCases(40, @case =>
    {
        double[] y = @case.Reference.Forward(@case.Q, @case.K, @case.V);
        double[] logSumExp = @case.Reference.LogSumExp(@case.Q, @case.K);
        foreach (CpuKernels kernels in s_kernels)
        {
            (Tensor mine, Tensor mineLog) = @case.Forward(kernels);
            Close(y, mine, 2e-5);
            Close(logSumExp, mineLog, 2e-5);
        }
    });

    [Fact]
    public void Gradients_of_random_shapes_agree_with_double_precision() => ForRandomCases(40, @case =>
    {
        (double[] dq, double[] dk, double[] dv) = @case.Reference.Gradient(@case.Q, @case.K, @case.V, @case.Dy);
        foreach (CpuKernels kernels in s_kernels)
        {
            (Tensor mineQ, Tensor mineK, Tensor mineV) = @case.Backward(kernels);
            Close(dq, mineQ, 1e-4);
            Close(dk, mineK, 1e-4);
            Close(dv, mineV, 1e-4);
        }
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_gradient_is_that_of_the_forward_pass(bool causal)
    {
        Case @case = new(new Random(5), new AttentionShape(new Segments(5, 1, 7), 4, 2, causal, 0.4f), 6, 1);
        (Tensor dq, Tensor dk, Tensor dv) = @case.Backward(s_kernels[0]);
        foreach ((double[] x, Tensor grad) in new[] { (@case.Q, dq), (@case.K, dk), (@case.V, dv) })
        {
            double[] numeric = new double[x.Length];
            for (int i = 0; i < x.Length; i++)
            {
                double kept = x[i];
                x[i] = kept + 1e-5;
                double more = Loss();
                x[i] = kept - 1e-5;
                numeric[i] = (more - Loss()) / 2e-5;
                x[i] = kept;
            }
            Close(numeric, grad, 1e-4);
        }

        double Loss() => @case.Reference.Forward(@case.Q, @case.K, @case.V).Zip(@case.Dy, (a, b) => a * b).Sum();
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, 3)]
    public void Long_segments_agree_with_double_precision(bool causal, int kvHeads)
    {
        // Several pieces of queries and several blocks of keys.
        Case @case = new(new Random(7), new AttentionShape(new Segments(301, 97), 3, kvHeads, causal, 0.25f), 16, 1);
        double[] y = @case.Reference.Forward(@case.Q, @case.K, @case.V);
        (double[] dq, double[] dk, double[] dv) = @case.Reference.Gradient(@case.Q, @case.K, @case.V, @case.Dy);
        foreach (CpuKernels kernels in s_kernels)
        {
            Close(y, @case.Forward(kernels).Y, 2e-5);
            (Tensor mineQ, Tensor mineK, Tensor mineV) = @case.Backward(kernels);
            Close(dq, mineQ, 1e-4);
            Close(dk, mineK, 1e-4);
            Close(dv, mineV, 1e-4);
        }
    }

    [Fact]
    public void Scores_of_any_size_are_stable()
    {
        foreach (double size in new[] { 1e-20, 30, 1e4 })
        {
            Case @case = new(new Random(3), new AttentionShape(new Segments(40), 2, 1, true, 1f), 8, size);
            foreach (CpuKernels kernels in s_kernels)
            {
                (Tensor y, Tensor logSumExp) = @case.Forward(kernels);
                Assert.All(y.Span.ToArray(), x => Assert.True(float.IsFinite(x)));
                Assert.All(logSumExp.Span.ToArray(), x => Assert.True(float.IsFinite(x)));
                (Tensor dq, Tensor dk, Tensor dv) = @case.Backward(kernels);
                Assert.All(dq.Span.ToArray().Concat(dk.Span.ToArray()).Concat(dv.Span.ToArray()), x => Assert.True(float.IsFinite(x)));
                if (size < 100)
                    Close(@case.Reference.Forward(@case.Q, @case.K, @case.V), y, 2e-3);
            }
        }
    }

    [Fact]
    public void A_row_alone_gets_its_own_value()
    {
        Case @case = new(new Random(2), new AttentionShape(new Segments(1, 1, 1), 2, 2, false, 1f), 4, 1);
        Assert.Equal(@case.V.Select(x => (float)x), @case.Forward(s_kernels[0]).Y.Span.ToArray());
    }

    [Fact]
    public void No_segment_leaks_into_another()
    {
        Case @case = new(new Random(4), new AttentionShape(new Segments(20, 33), 2, 1, false, 0.3f), 24, 1);
        float[] before = @case.Forward(s_kernels[0]).Y.Span[..(20 * 48)].ToArray();
        for (int i = 20 * 24; i < @case.K.Length; i++)
            @case.K[i] = @case.V[i] = double.NaN;
        Assert.Equal(before, @case.Forward(s_kernels[0]).Y.Span[..(20 * 48)].ToArray());
    }

    [Fact]
    public void NaN_is_not_hidden()
    {
        foreach (CpuKernels kernels in s_kernels)
        {
            Case @case = new(new Random(4), new AttentionShape(new Segments(20), 1, 1, true, 0.3f), 8, 1);
            @case.K[10 * 8] = double.NaN;
            float[] y = @case.Forward(kernels).Y.Span.ToArray();
            Assert.All(y[..80], x => Assert.False(float.IsNaN(x)));
            Assert.All(y[80..], x => Assert.True(float.IsNaN(x)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Threads_do_not_change_a_bit(int kvHeads)
    {
        Segments segments = new(kvHeads == 1 ? [260] : [5, 200, 31]);
        Case @case = new(new Random(11), new AttentionShape(segments, 4, kvHeads, true, 0.2f), 32, 1);
        for (int i = 0; i < 2; i++)
        {
            CpuKernels one = s_kernels[i], two = s_kernels[i + 2];
            Assert.Equal(@case.Forward(one).Y.Span.ToArray(), @case.Forward(two).Y.Span.ToArray());
            (Tensor dq, Tensor dk, Tensor dv) = @case.Backward(one);
            (Tensor dq2, Tensor dk2, Tensor dv2) = @case.Backward(two);
            Assert.Equal(dq.Span.ToArray(), dq2.Span.ToArray());
            Assert.Equal(dk.Span.ToArray(), dk2.Span.ToArray());
            Assert.Equal(dv.Span.ToArray(), dv2.Span.ToArray());
        }
    }

    [Fact]
    public void Gradients_are_added_and_those_not_wanted_are_skipped()
    {
        Case @case = new(new Random(12), new AttentionShape(new Segments(17, 3), 2, 2, true, 0.2f), 8, 1);
        (Tensor dq, Tensor dk, Tensor dv) = @case.Backward(s_kernels[0]);
        (Tensor y, Tensor logSumExp) = @case.Forward(s_kernels[0]);
        foreach (int wanted in new[] { 0, 1, 2 })
        {
            Tensor grad = Tensor.Zeros(dq.Shape);
            grad.Span.Fill(1);
            Tensor q = Floats(@case.Q, dq.Shape), k = Floats(@case.K, dk.Shape), v = Floats(@case.V, dv.Shape);
            Tensor dy = Floats(@case.Dy, dq.Shape);
            s_kernels[0].AttentionGrad(q, k, v, @case.Shape, y, logSumExp, dy, wanted == 0 ? grad : null, wanted == 1 ? grad : null,
                wanted == 2 ? grad : null);
            Tensor expected = wanted == 0 ? dq : wanted == 1 ? dk : dv;
            Assert.Equal(expected.Span.ToArray().Select(x => x + 1), grad.Span.ToArray());
        }
    }

    [Fact]
    public void Empty_segments_and_an_empty_batch_do_nothing()
    {
        Case @case = new(new Random(12), new AttentionShape(new Segments(0, 3, 0), 2, 2, true, 0.2f), 8, 1);
        Close(@case.Reference.Forward(@case.Q, @case.K, @case.V), @case.Forward(s_kernels[2]).Y, 1e-5);
        Case none = new(new Random(12), new AttentionShape(new Segments(0), 2, 2, true, 0.2f), 8, 1);
        Assert.Equal(0, none.Forward(s_kernels[2]).Y.Count);
    }

    [Fact]
    public void A_warm_call_allocates_nothing()
    {
        Case @case = new(new Random(1), new AttentionShape(new Segments(50, 20), 4, 2, true, 0.2f), 16, 1);
        Shape rows = new(70, 64), kvRows = new(70, 32);
        Tensor q = Floats(@case.Q, rows), k = Floats(@case.K, kvRows), v = Floats(@case.V, kvRows), dy = Floats(@case.Dy, rows);
        Tensor y = Tensor.Zeros(rows), logSumExp = Tensor.Zeros(new Shape(70, 4)), dq = Tensor.Zeros(rows), dk = Tensor.Zeros(kvRows);
        CpuKernels kernels = s_kernels[0];
        Assert.Equal(0, Allocations.OfWarmCall(() =>
        {
            kernels.Attention(q, k, v, @case.Shape, y, logSumExp);
            kernels.AttentionGrad(q, k, v, @case.Shape, y, logSumExp, dy, dq, dk, null);
        }));
    }

    private static void ForRandomCases(int count, Action<Case> check)
    {
        FsCheck.Config config = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(count);
        FsCheck.Check.One(config, Prop.ForAll<int>(seed =>
        {
            Random random = new(seed);
            int kvHeads = random.Next(1, 4), group = random.Next(1, 5);
            int[] lengths = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(4) == 0 ? 1 : random.Next(1, 70))];
            int dim = s_dims[random.Next(s_dims.Length)];
            AttentionShape shape = new(new Segments(lengths), kvHeads * group, kvHeads, random.Next(2) == 0, 1 / MathF.Sqrt(dim));
            check(new Case(random, shape, dim, 1));
        }));
    }

    internal static Tensor Floats(double[] values, Shape shape) => Tensor.From([.. values.Select(x => (float)x)], shape);

    internal static void Close(double[] expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(expected[i] - actual.Span[i]);
            Assert.True(error <= tolerance * (1 + Math.Abs(expected[i])), $"element {i}: {actual.Span[i]} instead of {expected[i]}");
        }
    }

    internal sealed class Case
    {
        private readonly int _dim;

        internal Case(Random random, in AttentionShape shape, int dim, double size)
        {
            (Shape, _dim, Reference) = (shape, dim, new AttentionReference(shape, dim));
            int rows = shape.Segments.Rows;
            // Single precision from the start, so that only the arithmetic differs.
            double[] Draw(int heads) =>
                [.. Enumerable.Range(0, rows * heads * dim).Select(_ => (double)(float)(size * (random.NextDouble() * 4 - 2)))];
            (Q, K, V, Dy) = (Draw(shape.Heads), Draw(shape.KvHeads), Draw(shape.KvHeads), Draw(shape.Heads));
        }

        internal AttentionShape Shape { get; }

        internal AttentionReference Reference { get; }

        internal double[] Q { get; }

        internal double[] K { get; }

        internal double[] V { get; }

        internal double[] Dy { get; }

        internal (Tensor Y, Tensor LogSumExp) Forward(CpuKernels kernels)
        {
            Shape rows = new(Shape.Segments.Rows, Shape.Heads * _dim), kvRows = new(Shape.Segments.Rows, Shape.KvHeads * _dim);
            Tensor y = Tensor.Zeros(rows), logSumExp = Tensor.Zeros(new Shape(Shape.Segments.Rows, Shape.Heads));
            kernels.Attention(Floats(Q, rows), Floats(K, kvRows), Floats(V, kvRows), Shape, y, logSumExp);
            return (y, logSumExp);
        }

        internal (Tensor Dq, Tensor Dk, Tensor Dv) Backward(CpuKernels kernels)
        {
            Shape rows = new(Shape.Segments.Rows, Shape.Heads * _dim), kvRows = new(Shape.Segments.Rows, Shape.KvHeads * _dim);
            (Tensor y, Tensor logSumExp) = Forward(kernels);
            Tensor dq = Tensor.Zeros(rows), dk = Tensor.Zeros(kvRows), dv = Tensor.Zeros(kvRows);
            kernels.AttentionGrad(Floats(Q, rows), Floats(K, kvRows), Floats(V, kvRows), Shape, y, logSumExp, Floats(Dy, rows), dq, dk, dv);
            return (dq, dk, dv);
        }
    }
}
