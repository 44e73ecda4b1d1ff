using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

/// <summary>One factor of a matrix product, seen as [outer, inner]: the inner axis is summed over.</summary>
/// <param name="Data">Address of the first number.</param>
/// <param name="Type">How the numbers are stored.</param>
/// <param name="Stride">Numbers from one row in memory to the next.</param>
/// <param name="InnerIsContiguous">Whether a row in memory holds the inner axis, or else the outer one.</param>
internal readonly unsafe record struct GemmFactor(nint Data, DType Type, nint Stride, bool InnerIsContiguous)
{
    private const long BytesFromMemory = 1 << 20;

    internal byte* At(nint outer, nint inner) =>
        (byte*)Data + (InnerIsContiguous ? outer * Stride + inner : inner * Stride + outer) * Type.Size();

    /// <summary>Whether so many rows are more than the second cache holds.</summary>
    internal bool IsFromMemory(int rows) => Stride * rows * Type.Size() > BytesFromMemory;
}

/// <summary>
/// Copies a slice of a factor into the order in which the tile kernels read it: a panel [inner, width] of single precision.
/// A panel needs <see cref="Slack"/> numbers behind it. Where the factor ends within a panel, the rest is arbitrary (but initialised).
/// </summary>
internal static unsafe class GemmPack<TSimd, V>
    where TSimd : struct, ISimd<V>
    where V : struct
{
    /// <summary>Whole vectors are written, also past the end of a row of a panel: the next row overwrites them.</summary>
    internal const int Slack = 16;

    // Rows of a factor that are fetched ahead of their use where only a piece of each is read.
    private const int RowsAhead = 16;

    /// <param name="factor">What to copy from.</param>
    /// <param name="outer">The first outer index of the first panel.</param>
    /// <param name="count">Outer indices there are from that one on; the panels may take fewer.</param>
    /// <param name="inner">The first inner index.</param>
    /// <param name="k">Number of inner indices.</param>
    /// <param name="width">Width of a panel.</param>
    /// <param name="panels">Number of panels.</param>
    /// <param name="panelSize">Numbers from one panel to the next.</param>
    /// <param name="to">The first panel.</param>
    internal static void Panels(
        in GemmFactor factor, int outer, int count, int inner, int k, int width, int panels, nint panelSize, float* to)
    {
        byte* from = factor.At(outer, inner);
        nint stride = factor.Stride;
        bool transpose = factor.InnerIsContiguous, fetch = factor.IsFromMemory(outer + count);
        switch (factor.Type)
        {
            case DType.F32: Panels<StoredF32>(from, stride, transpose, fetch, count, k, width, panels, panelSize, to); break;
            case DType.BF16: Panels<StoredBF16>(from, stride, transpose, fetch, count, k, width, panels, panelSize, to); break;
            default: Panels<StoredF16>(from, stride, transpose, fetch, count, k, width, panels, panelSize, to); break;
        }
    }

    private static void Panels<TStored>(
        byte* from, nint stride, bool transpose, bool fetch, int count, int k, int width, int panels, nint panelSize, float* to)
        where TStored : struct, IStored
    {
        // Panels that whole vectors fill, without reading past the factor.
        int vectors = (width + TSimd.Width - 1) / TSimd.Width * TSimd.Width;
        int whole = count < vectors ? 0 : Math.Min(panels, (count - vectors) / width + 1);
        if (!transpose && whole > 0)
            Copy<TStored>(from, stride, k, width, whole, panelSize, to);
        for (int panel = transpose ? 0 : whole; panel < panels; panel++)
        {
            byte* start = from + panel * width * (transpose ? stride : 1) * TStored.Size;
            int rows = Math.Min(count - panel * width, width);
            float* target = to + panel * panelSize;
            if (!transpose)
                CopyEdge<TStored>(start, stride, rows, k, width, target);
            else if (typeof(TSimd) == typeof(Simd512) && k >= 16)
                Transpose512<TStored>(start, stride, rows, k, width, target, fetch);
            else if (typeof(TSimd) == typeof(Simd256) && k >= 8)
                Transpose256<TStored>(start, stride, rows, k, width, target);
            else
                Transpose<TStored>(start, stride, rows, k, width, target);
        }
    }

    // Row by row through all panels, so that memory is read in long runs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy<TStored>(byte* from, nint stride, int k, int width, int panels, nint panelSize, float* to)
        where TStored : struct, IStored
    {
        nint ahead = RowsAhead * stride * TStored.Size;
        for (int p = 0; p < k; p++, from += stride * TStored.Size, to += width)
        {
            byte* source = from;
            float* target = to;
            for (int panel = 0; panel < panels; panel++, source += width * TStored.Size, target += panelSize)
            {
                for (int i = 0; i < width; i += TSimd.Width)
                {
                    Cache.Fetch(source + ahead + i * TStored.Size);
                    TSimd.Store(TSimd.Load<TStored>(source + i * TStored.Size), target + i);
                }
            }
        }
    }

    private static void CopyEdge<TStored>(byte* from, nint stride, int count, int k, int width, float* to)
        where TStored : struct, IStored
    {
        for (int p = 0; p < k; p++, from += stride * TStored.Size, to += width)
        {
            for (int i = 0; i < count; i++)
                to[i] = TStored.Load(from + i * TStored.Size);
            for (int i = count; i < width; i++)
                to[i] = 0;
        }
    }

    private static void Transpose<TStored>(byte* from, nint stride, int rows, int k, int width, float* to)
        where TStored : struct, IStored
    {
        for (int p = 0; p < k; p++, from += TStored.Size, to += width)
        {
            for (int i = 0; i < width; i++)
                to[i] = TStored.Load(from + Math.Min(i, rows - 1) * stride * TStored.Size);
        }
    }

    // Blocks of 16 x 16 turned over in registers. The last block may overlap the one before. Where rows are missing, the last one is taken.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose512<TStored>(byte* from, nint stride, int rows, int k, int width, float* to, bool fetch)
        where TStored : struct, IStored
    {
        byte** row = stackalloc byte*[16];
        for (int first = 0; first < width; first += 16)
        {
            for (int i = 0; i < 16; i++)
                row[i] = from + Math.Min(first + i, rows - 1) * stride * TStored.Size;
            for (int block = 0; block < k; block += 16)
            {
                int p = Math.Min(block, k - 16);
                nint at = (nint)p * TStored.Size;
                float* c = to + (nint)p * width + first;
                if (fetch)
                {
                    nint next = at + 16 * stride * TStored.Size;
                    for (int i = 0; i < 16; i++)
                        Cache.Fetch(row[i] + next);
                }

                Turn<TStored>(row, at, c, width);
            }
        }
    }

    /// <summary>Sixteen rows turned over: to[column, row] = from[row, column], of sixteen columns at least.</summary>
    internal static void Turn(float* from, nint stride, int columns, float* to, nint toStride)
    {
        byte** row = stackalloc byte*[16];
        for (int i = 0; i < 16; i++)
            row[i] = (byte*)(from + i * stride);
        for (int block = 0; block < columns; block += 16)
        {
            int first = Math.Min(block, columns - 16);
            Turn<StoredF32>(row, (nint)first * sizeof(float), to + first * toStride, toStride);
        }
    }

    // Sixteen numbers of sixteen rows to as many rows of as many.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn<TStored>(byte** row, nint at, float* to, nint w)
        where TStored : struct, IStored
    {
        // After two steps, quad 4g+j holds, in its 128-bit lane l, the numbers 4l+j of rows 4g to 4g+3.
        Quads<TStored>(
            row, at, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        Quads<TStored>(
            row + 4, at, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        Quads<TStored>(
            row + 8, at, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
        Quads<TStored>(
            row + 12, at, out Vector512<float> d0, out Vector512<float> d1, out Vector512<float> d2, out Vector512<float> d3);

        Lanes(a0, b0, c0, d0, out a0, out b0, out c0, out d0);
        Lanes(a1, b1, c1, d1, out a1, out b1, out c1, out d1);
        Lanes(a2, b2, c2, d2, out a2, out b2, out c2, out d2);
        Lanes(a3, b3, c3, d3, out a3, out b3, out c3, out d3);

        // In ascending order, since a vector may reach into the next row of the panel.
        a0.Store(to);
        a1.Store(to += w);
        a2.Store(to += w);
        a3.Store(to += w);
        b0.Store(to += w);
        b1.Store(to += w);
        b2.Store(to += w);
        b3.Store(to += w);
        c0.Store(to += w);
        c1.Store(to += w);
        c2.Store(to += w);
        c3.Store(to += w);
        d0.Store(to += w);
        d1.Store(to += w);
        d2.Store(to += w);
        d3.Store(to + w);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads<TStored>(
        byte** row, nint at, out Vector512<float> q0, out Vector512<float> q1, out Vector512<float> q2, out Vector512<float> q3)
        where TStored : struct, IStored
    {
        Vector512<float> r0 = TStored.Load512(row[0] + at), r1 = TStored.Load512(row[1] + at);
        Vector512<float> r2 = TStored.Load512(row[2] + at), r3 = TStored.Load512(row[3] + at);
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        q0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        q1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        q2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        q3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    // A 4 x 4 transposition of 128-bit lanes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d,
        out Vector512<float> l0, out Vector512<float> l1, out Vector512<float> l2, out Vector512<float> l3)
    {
        Vector512<float> ab02 = Avx512F.Shuffle4x128(a, b, 0b10_00_10_00), ab13 = Avx512F.Shuffle4x128(a, b, 0b11_01_11_01);
        Vector512<float> cd02 = Avx512F.Shuffle4x128(c, d, 0b10_00_10_00), cd13 = Avx512F.Shuffle4x128(c, d, 0b11_01_11_01);
        l0 = Avx512F.Shuffle4x128(ab02, cd02, 0b10_00_10_00);
        l1 = Avx512F.Shuffle4x128(ab13, cd13, 0b10_00_10_00);
        l2 = Avx512F.Shuffle4x128(ab02, cd02, 0b11_01_11_01);
        l3 = Avx512F.Shuffle4x128(ab13, cd13, 0b11_01_11_01);
    }

    // The same with blocks of 8 x 8.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose256<TStored>(byte* from, nint stride, int rows, int k, int width, float* to)
        where TStored : struct, IStored
    {
        byte** row = stackalloc byte*[8];
        for (int first = 0; first < width; first += 8)
        {
            for (int i = 0; i < 8; i++)
                row[i] = from + Math.Min(first + i, rows - 1) * stride * TStored.Size;
            for (int block = 0; block < k; block += 8)
            {
                int p = Math.Min(block, k - 8);
                nint at = (nint)p * TStored.Size;
                float* c = to + (nint)p * width + first;
                Quads<TStored>(
                    row, at, out Vector256<float> a0, out Vector256<float> a1, out Vector256<float> a2, out Vector256<float> a3);
                Quads<TStored>(
                    row + 4, at, out Vector256<float> b0, out Vector256<float> b1, out Vector256<float> b2, out Vector256<float> b3);
                nint w = width;
                Avx.Permute2x128(a0, b0, 0x20).Store(c);
                Avx.Permute2x128(a1, b1, 0x20).Store(c += w);
                Avx.Permute2x128(a2, b2, 0x20).Store(c += w);
                Avx.Permute2x128(a3, b3, 0x20).Store(c += w);
                Avx.Permute2x128(a0, b0, 0x31).Store(c += w);
                Avx.Permute2x128(a1, b1, 0x31).Store(c += w);
                Avx.Permute2x128(a2, b2, 0x31).Store(c += w);
                Avx.Permute2x128(a3, b3, 0x31).Store(c + w);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads<TStored>(
        byte** row, nint at, out Vector256<float> q0, out Vector256<float> q1, out Vector256<float> q2, out Vector256<float> q3)
        where TStored : struct, IStored
    {
        Vector256<float> r0 = TStored.Load256(row[0] + at), r1 = TStored.Load256(row[1] + at);
        Vector256<float> r2 = TStored.Load256(row[2] + at), r3 = TStored.Load256(row[3] + at);
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble(), high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble(), high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        q0 = Avx.UnpackLow(low01, low23).AsSingle();
        q1 = Avx.UnpackHigh(low01, low23).AsSingle();
        q2 = Avx.UnpackLow(high01, high23).AsSingle();
        q3 = Avx.UnpackHigh(high01, high23).AsSingle();
    }
}
