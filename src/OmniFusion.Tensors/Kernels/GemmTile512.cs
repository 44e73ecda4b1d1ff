using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

/// <summary>A part of a factor that is fetched into the second cache while tiles are computed: one line in each step, row by row.</summary>
internal struct GemmAhead
{
    private readonly nint _stride;
    private nint _row;
    private int _rows;

    /// <param name="factor">What to fetch of.</param>
    /// <param name="outer">The first outer index.</param>
    /// <param name="inner">The first inner index.</param>
    /// <param name="outerCount">Number of outer indices.</param>
    /// <param name="innerCount">Number of inner indices.</param>
    internal unsafe GemmAhead(in GemmFactor factor, int outer, int inner, int outerCount, int innerCount)
    {
        (int rows, int columns) = factor.InnerIsContiguous ? (outerCount, innerCount) : (innerCount, outerCount);
        _row = (nint)factor.At(outer, inner);
        _stride = factor.Stride * factor.Type.Size();
        _rows = rows;
        Lines = (columns * factor.Type.Size() + Cache.Line - 1) / Cache.Line;
    }

    /// <summary>Lines of a row.</summary>
    internal int Lines { get; }

    /// <summary>Whether something is left.</summary>
    internal readonly bool Any => _rows > 0;

    /// <summary>The next row.</summary>
    internal nint Next()
    {
        nint row = _row;
        _row += _stride;
        _rows--;
        return row;
    }
}

/// <summary>
/// The innermost loop of the matrix product with 512-bit vectors: a tile of up to 14 rows and 32 columns whose sums stay in 28 registers
/// while the summed axis is walked. The compiler keeps only named locals in registers, hence the long hand.
/// </summary>
internal static unsafe class GemmTile512
{
    internal const int Rows = 14;
    internal const int Columns = 32;

    /// <summary>
    /// c[rows, 32] = (accumulate ? c : bias) + a·b, where a is a panel [k, 14] and b a panel [k, 32]. With an odd number of rows one
    /// more is written. What is <paramref name="ahead"/> is fetched meanwhile.
    /// </summary>
    internal static void Run(
        int rows, int k, float* a, float* b, float* c, nint stride, float* bias, bool accumulate, ref GemmAhead ahead)
    {
        if (ahead.Any)
            Run<Fetches>(rows, k, a, b, c, stride, bias, accumulate, ref ahead);
        else
            Run<FetchesNothing>(rows, k, a, b, c, stride, bias, accumulate, ref ahead);
    }

    private static void Run<TFetch>(
        int rows, int k, float* a, float* b, float* c, nint stride, float* bias, bool accumulate, ref GemmAhead ahead)
        where TFetch : struct, IFetch
    {
        switch ((rows + 1) >> 1)
        {
            case 1: Run<TFetch, Rows2>(k, a, b, c, stride, bias, accumulate, ref ahead); break;
            case 2: Run<TFetch, Rows4>(k, a, b, c, stride, bias, accumulate, ref ahead); break;
            case 3: Run<TFetch, Rows6>(k, a, b, c, stride, bias, accumulate, ref ahead); break;
            case 4: Run<TFetch, Rows8>(k, a, b, c, stride, bias, accumulate, ref ahead); break;
            case 5: Run<TFetch, Rows10>(k, a, b, c, stride, bias, accumulate, ref ahead); break;
            case 6: Run<TFetch, Rows12>(k, a, b, c, stride, bias, accumulate, ref ahead); break;
            default: Run<TFetch, Rows14>(k, a, b, c, stride, bias, accumulate, ref ahead); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFetch, TRows>(
        int k, float* a, float* b, float* c, nint stride, float* bias, bool accumulate, ref GemmAhead ahead)
        where TFetch : struct, IFetch
        where TRows : struct, IRows
    {
        Vector512<float> c00 = default, c01 = default;
        Vector512<float> c10 = default, c11 = default;
        Vector512<float> c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default;
        Vector512<float> c50 = default, c51 = default;
        Vector512<float> c60 = default, c61 = default;
        Vector512<float> c70 = default, c71 = default;
        Vector512<float> c80 = default, c81 = default;
        Vector512<float> c90 = default, c91 = default;
        Vector512<float> c100 = default, c101 = default;
        Vector512<float> c110 = default, c111 = default;
        Vector512<float> c120 = default, c121 = default;
        Vector512<float> c130 = default, c131 = default;
        // The result is fetched while the sums are made.
        for (int r = 0; r < TRows.Count; r++)
        {
            Sse.Prefetch0(c + r * stride);
            Sse.Prefetch0(c + r * stride + 16);
        }
        int rest = k;
        do
        {
            int count = TFetch.Any ? Math.Min(rest, ahead.Lines) : rest;
            byte* line = TFetch.Any ? (byte*)ahead.Next() : null;
            for (float* end = a + (nint)count * Rows; a < end; a += Rows, b += Columns)
            {
                if (TFetch.Any)
                {
                    Sse.Prefetch1(line);
                    line += Cache.Line;
                }
                Vector512<float> b0 = Vector512.Load(b), b1 = Vector512.Load(b + 16), x;
                x = Vector512.Create(a[0]);
                c00 = Avx512F.FusedMultiplyAdd(x, b0, c00);
                c01 = Avx512F.FusedMultiplyAdd(x, b1, c01);
                x = Vector512.Create(a[1]);
                c10 = Avx512F.FusedMultiplyAdd(x, b0, c10);
                c11 = Avx512F.FusedMultiplyAdd(x, b1, c11);
                if (TRows.Count > 2)
                {
                    x = Vector512.Create(a[2]);
                    c20 = Avx512F.FusedMultiplyAdd(x, b0, c20);
                    c21 = Avx512F.FusedMultiplyAdd(x, b1, c21);
                    x = Vector512.Create(a[3]);
                    c30 = Avx512F.FusedMultiplyAdd(x, b0, c30);
                    c31 = Avx512F.FusedMultiplyAdd(x, b1, c31);
                }
                if (TRows.Count > 4)
                {
                    x = Vector512.Create(a[4]);
                    c40 = Avx512F.FusedMultiplyAdd(x, b0, c40);
                    c41 = Avx512F.FusedMultiplyAdd(x, b1, c41);
                    x = Vector512.Create(a[5]);
                    c50 = Avx512F.FusedMultiplyAdd(x, b0, c50);
                    c51 = Avx512F.FusedMultiplyAdd(x, b1, c51);
                }
                if (TRows.Count > 6)
                {
                    x = Vector512.Create(a[6]);
                    c60 = Avx512F.FusedMultiplyAdd(x, b0, c60);
                    c61 = Avx512F.FusedMultiplyAdd(x, b1, c61);
                    x = Vector512.Create(a[7]);
                    c70 = Avx512F.FusedMultiplyAdd(x, b0, c70);
                    c71 = Avx512F.FusedMultiplyAdd(x, b1, c71);
                }
                if (TRows.Count > 8)
                {
                    x = Vector512.Create(a[8]);
                    c80 = Avx512F.FusedMultiplyAdd(x, b0, c80);
                    c81 = Avx512F.FusedMultiplyAdd(x, b1, c81);
                    x = Vector512.Create(a[9]);
                    c90 = Avx512F.FusedMultiplyAdd(x, b0, c90);
                    c91 = Avx512F.FusedMultiplyAdd(x, b1, c91);
                }
                if (TRows.Count > 10)
                {
                    x = Vector512.Create(a[10]);
                    c100 = Avx512F.FusedMultiplyAdd(x, b0, c100);
                    c101 = Avx512F.FusedMultiplyAdd(x, b1, c101);
                    x = Vector512.Create(a[11]);
                    c110 = Avx512F.FusedMultiplyAdd(x, b0, c110);
                    c111 = Avx512F.FusedMultiplyAdd(x, b1, c111);
                }
                if (TRows.Count > 12)
                {
                    x = Vector512.Create(a[12]);
                    c120 = Avx512F.FusedMultiplyAdd(x, b0, c120);
                    c121 = Avx512F.FusedMultiplyAdd(x, b1, c121);
                    x = Vector512.Create(a[13]);
                    c130 = Avx512F.FusedMultiplyAdd(x, b0, c130);
                    c131 = Avx512F.FusedMultiplyAdd(x, b1, c131);
                }
            }
            rest -= count;
        }
        while (TFetch.Any && rest > 0);
        Vector512<float> bias0 = bias == null ? default : Vector512.Load(bias);
        Vector512<float> bias1 = bias == null ? default : Vector512.Load(bias + 16);
        Finish(c00, c01, c, bias0, bias1, accumulate);
        Finish(c10, c11, c + stride, bias0, bias1, accumulate);
        if (TRows.Count > 2)
        {
            Finish(c20, c21, c + 2 * stride, bias0, bias1, accumulate);
            Finish(c30, c31, c + 3 * stride, bias0, bias1, accumulate);
        }
        if (TRows.Count > 4)
        {
            Finish(c40, c41, c + 4 * stride, bias0, bias1, accumulate);
            Finish(c50, c51, c + 5 * stride, bias0, bias1, accumulate);
        }
        if (TRows.Count > 6)
        {
            Finish(c60, c61, c + 6 * stride, bias0, bias1, accumulate);
            Finish(c70, c71, c + 7 * stride, bias0, bias1, accumulate);
        }
        if (TRows.Count > 8)
        {
            Finish(c80, c81, c + 8 * stride, bias0, bias1, accumulate);
            Finish(c90, c91, c + 9 * stride, bias0, bias1, accumulate);
        }
        if (TRows.Count > 10)
        {
            Finish(c100, c101, c + 10 * stride, bias0, bias1, accumulate);
            Finish(c110, c111, c + 11 * stride, bias0, bias1, accumulate);
        }
        if (TRows.Count > 12)
        {
            Finish(c120, c121, c + 12 * stride, bias0, bias1, accumulate);
            Finish(c130, c131, c + 13 * stride, bias0, bias1, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(
        Vector512<float> sum0, Vector512<float> sum1, float* c, Vector512<float> bias0, Vector512<float> bias1, bool accumulate)
    {
        ((accumulate ? Vector512.Load(c) : bias0) + sum0).Store(c);
        ((accumulate ? Vector512.Load(c + 16) : bias1) + sum1).Store(c + 16);
    }

    private interface IFetch
    {
        static abstract bool Any { get; }
    }

    private readonly struct Fetches : IFetch
    {
        public static bool Any => true;
    }

    private readonly struct FetchesNothing : IFetch
    {
        public static bool Any => false;
    }
}
