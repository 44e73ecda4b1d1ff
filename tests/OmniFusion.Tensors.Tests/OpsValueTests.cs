namespace OmniFusion.Tensors.Tests;

/// <summary>Values of operations against plain double-precision computations, with and without a rest beyond the vectors' 16 numbers.</summary>
public class OpsValueTests
{
    private readonly Random _random = new(5);
    private readonly Compute _c = new(new CpuKernels(1));

    public static TheoryData<int> Widths => [5, 16, 37, 80];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Activations(int width)
    {
        Tensor x = Rand(3, width), up = Rand(3, width);
        Close(_c.Gelu(x), i => x.Span[i] * (1 + Erf(x.Span[i] / Math.Sqrt(2))) / 2);
        Close(_c.SwiGlu(x, up), i => x.Span[i] / (1 + Math.Exp(-x.Span[i])) * up.Span[i]);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Norms_with_weights_of_any_type(int width)
    {
        Tensor x = Rand(3, width), weight = Rand(width), bias = Rand(width);
        foreach (Func<Tensor, Tensor> store in new Func<Tensor, Tensor>[] { w => w, w => w.ToBF16(), w => w.ToF16() })
        {
            float[] w = store(weight).ToF32().Span.ToArray(), b = store(bias).ToF32().Span.ToArray();
            Close(_c.RmsNorm(x, store(weight), 1e-5f), i =>
                x.Span[i] / Math.Sqrt(Row(x, i).Average(v => v * v) + 1e-5) * w[i % width]);
            Close(_c.LayerNorm(x, store(weight), store(bias), 1e-5f), i =>
            {
                double[] row = Row(x, i);
                double mean = row.Average();
                return (x.Span[i] - mean) / Math.Sqrt(row.Average(v => v * v) - mean * mean + 1e-5) * w[i % width] + b[i % width];
            });
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sums_and_shares(int width)
    {
        Tensor x = Rand(3, width), y = Rand(3, width), weights = Rand(3, 2);
        Close(_c.Add(x, y, -0.7f), i => x.Span[i] - 0.7 * y.Span[i]);
        Close(_c.Softmax(x), i => Math.Exp(x.Span[i]) / Row(x, i).Sum(Math.Exp));
        Close(_c.WeightedSum(weights, x, y), i => weights.Row(i / width)[0] * x.Span[i] + weights.Row(i / width)[1] * y.Span[i]);
        Close(_c.RowDots(x, 0.3f, y), i => 0.3 * Row(x, i * width).Zip(Row(y, i * width), (a, b) => a * b).Sum());
        Close(_c.MeanPool(x, new Segments(3), 3, out _), i => (x.Span[i] + x.Span[i + width] + x.Span[i + 2 * width]) / 3.0);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Rotary(int half)
    {
        Tensor x = Rand(3, 4 * half), angles = Rand(3, half), cos = Tensor.Zeros(angles.Shape), sin = Tensor.Zeros(angles.Shape);
        for (int i = 0; i < angles.Count; i++)
            (sin.Span[i], cos.Span[i]) = MathF.SinCos(angles.Span[i]);
        float[] before = x.Span.ToArray();
        Close(_c.Rotary(x, cos, sin, 2), i =>
        {
            int row = i / (4 * half), at = i % (2 * half);
            double angle = angles.Row(row)[at % half];
            return at < half
                ? before[i] * Math.Cos(angle) - before[i + half] * Math.Sin(angle)
                : before[i] * Math.Cos(angle) + before[i - half] * Math.Sin(angle);
        });
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Embeddings_of_any_type(int width)
    {
        Tensor table = Rand(4, width);
        foreach (Tensor stored in new[] { table, table.ToBF16(), table.ToF16() })
        {
            Tensor wide = stored.ToF32();
            Close(_c.Embedding(new[] { 3, 0 }, stored), i => wide.Row(i < width ? 3 : 0)[i % width]);
        }
    }

    private static double[] Row(Tensor x, int index) => [.. x.Row(index / x.Columns).ToArray().Select(v => (double)v)];

    // The series around 0, for numbers up to 3.
    private static double Erf(double x)
    {
        double term = x, sum = x;
        for (int n = 1; n < 60; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private static void Close(Tensor actual, Func<int, double> expected)
    {
        for (int i = 0; i < actual.Count; i++)
            Assert.Equal(expected(i), actual.Span[i], 1e-5);
    }

    private Tensor Rand(params int[] sizes) => Numbers.Random(_random, sizes);
}
