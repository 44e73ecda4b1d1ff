namespace OmniFusion.Tensors.Tests;

/// <summary>
/// The gradient of every operation against double-sided differences of a loss that weighs its results at random. Widths are chosen with
/// and without a rest beyond the vectors' 16 numbers.
/// </summary>
public class OpsGradientTests
{
    private readonly Random _random = new(11);

    [Theory]
    [InlineData(5)]
    [InlineData(35)]
    public void Linear(int width) => Check([Rand(4, width), Rand(6, width), Rand(6)], (c, x) => c.Linear(x[0], x[1], x[2]));

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void Gelu(int width) => Check([Rand(3, width)], (c, x) => c.Gelu(x[0]));

    [Theory]
    [InlineData(7)]
    [InlineData(20)]
    public void SwiGlu(int width) => Check([Rand(3, width), Rand(3, width)], (c, x) => c.SwiGlu(x[0], x[1]));

    [Fact]
    public void Add() => Check([Rand(3, 18), Rand(3, 18)], (c, x) => c.Add(x[0], x[1], -0.7f));

    [Fact]
    public void Add_of_a_tensor_to_itself() => Check([Rand(3, 4)], (c, x) => c.Add(x[0], x[0], 0.5f));

    [Theory]
    [InlineData(5)]
    [InlineData(37)]
    public void RmsNorm(int width) => Check([Rand(12, width), Rand(width)], (c, x) => c.RmsNorm(x[0], x[1], 1e-5f));

    [Theory]
    [InlineData(5)]
    [InlineData(37)]
    public void LayerNorm(int width) =>
        Check([Rand(12, width), Rand(width), Rand(width)], (c, x) => c.LayerNorm(x[0], x[1], x[2], 1e-5f));

    [Theory]
    [InlineData(6)]
    [InlineData(40)]
    public void Rotary(int headDim)
    {
        Tensor angles = Rand(3, headDim / 2), cos = Tensor.Zeros(angles.Shape), sin = Tensor.Zeros(angles.Shape);
        for (int i = 0; i < angles.Span.Length; i++)
            (sin.Span[i], cos.Span[i]) = MathF.SinCos(angles.Span[i]);
        // It works in place, so it gets a copy.
        Check([Rand(3, 2 * headDim), Tensor.Zeros(new Shape(3, 2 * headDim))], (c, x) => c.Rotary(c.Add(x[0], x[1]), cos, sin, 2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Attention(bool causal)
    {
        AttentionShape shape = new(new Segments(3, 5, 1), 4, 2, causal, 0.5f);
        Check([Rand(9, 32), Rand(9, 16), Rand(9, 16)], (c, x) => c.Attention(x[0], x[1], x[2], shape));
    }

    [Fact]
    public void Embedding() => Check([Rand(5, 18)], (c, x) => c.Embedding(new[] { 3, -1, 0, 3 }, x[0]));

    [Fact]
    public void Gather() => Check([Rand(5, 18)], (c, x) => c.Gather(x[0], new[] { 4, 4, 0 }));

    [Fact]
    public void Interleave() => Check([Rand(4, 6), Rand(3, 6)],
        (c, x) => c.Interleave(x[0], new[] { 0, 1, -1, 2, 3 }, x[1], new[] { -1, 2, 0, -1, 2 }));

    [Fact]
    public void Reshape_behind_an_operation() =>
        Check([Rand(4, 6)], (c, x) => c.Gelu(c.Reshape(c.Gelu(x[0]), new Shape(2, 12))));

    [Fact]
    public void ConcatColumns() => Check([Rand(3, 5), Rand(3, 17), Rand(3, 2), Rand(3, 4)], (c, x) => c.ConcatColumns(x));

    [Theory]
    [InlineData(3)]
    [InlineData(37)]
    public void Softmax(int columns) => Check([Rand(4, columns)], (c, x) => c.Softmax(x[0]));

    [Fact]
    public void Mix() => Check([Rand(5, 19), Rand(19, 18)], (c, x) => c.Mix(x[0], x[1]));

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void WeightedSum(int weightRows) => Check([Rand(weightRows, 3), Rand(5, 18), Rand(5, 18), Rand(5, 18)],
        (c, x) => c.WeightedSum(x[0], x[1], x[2], x[3]));

    [Fact]
    public void RowDots() => Check([Rand(5, 18), Rand(5, 18), Rand(5, 18)], (c, x) => c.RowDots(x[0], 0.3f, x[1], x[2]));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(2, 0)]
    public void Conv1d(int stride, int padding) => Check([Rand(12, 4), Rand(5, 4, 3), Rand(5)],
        (c, x) => c.Conv1d(x[0], new Segments(7, 5), x[1], x[2], stride, padding, out _));

    [Fact]
    public void MeanPool() => Check([Rand(12, 18)], (c, x) => c.MeanPool(x[0], new Segments(7, 5), 2, out _));

    [Fact]
    public void Dropout()
    {
        // Every run draws the same.
        Check([Rand(6, 19)], (c, x) =>
        {
            c.DropoutRandom = new Random(3);
            return c.Dropout(x[0], 0.4f);
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WhatDropoutTakesHangsOnTheSeedAndThePlaceAlone(int threads)
    {
        const ulong seed = 0x123456789ABCDEF0;
        Tensor x = Numbers.Random(new Random(4), 1, 100_003), y = Tensor.Zeros(x.Shape), sum = Tensor.Zeros(x.Shape);
        x.Span.CopyTo(sum.Span);
        CpuKernels kernels = new(threads);
        kernels.Dropout(x, 0.25f, seed, y);
        kernels.DropoutGrad(x, 0.25f, seed, sum);
        for (int i = 0; i < x.Count; i++)
        {
            // SplitMix64 (Steele, Lea and Flood 2014), whose word i / 4 decides on four elements.
            ulong z = seed + ((ulong)(i / 4) + 1) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            z ^= z >> 31;
            float expected = (ushort)(z >> (i % 4 * 16)) < 16384 ? 0 : x.Span[i] * (1 / 0.75f);
            Assert.Equal(expected, y.Span[i]);
            Assert.Equal(x.Span[i] + expected, sum.Span[i]);
        }
    }

    [Theory]
    [InlineData(7, 0)]
    [InlineData(7, 0.1f)]
    [InlineData(40, 0.1f)]
    public void CrossEntropy(int classes, float smoothing) =>
        Check([Rand(4, classes)], (c, x) => c.CrossEntropy(x[0], new[] { 2, -1, 0, classes - 1 }, smoothing));

    [Theory]
    [InlineData(5)]
    [InlineData(37)]
    public void Distil(int classes)
    {
        Tensor teacher = Rand(4, classes);
        Check([Rand(4, classes)], (c, x) => c.Distil(x[0], teacher));
    }

    [Fact]
    public void Ctc() => Check([Rand(11, 5)], (c, x) => c.Ctc(x[0], new Segments(6, 5), [[1, 1, 3], [4, 2]], blank: 0));

    [Fact]
    public void Gradients_of_parameters_add_up_over_backward_passes()
    {
        Tensor w = Rand(2, 3).RequireGrad();
        Compute c = new() { Tape = new Tape() };
        float[] once = [];
        for (int pass = 0; pass < 2; pass++)
        {
            c.Backward(c.CrossEntropy(w, new[] { 0, 2 }), 0.5f);
            if (pass == 0)
                once = w.Grad!.Span.ToArray();
            c.Tape.Clear();
            c.Arena.Reset();
        }
        for (int i = 0; i < once.Length; i++)
            Assert.Equal(2 * once[i], w.Grad!.Span[i], 1e-6f);
    }

    [Fact]
    public void Without_a_tape_nothing_wants_a_gradient()
    {
        Compute c = new();
        Assert.False(c.Gelu(Rand(2, 3).RequireGrad()).RequiresGrad);
        Assert.Throws<InvalidOperationException>(() => c.Backward(c.Rent(new Shape(1))));
    }

    private Tensor Rand(params ReadOnlySpan<int> shape)
    {
        Tensor tensor = Tensor.Zeros(new Shape(shape));
        foreach (ref float value in tensor.Span)
            value = 2 * _random.NextSingle() - 1;
        return tensor;
    }

    private void Check(Tensor[] inputs, Func<Compute, Tensor[], Tensor> operation)
    {
        foreach (Tensor input in inputs)
            input.RequireGrad();
        Compute c = new() { Tape = new Tape() }, plain = new();
        Tensor y = operation(c, inputs);
        float[] weights = [.. Enumerable.Range(0, (int)y.Count).Select(_ => 2 * _random.NextSingle() - 1)];
        // The loss is the dot product of all results with the weights: a linear layer with one output over one long row.
        c.Backward(c.Linear(c.Reshape(y, new Shape(1, weights.Length)), Tensor.From(weights, new Shape(1, weights.Length))));

        const float Step = 1e-2f;
        foreach (Tensor input in inputs)
        {
            float largest = Math.Max(input.Grad!.Span.ToArray().Max(Math.Abs), 1e-2f);
            for (int i = 0; i < input.Count; i++)
            {
                float kept = input.Span[i];
                // Two widths cancel the cubic term, so a wide step is exact enough and rounding stays small.
                double near = Difference(input, i, kept, Step), far = Difference(input, i, kept, 2 * Step);
                input.Span[i] = kept;
                double numeric = (4 * near - far) / 3;
                Assert.True(Math.Abs(numeric - input.Grad.Span[i]) < 2e-3 * largest,
                    $"input {Array.IndexOf(inputs, input)} at {i}: {input.Grad.Span[i]}, by differences {numeric}");
            }
        }

        double Difference(Tensor input, int at, float middle, float step)
        {
            input.Span[at] = middle + step;
            double above = Loss();
            input.Span[at] = middle - step;
            return (above - Loss()) / (2.0 * step);
        }

        double Loss()
        {
            plain.Arena.Reset();
            ReadOnlySpan<float> values = operation(plain, inputs).Span;
            double sum = 0;
            for (int i = 0; i < values.Length; i++)
                sum += (double)values[i] * weights[i];
            return sum;
        }
    }
}
