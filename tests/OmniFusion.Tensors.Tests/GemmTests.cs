using FsCheck;
using FsCheck.Fluent;

namespace OmniFusion.Tensors.Tests;

public class GemmTests
{
    private static readonly int[] s_corners = [1, 2, 5, 12, 13, 14, 15, 31, 33, 40, 65, 257];

    public static TheoryData<int, int, int> Corners()
    {
        TheoryData<int, int, int> data = [];
        for (int i = 0; i < s_corners.Length; i++)
            for (int j = 0; j < s_corners.Length; j++)
                data.Add(s_corners[i], s_corners[j], s_corners[(i * 5 + j * 7) % s_corners.Length]);
        return data;
    }

    [Theory]
    [MemberData(nameof(Corners))]
    public void ProductsOfAllFormsAreExactEnough(int m, int n, int k)
    {
        foreach (Setting setting in Setting.All(m * 31 + n * 7 + k))
            setting.Check(m, n, k);
    }

    [Fact]
    public void ProductsOfAnySizeAreExactEnough()
    {
        Gen<(int, int, int, Setting)> gen =
            from m in Gen.Choose(1, 150)
            from n in Gen.Choose(1, 300)
            from k in Gen.Choose(1, 600)
            from path in Gen.Elements(Setting.Paths)
            from type in Gen.Elements(DType.F32, DType.BF16, DType.F16)
            from threads in Gen.Choose(1, 3)
            from bias in Gen.Elements(false, true)
            from seed in Gen.Choose(0, 10_000)
            select (m, n, k, new Setting(path, type, threads, bias, seed));
        Prop.ForAll(gen.ToArbitrary(), item => item.Item4.Check(item.Item1, item.Item2, item.Item3))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(100));
    }

    [Theory]
    [InlineData(5000, 35, 20)]
    [InlineData(1500, 40, 700)]
    [InlineData(50, 3000, 33)]
    [InlineData(41, 700, 601)]
    public void LargeProductsAreCutIntoSteps(int m, int n, int k)
    {
        foreach (GemmPath path in Setting.Paths)
            new Setting(path, DType.F32, 2, true, 3).Check(m, n, k);
    }

    // As many rows as fill one, two, two and a half or three vectors, or nearly so, and one more.
    [Theory]
    [InlineData(13, 32, 256)]
    [InlineData(16, 33, 257)]
    [InlineData(26, 95, 601)]
    [InlineData(32, 64, 385)]
    [InlineData(33, 129, 512)]
    [InlineData(40, 300, 300)]
    [InlineData(41, 40, 1025)]
    [InlineData(48, 70, 256)]
    [InlineData(49, 70, 256)]
    public void ProductsOfSomeDozenRowsAreExactEnough(int m, int n, int k)
    {
        foreach (bool bias in (bool[])[false, true])
            new Setting(CpuKernels.BestGemmPath, DType.F32, 2, bias, 4).Check(m, n, k);
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    public void WeightsThatNoCacheHoldsAreReadFromTheFirstToTheLast(DType type)
    {
        int k = 2051, n = (9 << 20) / (k * type.Size());
        foreach (GemmPath path in Setting.Paths)
            new Setting(path, type, 2, true, 7).Check(1, n, k);
    }

    [Fact]
    public void ResultsDoNotDependOnTheNumberOfThreads()
    {
        Random random = new(5);
        Tensor x = Numbers.Random(random, 130, 300), w = Numbers.Random(random, 100, 300), dy = Numbers.Random(random, 130, 100);
        Tensor some = Numbers.Random(random, 40, 300), few = Numbers.Random(random, 7, 300), large = Numbers.Random(random, 500, 300);
        float[][] Results(int threads)
        {
            CpuKernels kernels = new(threads);
            Tensor y = Tensor.Zeros(new(130, 100)), dx = Tensor.Zeros(new(130, 300)), dw = Tensor.Zeros(new(100, 300));
            Tensor z = Tensor.Zeros(new(7, 500)), u = Tensor.Zeros(new(40, 500)), dbias = Tensor.Zeros(new(100));
            kernels.MatMul(x, w, null, y);
            kernels.MatMul(few, large, null, z);
            kernels.MatMul(some, large, null, u);
            kernels.MatMulInputGrad(dy, w, dx);
            kernels.MatMulWeightGrad(dy, x, dw, dbias);
            return [y.Span.ToArray(), z.Span.ToArray(), u.Span.ToArray(), dx.Span.ToArray(), dw.Span.ToArray(), dbias.Span.ToArray()];
        }
        float[][] one = Results(1);
        foreach (int threads in (int[])[2, 3, 5])
            Assert.Equal(one, Results(threads));
    }

    [Fact]
    public void NoRowsAreNoWork()
    {
        CpuKernels kernels = new(2);
        Tensor x = Tensor.Zeros(new(0, 8)), y = Tensor.Zeros(new(0, 4)), w = Numbers.Random(new(1), 4, 8);
        Tensor dw = Numbers.Random(new(2), 4, 8), dbias = Numbers.Random(new(3), 4);
        float[] before = [.. dw.Span, .. dbias.Span];
        kernels.MatMul(x, w, null, y);
        kernels.MatMulInputGrad(y, w, x);
        kernels.MatMulWeightGrad(y, x, dw, dbias);
        float[] after = [.. dw.Span, .. dbias.Span];
        Assert.Equal(before, after);
    }

    [Fact]
    public void AllHalfPrecisionNumbersAreRead()
    {
        // One column of weights, times one: every 16-bit pattern comes out as its value.
        foreach (GemmPath path in Setting.Paths)
        {
            foreach (DType type in (DType[])[DType.F16, DType.BF16])
            {
                Tensor w = Tensor.Zeros(new(1 << 16, 32), type);
                Tensor x = Tensor.Zeros(new(1, 32)), y = Tensor.Zeros(new(1, 1 << 16)), wide = Tensor.Zeros(new(16, 1 << 16));
                x.Span[3] = 1;
                Numbers.Fill16(w, (row, column) => column == 3 ? (ushort)row : (ushort)0);
                Tensor many = Tensor.Zeros(new(16, 32));
                many.Row(15)[3] = 1;
                CpuKernels kernels = new(1) { GemmPath = path };
                kernels.MatMul(x, w, null, y);
                kernels.MatMul(many, w, null, wide);
                float[] expected = w.ToF32().Span.ToArray().Where((_, i) => i % 32 == 3).ToArray();
                Assert.Equal(expected, y.Span.ToArray());
                Assert.Equal(expected, wide.Row(15).ToArray());
            }
        }
    }

    [Fact]
    public void WarmProductsAllocateNothing()
    {
        CpuKernels kernels = new(2);
        Random random = new(5);
        Tensor x = Numbers.Random(random, 130, 300), w = Numbers.Random(random, 200, 300), y = Tensor.Zeros(new(130, 200));
        Tensor row = Numbers.Random(random, 1, 300), z = Tensor.Zeros(new(1, 200));
        Tensor some = Numbers.Random(random, 40, 300), u = Tensor.Zeros(new(40, 200));
        Tensor dx = Tensor.Zeros(new(130, 300)), dw = Tensor.Zeros(new(200, 300));
        Assert.Equal(0, Allocations.OfWarmCall(() =>
        {
            kernels.MatMul(x, w, null, y);
            kernels.MatMul(row, w, null, z);
            kernels.MatMul(some, w, null, u);
            kernels.MatMulInputGrad(y, w, dx);
            kernels.MatMulWeightGrad(y, x, dw, null);
        }));
    }
}

/// <summary>One way to compute the products, and a check of all three forms against double precision.</summary>
public sealed record Setting(object Path, DType Type, int Threads, bool Bias, int Seed)
{
    internal static GemmPath[] Paths { get; } = Enum.GetValues<GemmPath>().Where(path => path <= CpuKernels.BestGemmPath).ToArray();

    internal Setting(GemmPath path, DType type, int threads, bool bias, int seed)
        : this((object)path, type, threads, bias, seed)
    {
    }

    internal static IEnumerable<Setting> All(int seed) =>
        from path in Paths
        from type in Enum.GetValues<DType>()
        select new Setting(path, type, 1 + (seed & 1), (seed & 4) != 0, seed);

    internal void Check(int m, int n, int k)
    {
        Random random = new(Seed);
        CpuKernels kernels = new(Threads) { GemmPath = (GemmPath)Path };
        Tensor x = Numbers.Random(random, m, k), w = Numbers.Unaligned(Numbers.Random(random, n, k), Type);
        Tensor bias = Numbers.Random(random, n);
        Tensor y = Tensor.Zeros(new(m, n)), dy = Numbers.Random(random, m, n);
        Tensor dx = Numbers.Random(random, m, k), dw = Numbers.Random(random, n, k), dbias = Numbers.Random(random, n);
        (float[] dx0, float[] dw0, float[] dbias0) = (dx.Span.ToArray(), dw.Span.ToArray(), dbias.Span.ToArray());
        y.Span.Fill(float.NaN);

        kernels.MatMul(x, w, Bias ? bias : null, y);
        kernels.MatMulInputGrad(dy, w, dx);
        kernels.MatMulWeightGrad(dy, x, dw, Bias ? dbias : null);

        (float[] xs, float[] ws, float[] bs) = (x.Span.ToArray(), w.ToF32().Span.ToArray(), bias.Span.ToArray());
        float[] ds = dy.Span.ToArray();
        string name = $"{m}x{n}x{k} {this}";
        Compare(y, m, n, k, (i, j, p) => (double)xs[i * k + p] * ws[j * k + p], (i, j) => Bias ? bs[j] : 0, $"y {name}");
        Compare(dx, m, k, n, (i, j, p) => (double)ds[i * n + p] * ws[p * k + j], (i, j) => dx0[i * k + j], $"dx {name}");
        Compare(dw, n, k, m, (i, j, p) => (double)ds[p * n + i] * xs[p * k + j], (i, j) => dw0[i * k + j], $"dw {name}");
        Compare(dbias, 1, n, Bias ? m : 0, (_, j, p) => ds[p * n + j], (_, j) => dbias0[j], $"dbias {name}");
    }

    // Samples of large results; numbers are below one, so that a bound on the error grows with the root of the length of a sum.
    private static void Compare(
        Tensor result, int rows, int columns, int length, Func<int, int, int, double> term, Func<int, int, double> start, string name)
    {
        Random random = new(1);
        float[] values = result.Span.ToArray();
        long samples = Math.Min((long)rows * columns, 60);
        double tolerance = 2e-6 * Math.Sqrt(length + 1);
        void One(int i, int j)
        {
            double expected = start(i, j);
            for (int p = 0; p < length; p++)
                expected += term(i, j, p);
            double error = Math.Abs(values[i * columns + j] - expected);
            if (!(error <= tolerance))
                Assert.Fail($"{name}: [{i},{j}] is {values[i * columns + j]} instead of {expected}");
        }
        One(rows - 1, columns - 1);
        One(0, columns - 1);
        One(rows - 1, 0);
        for (long sample = 0; sample < samples; sample++)
            One(random.Next(rows), random.Next(columns));
    }
}

internal static unsafe class Numbers
{
    internal static Tensor Random(Random random, params int[] sizes)
    {
        Tensor tensor = Tensor.Zeros(new(sizes));
        foreach (ref float value in tensor.Span)
            value = random.NextSingle() * 2 - 1;
        return tensor;
    }

    internal static void Fill16(Tensor tensor, Func<int, int, ushort> value)
    {
        for (int i = 0; i < tensor.Count; i++)
            ((ushort*)tensor.Data)[i] = value(i / tensor.Columns, i % tensor.Columns);
    }

    /// <summary>A copy in another type at an odd address, as a memory-mapped file has them.</summary>
    internal static Tensor Unaligned(Tensor tensor, DType type)
    {
        Tensor owner = Tensor.Zeros(new((int)tensor.Count + 1));
        Tensor copy = Tensor.View(tensor.Shape, type, (nint)owner.Data + 1, owner);
        float[] values = tensor.Span.ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            byte* to = copy.Data + i * type.Size();
            if (type == DType.F32)
                BitConverter.TryWriteBytes(new Span<byte>(to, 4), values[i]);
            else if (type == DType.F16)
                BitConverter.TryWriteBytes(new Span<byte>(to, 2), (Half)values[i]);
            else
                BitConverter.TryWriteBytes(new Span<byte>(to, 2), (ushort)(BitConverter.SingleToUInt32Bits(values[i]) >> 16));
        }
        return copy;
    }
}
