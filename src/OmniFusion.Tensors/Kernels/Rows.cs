using System.Runtime.Intrinsics;
using static OmniFusion.Tensors.VectorMath;

namespace OmniFusion.Tensors;

public sealed unsafe partial class CpuKernels
{
    /// <inheritdoc/>
    public void Embedding(ReadOnlySpan<int> ids, Tensor table, Tensor y)
    {
        int columns = table.Columns;
        for (int i = 0; i < ids.Length; i++)
        {
            float* to = y.Floats + (long)i * columns;
            long offset = (long)ids[i] * columns;
            if (ids[i] < 0)
                new Span<float>(to, columns).Clear();
            else if (table.DType == DType.F32)
                new ReadOnlySpan<float>(table.Floats + offset, columns).CopyTo(new(to, columns));
            else
                WidenRow((ushort*)table.Data + offset, table.DType, columns, to);
        }
        KeepAlive(table, y);
    }

    /// <inheritdoc/>
    public void Gather(Tensor x, ReadOnlySpan<int> rows, Tensor y)
    {
        int columns = x.Columns;
        for (int i = 0; i < rows.Length; i++)
            if (rows[i] >= 0)
                x.Row(rows[i]).CopyTo(new(y.Floats + (long)i * columns, columns));
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void GatherGrad(Tensor dy, ReadOnlySpan<int> rows, Tensor dx)
    {
        int columns = dx.Columns;
        for (int i = 0; i < rows.Length; i++)
            if (rows[i] >= 0)
                AddRow(dy.Floats + (long)i * columns, 1, dx.Floats + (long)rows[i] * columns, columns);
        KeepAlive(dy, dx);
    }

    /// <inheritdoc/>
    public void CopyColumns(Tensor x, Tensor y, int offset)
    {
        for (int row = 0; row < x.Rows; row++)
            x.Row(row).CopyTo(y.Row(row)[offset..]);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void CopyColumnsGrad(Tensor dy, Tensor dx, int offset)
    {
        for (int row = 0; row < dx.Rows; row++)
            AddRow(dy.Floats + (long)row * dy.Columns + offset, 1, dx.Floats + (long)row * dx.Columns, dx.Columns);
        KeepAlive(dy, dx);
    }

    /// <inheritdoc/>
    public void Unfold(Tensor x, Segments input, int kernel, int stride, int padding, Segments output, Tensor y)
    {
        int channels = x.Columns;
        for (int s = 0; s < input.Count; s++)
            for (int o = 0; o < output.Length(s); o++)
            {
                float* to = y.Floats + (long)(output.Start(s) + o) * channels * kernel;
                for (int j = 0; j < kernel; j++)
                {
                    int at = o * stride + j - padding;
                    if ((uint)at >= (uint)input.Length(s))
                    {
                        for (int c = 0; c < channels; c++)
                            to[c * kernel + j] = 0;
                        continue;
                    }
                    float* from = x.Floats + (long)(input.Start(s) + at) * channels;
                    for (int c = 0; c < channels; c++)
                        to[c * kernel + j] = from[c];
                }
            }
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void UnfoldGrad(Tensor dy, Segments input, int kernel, int stride, int padding, Segments output, Tensor dx)
    {
        int channels = dx.Columns;
        for (int s = 0; s < input.Count; s++)
            for (int o = 0; o < output.Length(s); o++)
            {
                float* from = dy.Floats + (long)(output.Start(s) + o) * channels * kernel;
                for (int j = 0; j < kernel; j++)
                {
                    int at = o * stride + j - padding;
                    if ((uint)at >= (uint)input.Length(s))
                        continue;
                    float* to = dx.Floats + (long)(input.Start(s) + at) * channels;
                    for (int c = 0; c < channels; c++)
                        to[c] += from[c * kernel + j];
                }
            }
        KeepAlive(dy, dx);
    }

    /// <inheritdoc/>
    public void MeanPool(Tensor x, Segments input, int window, Segments output, Tensor y)
    {
        int columns = x.Columns;
        y.Clear();
        for (int s = 0; s < output.Count; s++)
            for (int o = 0; o < output.Length(s); o++)
                for (int j = 0; j < window; j++)
                    AddRow(x.Floats + (long)(input.Start(s) + o * window + j) * columns, 1f / window,
                        y.Floats + (long)(output.Start(s) + o) * columns, columns);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void MeanPoolGrad(Tensor dy, Segments input, int window, Segments output, Tensor dx)
    {
        int columns = dx.Columns;
        for (int s = 0; s < output.Count; s++)
            for (int o = 0; o < output.Length(s); o++)
                for (int j = 0; j < window; j++)
                    AddRow(dy.Floats + (long)(output.Start(s) + o) * columns, 1f / window,
                        dx.Floats + (long)(input.Start(s) + o * window + j) * columns, columns);
        KeepAlive(dy, dx);
    }

    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor cos, Tensor sin, int heads, bool inverse)
    {
        Each(
            new RotaryRange
            {
                X = x.Floats, Cos = cos.Floats, Sin = sin.Floats, Heads = heads, Half = cos.Columns, Sign = inverse ? -1 : 1,
            },
            x.Rows, x.Columns);
        KeepAlive(x, cos, sin);
    }

    /// <inheritdoc/>
    public void SoftmaxRows(Tensor x, Tensor y)
    {
        Each(new SoftmaxRange { X = x.Floats, Y = y.Floats, Columns = x.Columns }, x.Rows, x.Columns * 4);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void SoftmaxRowsGrad(Tensor y, Tensor dy, Tensor dx)
    {
        Each(new SoftmaxGradRange { Y = y.Floats, DY = dy.Floats, DX = dx.Floats, Columns = y.Columns }, y.Rows, y.Columns * 2);
        KeepAlive(y, dy, dx);
    }

    /// <inheritdoc/>
    public void AddWeighted(Tensor weights, int column, Tensor x, Tensor y)
    {
        int columns = x.Columns;
        for (int row = 0; row < x.Rows; row++)
            AddRow(x.Floats + (long)row * columns, WeightOf(weights, row)[column], y.Floats + (long)row * columns, columns);
        KeepAlive(weights, x, y);
    }

    /// <inheritdoc/>
    public void AddWeightedGrad(Tensor weights, int column, Tensor x, Tensor dy, Tensor? dweights, Tensor? dx)
    {
        int columns = x.Columns;
        for (int row = 0; row < x.Rows; row++)
        {
            float* g = dy.Floats + (long)row * columns;
            if (dweights is not null)
                WeightOf(dweights, row)[column] += DotRow(g, x.Floats + (long)row * columns, columns);
            if (dx is not null)
                AddRow(g, WeightOf(weights, row)[column], dx.Floats + (long)row * columns, columns);
        }
        KeepAlive(weights, x, dy, dweights, dx);
    }

    /// <inheritdoc/>
    public void RowDot(Tensor a, Tensor b, float scale, Tensor y, int column)
    {
        int columns = a.Columns;
        for (int row = 0; row < a.Rows; row++)
            y.Row(row)[column] = scale * DotRow(a.Floats + (long)row * columns, b.Floats + (long)row * columns, columns);
        KeepAlive(a, b, y);
    }

    /// <inheritdoc/>
    public void RowDotGrad(Tensor a, Tensor b, float scale, Tensor dy, int column, Tensor? da, Tensor? db)
    {
        int columns = a.Columns;
        for (int row = 0; row < a.Rows; row++)
        {
            float g = scale * dy.Row(row)[column];
            long at = (long)row * columns;
            if (da is not null)
                AddRow(b.Floats + at, g, da.Floats + at, columns);
            if (db is not null)
                AddRow(a.Floats + at, g, db.Floats + at, columns);
        }
        KeepAlive(a, b, dy, da, db);
    }

    // One row of weights may serve all rows.
    private static Span<float> WeightOf(Tensor weights, int row) => weights.Row(weights.Rows == 1 ? 0 : row);

    private static void AddRow(float* x, float scale, float* y, int count)
    {
        for (int c = 0; c < count; c += Width)
            StorePart(Vector512.FusedMultiplyAdd(LoadPart(x + c, count - c), Vector512.Create(scale), LoadPart(y + c, count - c)), y + c,
                count - c);
    }

    private static float DotRow(float* a, float* b, int count)
    {
        Vector512<float> sum = Vector512<float>.Zero;
        for (int c = 0; c < count; c += Width)
            sum = Vector512.FusedMultiplyAdd(LoadPart(a + c, count - c), LoadPart(b + c, count - c), sum);
        return Vector512.Sum(sum);
    }

    private struct SoftmaxRange : IRange
    {
        public float* X, Y;
        public int Columns;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
            {
                float* x = X + row * Columns, y = Y + row * Columns;
                // Gates are few, tokens many: the rest of a row, or all of a short one, goes one by one.
                int whole = Columns & -Width;
                float max = Largest(x, Columns), sum = 0;
                for (int c = 0; c < whole; c += Width)
                {
                    Vector512<float> power = Vector512.Exp(Vector512.Load(x + c) - Vector512.Create(max));
                    power.Store(y + c);
                    sum += Vector512.Sum(power);
                }
                for (int c = whole; c < Columns; c++)
                    sum += y[c] = MathF.Exp(x[c] - max);
                for (int c = 0; c < Columns; c += Width)
                    StorePart(LoadPart(y + c, Columns - c) / Vector512.Create(sum), y + c, Columns - c);
            }
        }
    }

    private struct SoftmaxGradRange : IRange
    {
        public float* Y, DY, DX;
        public int Columns;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
            {
                float* p = Y + row * Columns, g = DY + row * Columns, dx = DX + row * Columns;
                Vector512<float> sums = Vector512<float>.Zero;
                for (int c = 0; c < Columns; c += Width)
                    sums = Vector512.FusedMultiplyAdd(LoadPart(p + c, Columns - c), LoadPart(g + c, Columns - c), sums);
                Vector512<float> dot = Vector512.Create(Vector512.Sum(sums));
                for (int c = 0; c < Columns; c += Width)
                {
                    int n = Columns - c;
                    StorePart(Vector512.FusedMultiplyAdd(LoadPart(p + c, n), LoadPart(g + c, n) - dot, LoadPart(dx + c, n)), dx + c, n);
                }
            }
        }
    }

    private struct RotaryRange : IRange
    {
        public float* X, Cos, Sin;
        public int Heads, Half;
        public float Sign;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
            {
                float* cos = Cos + row * Half, sin = Sin + row * Half;
                for (int head = 0; head < Heads; head++)
                {
                    float* low = X + (row * Heads + head) * 2 * Half, high = low + Half;
                    for (int i = 0; i < Half; i += Width)
                    {
                        int n = Half - i;
                        Vector512<float> c = LoadPart(cos + i, n), s = LoadPart(sin + i, n) * Sign;
                        Vector512<float> a = LoadPart(low + i, n), b = LoadPart(high + i, n);
                        StorePart(a * c - b * s, low + i, n);
                        StorePart(b * c + a * s, high + i, n);
                    }
                }
            }
        }
    }
}
