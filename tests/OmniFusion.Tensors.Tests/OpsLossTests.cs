namespace OmniFusion.Tensors.Tests;

/// <summary>Losses and the optimiser against plain double-precision computations.</summary>
public class OpsLossTests
{
    [Theory]
    [InlineData(1, 0f)]
    [InlineData(17, 0.1f)]
    [InlineData(701, 0f)]
    [InlineData(701, 0.2f)]
    public void Cross_entropy_with_label_smoothing(int classes, float smoothing)
    {
        Random random = new(classes);
        Tensor logits = Random(random, new Shape(6, classes), 20);
        int[] targets = [0, classes - 1, -1, classes / 2, -100, classes / 3];
        double total = 0;
        int counted = 0;
        double[] own = new double[targets.Length];
        for (int row = 0; row < targets.Length; row++)
        {
            if (targets[row] < 0)
                continue;
            double[] logP = LogSoftmax(logits.Row(row));
            own[row] = -logP[targets[row]];
            total -= (1 - smoothing) * logP[targets[row]] + smoothing * logP.Average();
            counted++;
        }
        Assert.Equal(total / counted, new Compute().CrossEntropy(logits, targets, smoothing).Span[0], 1e-4);
        Assert.Equal(total / counted, new Compute().CrossEntropy(logits, targets, smoothing, out Tensor rows).Span[0], 1e-4);
        Assert.All(own.Zip(rows.Span.ToArray()), row => Assert.Equal(row.First, row.Second, 1e-4));
    }

    [Fact]
    public void Cross_entropy_of_no_targets_is_zero() =>
        Assert.Equal(0, new Compute().CrossEntropy(Tensor.Zeros(new Shape(2, 3)), new[] { -1, -1 }).Span[0]);

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(701)]
    public void Distillation_is_cross_entropy_with_the_teachers_distribution(int classes)
    {
        Random random = new(classes);
        Tensor logits = Random(random, new Shape(6, classes), 20), teacher = Random(random, new Shape(6, classes), 5);
        double total = 0;
        for (int row = 0; row < 6; row++)
            total -= LogSoftmax(teacher.Row(row)).Zip(LogSoftmax(logits.Row(row)), (q, p) => Math.Exp(q) * p).Sum();
        Assert.Equal(total / 6, new Compute().Distil(logits, teacher).Span[0], 1e-4);
    }

    [Fact]
    public void Distillation_wants_logits_of_one_shape() =>
        Assert.Throws<ArgumentException>(() => new Compute().Distil(Tensor.Zeros(new Shape(2, 3)), Tensor.Zeros(new Shape(2, 4))));

    [Theory]
    [InlineData(5, new[] { 1, 2 })]
    [InlineData(5, new[] { 1, 1 })]
    [InlineData(3, new[] { 1, 1 })]
    [InlineData(4, new[] { 2, 1, 2 })]
    [InlineData(6, new int[0])]
    [InlineData(1, new[] { 2 })]
    public void Ctc_sums_over_all_paths(int frames, int[] target)
    {
        Tensor logits = Random(new Random(frames), new Shape(frames, 3), 2);
        double p = 0;
        for (int path = 0; path < (int)Math.Pow(3, frames); path++)
        {
            int[] symbols = [.. Enumerable.Range(0, frames).Select(t => path / (int)Math.Pow(3, t) % 3)];
            int[] spelled = [.. symbols.Where((symbol, t) => symbol != 0 && (t == 0 || symbols[t - 1] != symbol))];
            if (spelled.SequenceEqual(target))
                p += Math.Exp(symbols.Select((symbol, t) => LogSoftmax(logits.Row(t))[symbol]).Sum());
        }
        double loss = new Compute().Ctc(logits, new Segments(frames), [target], blank: 0).Span[0];
        Assert.Equal(-Math.Log(p) / Math.Max(target.Length, 1), loss, 1e-5);
    }

    [Fact]
    public void Ctc_leaves_out_a_target_that_does_not_fit()
    {
        Tensor logits = Random(new Random(1), new Shape(7, 3), 1).RequireGrad();
        Compute c = new() { Tape = new Tape() };
        Tensor loss = c.Ctc(logits, new Segments(2, 0, 5), [[1, 1], [2], [1, 2]], blank: 0);
        c.Backward(loss);
        Tensor fitting = Tensor.From(logits.Span[6..], new Shape(5, 3));
        // Its symbols still count in the divisor: 5 of them, 2 of the one that fits.
        Assert.Equal(new Compute().Ctc(fitting, new Segments(5), [[1, 2]], 0).Span[0] * 2 / 5, loss.Span[0], 1e-5f);
        Assert.All(logits.Grad!.Span[..6].ToArray(), g => Assert.Equal(0, g));
        Assert.Contains(logits.Grad.Span[6..].ToArray(), g => g != 0);
    }

    [Fact]
    public void AdamW_steps_as_published()
    {
        AdamWOptions options = new(0.01f, 0.9f, 0.98f, 1e-8f, 0.05f);
        Random random = new(2);
        Tensor weight = Random(random, new Shape(19), 1), first = Tensor.Zeros(weight.Shape), second = Tensor.Zeros(weight.Shape);
        double[] w = [.. weight.Span.ToArray().Select(v => (double)v)], m = new double[19], v = new double[19];
        for (int step = 1; step <= 5; step++)
        {
            Tensor gradient = Random(random, weight.Shape, 1);
            CpuKernels.Default.AdamW(weight, gradient, first, second, step, options, 0.5f);
            for (int i = 0; i < w.Length; i++)
            {
                double g = gradient.Span[i] * 0.5;
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.98 * v[i] + 0.02 * g * g;
                w[i] -= 0.01 * 0.05 * w[i];
                w[i] -= 0.01 * (m[i] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.98, step))) + 1e-8);
            }
        }
        for (int i = 0; i < w.Length; i++)
            Assert.Equal(w[i], weight.Span[i], 1e-5);
    }

    [Fact]
    public void The_sum_of_squares_is_that_of_all_elements()
    {
        Tensor x = Random(new Random(3), new Shape(5001), 1);
        Assert.Equal(x.Span.ToArray().Sum(v => (double)v * v), CpuKernels.Default.SumOfSquares(x), 1e-3);
    }

    private static double[] LogSoftmax(ReadOnlySpan<float> logits)
    {
        double[] x = [.. logits.ToArray().Select(v => (double)v)];
        double lse = x.Max() + Math.Log(x.Sum(v => Math.Exp(v - x.Max())));
        return [.. x.Select(v => v - lse)];
    }

    private static Tensor Random(Random random, Shape shape, float range)
    {
        Tensor tensor = Tensor.Zeros(shape);
        foreach (ref float value in tensor.Span)
            value = range * (2 * random.NextSingle() - 1);
        return tensor;
    }
}
