using System.Runtime.CompilerServices;

namespace OmniFusion.Tensors;

/// <summary>
/// A matrix product c[m,n] = bias + Σ a[m,k]·b[n,k], or added to c, after Goto and van de Geijn, "Anatomy of High-Performance Matrix
/// Multiplication" (2008): both factors are copied into panels, cut along k so that a panel of b stays in the first cache while all panels
/// of a pass by. Here a is copied first, by all threads; each panel of b is copied by the thread that needs it, just before.
/// Every element is summed by one thread in an order that depends on k alone, so the result does not depend on the number of threads.
/// </summary>
internal unsafe struct GemmJob
{
    internal GemmFactor A, B;
    internal int M, N, K;
    internal float* C;

    /// <summary>Null, or what a row of the result begins with when it is not added to.</summary>
    internal float* Bias;

    /// <summary>Whether c keeps what it holds.</summary>
    internal bool Accumulate;

    // The part of the product at work: rows [RowStart, RowStart + RowCount), and InnerBlocks blocks of k from InnerStart on.
    internal int RowStart, RowCount;
    internal int InnerBlock, InnerStart, InnerBlocks;

    // Panels of a: InnerBlocks times RowPanels of them.
    internal float* PackedA;
    internal nint PanelSize;
    internal int RowPanels, PanelsPerPart;

    // A part of the second loop is one panel of b against one split of the rows.
    internal int ColumnPanels, RowSplits;
}

/// <summary>The loops around a tile kernel. <see cref="GemmJob"/> tells how.</summary>
internal static unsafe class Gemm<TSimd, V>
    where TSimd : struct, ISimd<V>
    where V : struct
{
    // A panel of b (32 columns) takes 28 to 32 KB of a first cache of 48 KB; with narrower vectors a half, in one of 32 KB.
    private const int LongestInnerBlock = 256;

    // Bounds the panels of a to 4 MB, and its rows so that they fit a second cache of 1 MB together with one block of k.
    private const int PackedNumbers = 1 << 20;
    private const int MostRows = 4096;
    private const int RowsOfSplit = 700;

    private const double SmallestParallel = 400_000;

    private static bool Wide => typeof(TSimd) == typeof(Simd512);

    private static int TileRows => Wide ? GemmTile512.Rows : GemmTile<TSimd, V>.Rows;

    private static int TileColumns => Wide ? GemmTile512.Columns : GemmTile<TSimd, V>.Columns;

    internal static void Run(ref GemmJob job, WorkerPool pool)
    {
        if (job.M == 0 || job.N == 0 || job.K == 0)
            return;
        bool alone = pool.Threads == 1 || (double)job.M * job.N * job.K < SmallestParallel;
        fixed (GemmJob* state = &job)
        {
            bool accumulate = job.Accumulate;
            int blocks = (job.K + LongestInnerBlock - 1) / LongestInnerBlock;
            job.InnerBlock = ((job.K + blocks - 1) / blocks + 15) & ~15;
            job.ColumnPanels = (job.N + TileColumns - 1) / TileColumns;
            for (job.RowStart = 0; job.RowStart < job.M; job.RowStart += MostRows)
            {
                job.RowCount = Math.Min(job.M - job.RowStart, MostRows);
                job.RowPanels = (job.RowCount + TileRows - 1) / TileRows;
                job.PanelSize = (TileRows * job.InnerBlock + GemmPack<TSimd, V>.Slack + 15) & ~15;
                job.PanelsPerPart = Math.Max(1, (1 << 14) / (int)job.PanelSize);
                int blocksAtOnce = (int)Math.Max(1, PackedNumbers / (job.RowPanels * job.PanelSize));
                int wanted = alone ? 1 : 6 * pool.Threads;
                int splits = Math.Max((wanted + job.ColumnPanels - 1) / job.ColumnPanels, (job.RowCount + RowsOfSplit - 1) / RowsOfSplit);
                job.RowSplits = Math.Min(splits, (job.RowPanels + 7) / 8);
                job.Accumulate = accumulate;
                for (job.InnerStart = 0; job.InnerStart < job.K; job.InnerStart += job.InnerBlocks * job.InnerBlock)
                {
                    int left = (job.K - job.InnerStart + job.InnerBlock - 1) / job.InnerBlock;
                    job.InnerBlocks = Math.Min(left, blocksAtOnce);
                    job.PackedA = GemmScratch.Shared(job.InnerBlocks * job.RowPanels * job.PanelSize);
                    int packs = job.InnerBlocks * ((job.RowPanels + job.PanelsPerPart - 1) / job.PanelsPerPart);
                    Loop(alone, pool, packs, &PackA, state);
                    Loop(alone, pool, job.RowSplits * job.ColumnPanels, &Multiply, state);
                    job.Accumulate = true;
                }
            }
        }
    }

    private static void Loop(bool alone, WorkerPool pool, int parts, delegate*<void*, int, void> body, void* state)
    {
        if (!alone)
        {
            pool.For(parts, body, state);
            return;
        }
        for (int part = 0; part < parts; part++)
            body(state, part);
    }

    private static int InnerCount(GemmJob* job, int block) => Math.Min(job->InnerBlock, job->K - job->InnerStart - block * job->InnerBlock);

    private static void PackA(void* state, int part)
    {
        GemmJob* job = (GemmJob*)state;
        int block = part % job->InnerBlocks;
        int first = part / job->InnerBlocks * job->PanelsPerPart;
        int last = Math.Min(first + job->PanelsPerPart, job->RowPanels);
        for (int panel = first; panel < last; panel++)
        {
            GemmPack<TSimd, V>.Panel(
                job->A, job->RowStart + panel * TileRows, job->M - job->RowStart - panel * TileRows,
                job->InnerStart + block * job->InnerBlock, InnerCount(job, block), TileRows,
                job->PackedA + (block * job->RowPanels + panel) * job->PanelSize);
        }
    }

    [SkipLocalsInit]
    private static void Multiply(void* state, int part)
    {
        GemmJob* job = (GemmJob*)state;
        int split = part / job->ColumnPanels;
        int firstPanel = (int)((long)job->RowPanels * split / job->RowSplits);
        int lastPanel = (int)((long)job->RowPanels * (split + 1) / job->RowSplits);
        int column = part % job->ColumnPanels * TileColumns;
        int columns = Math.Min(TileColumns, job->N - column);
        float* b = GemmScratch.Own(job->InnerBlock * TileColumns + GemmPack<TSimd, V>.Slack);
        float* edge = stackalloc float[GemmTile512.Rows * GemmTile512.Columns];
        float* bias = job->Bias == null ? null : job->Bias + column;
        bool accumulate = job->Accumulate;
        for (int block = 0; block < job->InnerBlocks; block++)
        {
            int k = InnerCount(job, block);
            GemmPack<TSimd, V>.Panel(job->B, column, job->N - column, job->InnerStart + block * job->InnerBlock, k, TileColumns, b);
            for (int panel = firstPanel; panel < lastPanel; panel++)
            {
                float* a = job->PackedA + (block * job->RowPanels + panel) * job->PanelSize;
                int rows = Math.Min(TileRows, job->RowCount - panel * TileRows);
                float* c = job->C + (nint)(job->RowStart + panel * TileRows) * job->N + column;
                if (columns == TileColumns && (rows & 1) == 0)
                {
                    Tile(rows, k, a, b, c, job->N, bias, accumulate);
                    continue;
                }
                Tile(rows, k, a, b, edge, TileColumns, null, false);
                for (int r = 0; r < rows; r++, c += job->N)
                {
                    for (int j = 0; j < columns; j++)
                        c[j] = edge[r * TileColumns + j] + (accumulate ? c[j] : bias == null ? 0 : bias[j]);
                }
            }
            accumulate = true;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile(int rows, int k, float* a, float* b, float* c, nint stride, float* bias, bool accumulate)
    {
        if (Wide)
            GemmTile512.Run(rows, k, a, b, c, stride, bias, accumulate);
        else
            GemmTile<TSimd, V>.Run(rows, k, a, b, c, stride, bias, accumulate);
    }
}

/// <summary>Memory of a thread for panels, kept for the next product.</summary>
internal static unsafe class GemmScratch
{
    [ThreadStatic]
    private static NativeBuffer? t_shared, t_own;

    /// <summary>For what all threads of a loop read.</summary>
    internal static float* Shared(nint count) => AtLeast(ref t_shared, count);

    /// <summary>For what this thread alone uses.</summary>
    internal static float* Own(nint count) => AtLeast(ref t_own, count);

    private static float* AtLeast(ref NativeBuffer? buffer, nint count)
    {
        if (buffer is null || buffer.Bytes < count * sizeof(float))
            buffer = new NativeBuffer(count * sizeof(float), zeroed: true);
        return (float*)buffer.Pointer;
    }
}
