using System.Buffers;
using System.Runtime.Intrinsics;
using static OmniFusion.Tensors.VectorMath;

namespace OmniFusion.Tensors;

public sealed unsafe partial class CpuKernels
{
    // Gradients of norm weights are summed in this many parts whatever the threads, so that the sums have the same bits everywhere.
    private const int ReductionParts = 8;

    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor? inverseRoot)
    {
        using Widened w = new(weight);
        RmsNormRange range = new()
        {
            X = x.Floats, W = w.Data, Y = y.Floats, Root = inverseRoot is null ? null : inverseRoot.Floats, Columns = x.Columns, Epsilon = eps,
        };
        Each(range, x.Rows, x.Columns);
        KeepAlive(x, weight, y, inverseRoot);
    }

    /// <inheritdoc/>
    public void RmsNormGrad(Tensor x, Tensor weight, Tensor inverseRoot, Tensor dy, Tensor? dx, Tensor? dweight)
    {
        using Widened w = new(weight);
        int columns = x.Columns;
        float[] partial = ArrayPool<float>.Shared.Rent(ReductionParts * columns);
        Array.Clear(partial, 0, ReductionParts * columns);
        fixed (float* sums = partial)
        {
            RmsNormGradRange range = new()
            {
                X = x.Floats, W = w.Data, Root = inverseRoot.Floats, DY = dy.Floats, DX = dx is null ? null : dx.Floats, Sums = sums,
                Rows = x.Rows, Columns = columns,
            };
            Each(range, ReductionParts, x.Count / ReductionParts);
            if (dweight is not null)
                AddSums(sums, dweight.Floats, columns);
        }
        ArrayPool<float>.Shared.Return(partial);
        KeepAlive(x, weight, inverseRoot, dy, dx);
        KeepAlive(dweight);
    }

    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y, Tensor? statistics)
    {
        using Widened w = new(weight), b = new(bias);
        LayerNormRange range = new()
        {
            X = x.Floats, W = w.Data, B = b.Data, Y = y.Floats, Statistics = statistics is null ? null : statistics.Floats,
            Columns = x.Columns, Epsilon = eps,
        };
        Each(range, x.Rows, x.Columns);
        KeepAlive(x, weight, bias, y, statistics);
    }

    /// <inheritdoc/>
    public void LayerNormGrad(Tensor x, Tensor weight, Tensor statistics, Tensor dy, Tensor? dx, Tensor? dweight, Tensor? dbias)
    {
        using Widened w = new(weight);
        int columns = x.Columns, block = ReductionParts * columns;
        float[] partial = ArrayPool<float>.Shared.Rent(2 * block);
        Array.Clear(partial, 0, 2 * block);
        fixed (float* sums = partial)
        {
            LayerNormGradRange range = new()
            {
                X = x.Floats, W = w.Data, Statistics = statistics.Floats, DY = dy.Floats, DX = dx is null ? null : dx.Floats,
                WeightSums = sums, BiasSums = sums + block, Rows = x.Rows, Columns = columns,
            };
            Each(range, ReductionParts, x.Count / ReductionParts);
            if (dweight is not null)
                AddSums(sums, dweight.Floats, columns);
            if (dbias is not null)
                AddSums(sums + block, dbias.Floats, columns);
        }
        ArrayPool<float>.Shared.Return(partial);
        KeepAlive(x, weight, statistics, dy, dx);
        KeepAlive(dweight, dbias);
    }

    private static void AddSums(float* sums, float* total, int columns)
    {
        for (int part = 0; part < ReductionParts; part++)
            for (int c = 0; c < columns; c += Width)
                StorePart(LoadPart(total + c, columns - c) + LoadPart(sums + part * columns + c, columns - c), total + c, columns - c);
    }

    /// <summary>A small weight (a norm, a bias, or none) in single precision, widened into pooled memory where it is stored otherwise.</summary>
    private readonly ref struct Widened : IDisposable
    {
        private readonly float[]? _rented;
        private readonly System.Runtime.InteropServices.GCHandle _pin;

        internal Widened(Tensor? weight)
        {
            if (weight is null || weight.DType == DType.F32)
            {
                Data = weight is null ? null : weight.Floats;
                return;
            }
            int count = checked((int)weight.Count);
            _rented = ArrayPool<float>.Shared.Rent(count);
            _pin = System.Runtime.InteropServices.GCHandle.Alloc(_rented, System.Runtime.InteropServices.GCHandleType.Pinned);
            Data = (float*)_pin.AddrOfPinnedObject();
            WidenRow((ushort*)weight.Data, weight.DType, count, Data);
        }

        internal float* Data { get; }

        public void Dispose()
        {
            if (_rented is null)
                return;
            _pin.Free();
            ArrayPool<float>.Shared.Return(_rented);
        }
    }

    /// <summary>Halves to singles.</summary>
    internal static void WidenRow(ushort* from, DType type, int count, float* to)
    {
        int i = 0;
        if (type == DType.BF16)
        {
            for (; i <= count - 32; i += 32)
            {
                (Vector512<uint> low, Vector512<uint> high) = Vector512.Widen(Vector512.Load(from + i));
                (low << 16).AsSingle().Store(to + i);
                (high << 16).AsSingle().Store(to + i + 16);
            }
            for (; i < count; i++)
                to[i] = BitConverter.UInt32BitsToSingle((uint)from[i] << 16);
            return;
        }
        for (; i < count; i++)
            to[i] = (float)BitConverter.UInt16BitsToHalf(from[i]);
    }

    private struct RmsNormRange : IRange
    {
        public float* X, W, Y, Root;
        public int Columns;
        public float Epsilon;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
            {
                float* x = X + row * Columns, y = Y + row * Columns;
                Vector512<float> squares = Vector512<float>.Zero;
                for (int c = 0; c < Columns; c += Width)
                {
                    Vector512<float> v = LoadPart(x + c, Columns - c);
                    squares = Vector512.FusedMultiplyAdd(v, v, squares);
                }
                float root = 1 / MathF.Sqrt(Vector512.Sum(squares) / Columns + Epsilon);
                if (Root != null)
                    Root[row] = root;
                for (int c = 0; c < Columns; c += Width)
                    StorePart(LoadPart(x + c, Columns - c) * root * LoadPart(W + c, Columns - c), y + c, Columns - c);
            }
        }
    }

    private struct RmsNormGradRange : IRange
    {
        public float* X, W, Root, DY, DX, Sums;
        public int Rows, Columns;

        public void Run(long from, long to)
        {
            for (long part = from; part < to; part++)
            {
                float* sums = Sums + part * Columns;
                long end = Rows * (part + 1) / ReductionParts;
                for (long row = Rows * part / ReductionParts; row < end; row++)
                {
                    float* x = X + row * Columns, dy = DY + row * Columns;
                    Vector512<float> root = Vector512.Create(Root[row]), dots = Vector512<float>.Zero;
                    for (int c = 0; c < Columns; c += Width)
                    {
                        int n = Columns - c;
                        Vector512<float> normed = LoadPart(x + c, n) * root, g = LoadPart(dy + c, n);
                        StorePart(Vector512.FusedMultiplyAdd(normed, g, LoadPart(sums + c, n)), sums + c, n);
                        dots = Vector512.FusedMultiplyAdd(normed, g * LoadPart(W + c, n), dots);
                    }
                    if (DX == null)
                        continue;
                    Vector512<float> mean = Vector512.Create(Vector512.Sum(dots) / Columns);
                    float* dx = DX + row * Columns;
                    for (int c = 0; c < Columns; c += Width)
                    {
                        int n = Columns - c;
                        Vector512<float> inner = LoadPart(dy + c, n) * LoadPart(W + c, n) - LoadPart(x + c, n) * root * mean;
                        StorePart(Vector512.FusedMultiplyAdd(inner, root, LoadPart(dx + c, n)), dx + c, n);
                    }
                }
            }
        }
    }

    private struct LayerNormRange : IRange
    {
        public float* X, W, B, Y, Statistics;
        public int Columns;
        public float Epsilon;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
            {
                float* x = X + row * Columns, y = Y + row * Columns;
                Vector512<float> sum = Vector512<float>.Zero;
                for (int c = 0; c < Columns; c += Width)
                    sum += LoadPart(x + c, Columns - c);
                float mean = Vector512.Sum(sum) / Columns, squares = 0;
                for (int c = 0; c < Columns; c += Width)
                {
                    // The zeros beyond the last column must stay out of the variance.
                    Vector512<float> v = LoadPart(x + c, Columns - c) - Vector512.Create(mean);
                    if (Columns - c < Width)
                    {
                        for (int i = 0; i < Columns - c; i++)
                            squares += v[i] * v[i];
                    }
                    else
                    {
                        squares += Vector512.Dot(v, v);
                    }
                }
                float root = 1 / MathF.Sqrt(squares / Columns + Epsilon);
                if (Statistics != null)
                    (Statistics[2 * row], Statistics[2 * row + 1]) = (mean, root);
                for (int c = 0; c < Columns; c += Width)
                {
                    int n = Columns - c;
                    Vector512<float> normed = (LoadPart(x + c, n) - Vector512.Create(mean)) * root;
                    StorePart(Vector512.FusedMultiplyAdd(normed, LoadPart(W + c, n), LoadPart(B + c, n)), y + c, n);
                }
            }
        }
    }

    private struct LayerNormGradRange : IRange
    {
        public float* X, W, Statistics, DY, DX, WeightSums, BiasSums;
        public int Rows, Columns;

        public void Run(long from, long to)
        {
            for (long part = from; part < to; part++)
            {
                float* weightSums = WeightSums + part * Columns, biasSums = BiasSums + part * Columns;
                long end = Rows * (part + 1) / ReductionParts;
                for (long row = Rows * part / ReductionParts; row < end; row++)
                {
                    float* x = X + row * Columns, dy = DY + row * Columns;
                    Vector512<float> mean = Vector512.Create(Statistics[2 * row]), root = Vector512.Create(Statistics[2 * row + 1]);
                    Vector512<float> dots = Vector512<float>.Zero, sums = Vector512<float>.Zero;
                    for (int c = 0; c < Columns; c += Width)
                    {
                        int n = Columns - c;
                        Vector512<float> normed = (LoadPart(x + c, n) - mean) * root, g = LoadPart(dy + c, n), wg = g * LoadPart(W + c, n);
                        StorePart(Vector512.FusedMultiplyAdd(normed, g, LoadPart(weightSums + c, n)), weightSums + c, n);
                        StorePart(LoadPart(biasSums + c, n) + g, biasSums + c, n);
                        dots = Vector512.FusedMultiplyAdd(normed, wg, dots);
                        sums += wg;
                    }
                    if (DX == null)
                        continue;
                    Vector512<float> dotMean = Vector512.Create(Vector512.Sum(dots) / Columns);
                    Vector512<float> sumMean = Vector512.Create(Vector512.Sum(sums) / Columns);
                    float* dx = DX + row * Columns;
                    for (int c = 0; c < Columns; c += Width)
                    {
                        int n = Columns - c;
                        Vector512<float> normed = (LoadPart(x + c, n) - mean) * root;
                        Vector512<float> inner = LoadPart(dy + c, n) * LoadPart(W + c, n) - sumMean - normed * dotMean;
                        StorePart(Vector512.FusedMultiplyAdd(inner, root, LoadPart(dx + c, n)), dx + c, n);
                    }
                }
            }
        }
    }
}
