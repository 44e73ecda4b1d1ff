using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

public sealed unsafe partial class CpuKernels
{
    // Up to so many rows the weights are read as they lie; with more it pays to copy them into panels first.
    private const int RowsOfGemv = 12;

    /// <summary>The vector instructions of the matrix products; tests choose others than the best.</summary>
    internal GemmPath GemmPath { get; init; } = BestGemmPath;

    internal static GemmPath BestGemmPath =>
        Avx512F.IsSupported && Vector512.IsHardwareAccelerated ? GemmPath.Avx512
        : Avx2.IsSupported && Fma.IsSupported ? GemmPath.Avx2
        : GemmPath.Portable;

    /// <inheritdoc/>
    public void MatMul(Tensor x, Tensor w, Tensor? bias, Tensor y)
    {
        (int m, int n, int k) = (x.Rows, w.Rows, w.Columns);
        if (y.Count == 0)
            return;
        using Widened start = new(bias);
        if (m <= RowsOfGemv)
        {
            GemvJob gemv = new() { X = x.Floats, Y = y.Floats, Bias = start.Data, W = w.Data, Type = w.DType, M = m, N = n, K = k };
            Run(ref gemv);
        }
        else if (GemmPath == GemmPath.Avx512 && w.DType == DType.F32 && GemmFew.Suits(m, n, k))
        {
            GemmFewJob few = new() { X = x.Floats, W = w.Floats, Y = y.Floats, Bias = start.Data, M = m, N = n, K = k };
            GemmFew.Run(ref few, Pool);
        }
        else
        {
            GemmJob gemm = new()
            {
                A = new GemmFactor((nint)x.Floats, DType.F32, k, InnerIsContiguous: true),
                B = new GemmFactor((nint)w.Data, w.DType, k, InnerIsContiguous: true),
                C = y.Floats,
                M = m,
                N = n,
                K = k,
                Bias = start.Data,
            };
            Run(ref gemm);
        }
        KeepAlive(x, w, bias, y);
    }

    /// <inheritdoc/>
    public void MatMulInputGrad(Tensor dy, Tensor w, Tensor dx)
    {
        (int m, int n, int k) = (dy.Rows, w.Rows, w.Columns);
        GemmJob gemm = new()
        {
            A = new GemmFactor((nint)dy.Floats, DType.F32, n, InnerIsContiguous: true),
            B = new GemmFactor((nint)w.Data, w.DType, k, InnerIsContiguous: false),
            C = dx.Floats,
            M = m,
            N = k,
            K = n,
            Accumulate = true,
        };
        Run(ref gemm);
        KeepAlive(dy, w, null, dx);
    }

    /// <inheritdoc/>
    public void MatMulWeightGrad(Tensor dy, Tensor x, Tensor? dw, Tensor? dbias)
    {
        (int m, int n, int k) = (dy.Rows, dy.Columns, x.Columns);
        if (dw is not null)
        {
            GemmJob gemm = new()
            {
                A = new GemmFactor((nint)dy.Floats, DType.F32, n, InnerIsContiguous: false),
                B = new GemmFactor((nint)x.Floats, DType.F32, k, InnerIsContiguous: false),
                C = dw.Floats,
                M = n,
                N = k,
                K = m,
                Accumulate = true,
            };
            Run(ref gemm);
        }
        if (dbias is not null)
        {
            ColumnSumsJob sums = new() { X = dy.Floats, Y = dbias.Floats, Rows = m, Columns = n };
            Pool.For((n + ColumnSumsJob.Width - 1) / ColumnSumsJob.Width, &ColumnSums, &sums);
        }
        KeepAlive(dy, x, dw, dbias);
    }

    private void Run(ref GemmJob job)
    {
        switch (GemmPath)
        {
            case GemmPath.Avx512: Gemm<Simd512, Vector512<float>>.Run(ref job, Pool); break;
            case GemmPath.Avx2: Gemm<Simd256, Vector256<float>>.Run(ref job, Pool); break;
            default: Gemm<SimdPortable, Vector<float>>.Run(ref job, Pool); break;
        }
    }

    private void Run(ref GemvJob job)
    {
        switch (GemmPath)
        {
            case GemmPath.Avx512: Gemv<Simd512, Vector512<float>>.Run(ref job, Pool); break;
            case GemmPath.Avx2: Gemv<Simd256, Vector256<float>>.Run(ref job, Pool); break;
            default: Gemv<SimdPortable, Vector<float>>.Run(ref job, Pool); break;
        }
    }

    private struct ColumnSumsJob
    {
        internal const int Width = 128;

        internal float* X, Y;
        internal int Rows, Columns;
    }

    [SkipLocalsInit]
    private static void ColumnSums(void* state, int part)
    {
        ColumnSumsJob* job = (ColumnSumsJob*)state;
        int first = part * ColumnSumsJob.Width, count = Math.Min(ColumnSumsJob.Width, job->Columns - first);
        float* sums = stackalloc float[ColumnSumsJob.Width];
        new Span<float>(sums, count).Clear();
        float* x = job->X + first;
        for (int row = 0; row < job->Rows; row++, x += job->Columns)
            AddTo(sums, x, count);
        AddTo(job->Y + first, sums, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTo(float* to, float* from, int count)
    {
        int i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            (Vector.Load(to + i) + Vector.Load(from + i)).Store(to + i);
        for (; i < count; i++)
            to[i] += from[i];
    }
}
