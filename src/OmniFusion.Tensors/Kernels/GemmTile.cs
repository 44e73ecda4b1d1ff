using System.Runtime.CompilerServices;

namespace OmniFusion.Tensors;

/// <summary>
/// The innermost loop of the matrix product for processors with 16 vector registers: a tile of up to 6 rows and 2 vectors of columns.
/// </summary>
internal static unsafe class GemmTile<TSimd, V>
    where TSimd : struct, ISimd<V>
    where V : struct
{
    internal const int Rows = 6;

    internal static int Columns => 2 * TSimd.Width;

    /// <summary>As <see cref="GemmTile512.Run"/>, of panels [k, 6] and [k, Columns].</summary>
    internal static void Run(int rows, int k, float* a, float* b, float* c, nint stride, float* bias, bool accumulate)
    {
        switch ((rows + 1) >> 1)
        {
            case 1: Run<Rows2>(k, a, b, c, stride, bias, accumulate); break;
            case 2: Run<Rows4>(k, a, b, c, stride, bias, accumulate); break;
            default: Run<Rows6>(k, a, b, c, stride, bias, accumulate); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRows>(int k, float* a, float* b, float* c, nint stride, float* bias, bool accumulate)
        where TRows : struct, IRows
    {
        V c00 = default, c01 = default;
        V c10 = default, c11 = default;
        V c20 = default, c21 = default;
        V c30 = default, c31 = default;
        V c40 = default, c41 = default;
        V c50 = default, c51 = default;
        for (float* end = a + (nint)k * Rows; a < end; a += Rows, b += Columns)
        {
            V b0 = TSimd.Load(b), b1 = TSimd.Load(b + TSimd.Width), x;
            x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a[1]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            if (TRows.Count > 2)
            {
                x = TSimd.Broadcast(a[2]);
                c20 = TSimd.MultiplyAdd(x, b0, c20);
                c21 = TSimd.MultiplyAdd(x, b1, c21);
                x = TSimd.Broadcast(a[3]);
                c30 = TSimd.MultiplyAdd(x, b0, c30);
                c31 = TSimd.MultiplyAdd(x, b1, c31);
            }
            if (TRows.Count > 4)
            {
                x = TSimd.Broadcast(a[4]);
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                c41 = TSimd.MultiplyAdd(x, b1, c41);
                x = TSimd.Broadcast(a[5]);
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                c51 = TSimd.MultiplyAdd(x, b1, c51);
            }
        }
        V bias0 = bias == null ? default : TSimd.Load(bias);
        V bias1 = bias == null ? default : TSimd.Load(bias + TSimd.Width);
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
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(V sum0, V sum1, float* c, V bias0, V bias1, bool accumulate)
    {
        TSimd.Store(TSimd.Add(accumulate ? TSimd.Load(c) : bias0, sum0), c);
        TSimd.Store(TSimd.Add(accumulate ? TSimd.Load(c + TSimd.Width) : bias1, sum1), c + TSimd.Width);
    }
}
