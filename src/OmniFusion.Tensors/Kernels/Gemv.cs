using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OmniFusion.Tensors;

/// <summary>
/// The matrix product of a few rows, which is bound by reading the weights: every weight is read once from memory, in its stored type,
/// and used for all rows while it is in a register.
/// </summary>
internal unsafe struct GemvJob
{
    internal float* X, Y, Bias;
    internal byte* W;
    internal DType Type;
    internal int M, N, K, RowsPerPart;
}

/// <summary>Dot products of up to six rows of x with four rows of w at once.</summary>
internal static unsafe class Gemv<TSimd, V>
    where TSimd : struct, ISimd<V>
    where V : struct
{
    // Bytes of each of four rows that are fetched ahead of their use: together they cover what memory delivers within its latency.
    private const int Ahead = 2048;

    private const int StreamAhead = 4096;

    // Rows of w in one block.
    private const int Block = 4;

    // Weights that a part has at least: less is not worth handing over.
    private const int WeightsOfPart = 1 << 16;

    // Weights beyond this come from memory whatever the caches hold.
    private const long BytesFromMemory = 8 << 20;

    // More rows than these share weights that are widened once.
    private const int MostWidenedTwice = 2;

    // 24 sums with 32 registers, 12 with 16.
    private static int MostRows => typeof(TSimd) == typeof(Simd512) ? 6 : 3;

    internal static void Run(ref GemvJob job, WorkerPool pool)
    {
        long parts = Math.Min((long)job.N * job.K * (1 + job.M / 4) / WeightsOfPart, 4 * pool.Threads);
        job.RowsPerPart = parts <= 1 ? job.N : (int)((job.N + parts - 1) / parts + Block - 1) / Block * Block;
        fixed (GemvJob* state = &job)
            pool.For((job.N + job.RowsPerPart - 1) / job.RowsPerPart, &Part, state);
    }

    private static void Part(void* state, int part)
    {
        GemvJob* job = (GemvJob*)state;
        int first = part * job->RowsPerPart, last = Math.Min(first + job->RowsPerPart, job->N);
        switch (job->Type)
        {
            case DType.F32: Rows<StoredF32>(job, first, last); break;
            case DType.BF16: Rows<StoredBF16>(job, first, last); break;
            default: Rows<StoredF16>(job, first, last); break;
        }
    }

    private static void Rows<TStored>(GemvJob* job, int first, int last)
        where TStored : struct, IStored
    {
        if (job->M == 1 && (long)job->N * job->K * TStored.Size > BytesFromMemory)
        {
            Stream<TStored>(job, first, last);
            return;
        }
        // To widen such a number takes several registers, which many sums leave none of, and longer than to use it.
        bool widens = typeof(TStored) == typeof(StoredF16) && job->M > MostWidenedTwice;
        float* wide = widens ? GemmScratch.Own((nint)Block * job->K) : null;
        // Four rows that lie a quarter of the part apart: each quarter is read from its first byte to its last, which processors foresee.
        // Neighbours would be four new beginnings every few rows' length.
        int quarter = (last - first + Block - 1) / Block;
        nint row = (nint)job->K * TStored.Size;
        for (int n = first; n < first + quarter; n++)
        {
            int columns = (last - n + quarter - 1) / quarter;
            byte* w = job->W + n * row;
            for (int j = 0; widens && j < columns; j++)
                Widen<TStored>(w + j * quarter * row, job->K, wide + (nint)j * job->K);
            int rest = job->M;
            for (int m = 0; m < job->M;)
            {
                // Equal shares: 8 rows are 4 + 4 rather than 6 + 2.
                int shares = (rest + MostRows - 1) / MostRows;
                int rows = (rest + shares - 1) / shares;
                if (widens)
                    Dots<StoredF32>(job, rows, m, (byte*)wide, (nint)job->K * sizeof(float), n, quarter, columns);
                else
                    Dots<TStored>(job, rows, m, w, quarter * row, n, quarter, columns);
                m += rows;
                rest -= rows;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen<TStored>(byte* from, int count, float* to)
        where TStored : struct, IStored
    {
        int i = 0;
        for (; i <= count - TSimd.Width; i += TSimd.Width)
        {
            Cache.Fetch(from + i * TStored.Size + StreamAhead);
            TSimd.Store(TSimd.Load<TStored>(from + i * TStored.Size), to + i);
        }
        for (; i < count; i++)
            to[i] = TStored.Load(from + i * TStored.Size);
    }

    private static void Dots<TStored>(GemvJob* job, int rows, int m, byte* w, nint apart, int n, int step, int columns)
        where TStored : struct, IStored
    {
        switch (rows)
        {
            case 1: Dots<TStored, Rows1>(job, m, w, apart, n, step, columns); break;
            case 2: Dots<TStored, Rows2>(job, m, w, apart, n, step, columns); break;
            case 3: Dots<TStored, Rows3>(job, m, w, apart, n, step, columns); break;
            case 4: Dots<TStored, Rows4>(job, m, w, apart, n, step, columns); break;
            case 5: Dots<TStored, Rows5>(job, m, w, apart, n, step, columns); break;
            default: Dots<TStored, Rows6>(job, m, w, apart, n, step, columns); break;
        }
    }

    // Up to six rows of x from m on with up to four rows of w, which lie some bytes apart from w0 on and are n, n + step, and so on.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dots<TStored, TRows>(GemvJob* job, int m, byte* w0, nint apart, int n, int step, int columns)
        where TStored : struct, IStored
        where TRows : struct, IRows
    {
        int k = job->K;
        byte* w1 = columns > 1 ? w0 + apart : w0, w2 = columns > 2 ? w0 + 2 * apart : w0, w3 = columns > 3 ? w0 + 3 * apart : w0;
        float* x0 = job->X + (nint)m * k;
        float* x1 = x0 + k, x2 = x1 + k, x3 = x2 + k, x4 = x3 + k, x5 = x4 + k;
        V c00 = default, c01 = default, c02 = default, c03 = default;
        V c10 = default, c11 = default, c12 = default, c13 = default;
        V c20 = default, c21 = default, c22 = default, c23 = default;
        V c30 = default, c31 = default, c32 = default, c33 = default;
        V c40 = default, c41 = default, c42 = default, c43 = default;
        V c50 = default, c51 = default, c52 = default, c53 = default;
        nint i = 0;
        for (; i <= k - TSimd.Width; i += TSimd.Width)
        {
            nint ahead = i * TStored.Size + Ahead;
            Cache.Fetch(w0 + ahead);
            Cache.Fetch(w1 + ahead);
            Cache.Fetch(w2 + ahead);
            Cache.Fetch(w3 + ahead);
            V v0 = TSimd.Load<TStored>(w0 + i * TStored.Size), v1 = TSimd.Load<TStored>(w1 + i * TStored.Size);
            V v2 = TSimd.Load<TStored>(w2 + i * TStored.Size), v3 = TSimd.Load<TStored>(w3 + i * TStored.Size), x;
            x = TSimd.Load(x0 + i);
            c00 = TSimd.MultiplyAdd(x, v0, c00);
            c01 = TSimd.MultiplyAdd(x, v1, c01);
            c02 = TSimd.MultiplyAdd(x, v2, c02);
            c03 = TSimd.MultiplyAdd(x, v3, c03);
            if (TRows.Count > 1)
            {
                x = TSimd.Load(x1 + i);
                c10 = TSimd.MultiplyAdd(x, v0, c10);
                c11 = TSimd.MultiplyAdd(x, v1, c11);
                c12 = TSimd.MultiplyAdd(x, v2, c12);
                c13 = TSimd.MultiplyAdd(x, v3, c13);
            }
            if (TRows.Count > 2)
            {
                x = TSimd.Load(x2 + i);
                c20 = TSimd.MultiplyAdd(x, v0, c20);
                c21 = TSimd.MultiplyAdd(x, v1, c21);
                c22 = TSimd.MultiplyAdd(x, v2, c22);
                c23 = TSimd.MultiplyAdd(x, v3, c23);
            }
            if (TRows.Count > 3)
            {
                x = TSimd.Load(x3 + i);
                c30 = TSimd.MultiplyAdd(x, v0, c30);
                c31 = TSimd.MultiplyAdd(x, v1, c31);
                c32 = TSimd.MultiplyAdd(x, v2, c32);
                c33 = TSimd.MultiplyAdd(x, v3, c33);
            }
            if (TRows.Count > 4)
            {
                x = TSimd.Load(x4 + i);
                c40 = TSimd.MultiplyAdd(x, v0, c40);
                c41 = TSimd.MultiplyAdd(x, v1, c41);
                c42 = TSimd.MultiplyAdd(x, v2, c42);
                c43 = TSimd.MultiplyAdd(x, v3, c43);
            }
            if (TRows.Count > 5)
            {
                x = TSimd.Load(x5 + i);
                c50 = TSimd.MultiplyAdd(x, v0, c50);
                c51 = TSimd.MultiplyAdd(x, v1, c51);
                c52 = TSimd.MultiplyAdd(x, v2, c52);
                c53 = TSimd.MultiplyAdd(x, v3, c53);
            }
        }
        float* parts = stackalloc float[6 * Block * 16];
        Store(c00, c01, c02, c03, parts);
        if (TRows.Count > 1)
            Store(c10, c11, c12, c13, parts + 4 * TSimd.Width);
        if (TRows.Count > 2)
            Store(c20, c21, c22, c23, parts + 8 * TSimd.Width);
        if (TRows.Count > 3)
            Store(c30, c31, c32, c33, parts + 12 * TSimd.Width);
        if (TRows.Count > 4)
            Store(c40, c41, c42, c43, parts + 16 * TSimd.Width);
        if (TRows.Count > 5)
            Store(c50, c51, c52, c53, parts + 20 * TSimd.Width);
        float* sums = stackalloc float[6 * Block];
        Sum(parts, TRows.Count * Block, sums);
        for (; i < k; i++)
        {
            float u0 = TStored.Load(w0 + i * TStored.Size), u1 = TStored.Load(w1 + i * TStored.Size);
            float u2 = TStored.Load(w2 + i * TStored.Size), u3 = TStored.Load(w3 + i * TStored.Size);
            for (int r = 0; r < TRows.Count; r++)
            {
                float u = x0[(nint)r * k + i];
                sums[r * Block] += u * u0;
                sums[r * Block + 1] += u * u1;
                sums[r * Block + 2] += u * u2;
                sums[r * Block + 3] += u * u3;
            }
        }
        for (int r = 0; r < TRows.Count; r++)
        {
            float* y = job->Y + (nint)(m + r) * job->N + n;
            for (int j = 0; j < columns; j++)
                y[(nint)j * step] = sums[r * Block + j] + (job->Bias == null ? 0 : job->Bias[n + j * step]);
        }
    }

    // One row of x with weights from memory: they are read from the first to the last, which memory is fastest at.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stream<TStored>(GemvJob* job, int first, int last)
        where TStored : struct, IStored
    {
        int k = job->K, step = TSimd.Width * TStored.Size;
        byte* w = job->W + (nint)first * k * TStored.Size;
        float* x = job->X;
        float* parts = stackalloc float[16];
        // Where a number is widened in several steps, the processor does not run far enough ahead to keep memory busy; else it foresees
        // what is next, and asking for it only stands in the way.
        bool foreseen = typeof(TStored) != typeof(StoredF16);
        for (int n = first; n < last; n++)
        {
            V c0 = default, c1 = default, c2 = default, c3 = default;
            int i = 0;
            for (; i <= k - 4 * TSimd.Width; i += 4 * TSimd.Width, w += 4 * step)
            {
                for (int line = 0; !foreseen && line < 4 * step; line += Cache.Line)
                    Cache.Fetch(w + StreamAhead + line);
                c0 = TSimd.MultiplyAdd(TSimd.Load(x + i), TSimd.Load<TStored>(w), c0);
                c1 = TSimd.MultiplyAdd(TSimd.Load(x + i + TSimd.Width), TSimd.Load<TStored>(w + step), c1);
                c2 = TSimd.MultiplyAdd(TSimd.Load(x + i + 2 * TSimd.Width), TSimd.Load<TStored>(w + 2 * step), c2);
                c3 = TSimd.MultiplyAdd(TSimd.Load(x + i + 3 * TSimd.Width), TSimd.Load<TStored>(w + 3 * step), c3);
            }
            TSimd.Store(TSimd.Add(TSimd.Add(c0, c1), TSimd.Add(c2, c3)), parts);
            float sum;
            Sum(parts, 1, &sum);
            for (; i < k; i++, w += TStored.Size)
                sum += x[i] * TStored.Load(w);
            job->Y[n] = sum + (job->Bias == null ? 0 : job->Bias[n]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V c0, V c1, V c2, V c3, float* to)
    {
        TSimd.Store(c0, to);
        TSimd.Store(c1, to + TSimd.Width);
        TSimd.Store(c2, to + 2 * TSimd.Width);
        TSimd.Store(c3, to + 3 * TSimd.Width);
    }

    // Apart, because a call within the loop's method would drive its sums out of the registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Sum(float* parts, int count, float* sums)
    {
        for (int i = 0; i < count; i++, parts += TSimd.Width)
        {
            Vector128<float> sum = Vector128.Load(parts);
            for (int part = 4; part < TSimd.Width; part += 4)
                sum += Vector128.Load(parts + part);
            sums[i] = Vector128.Sum(sum);
        }
    }
}
