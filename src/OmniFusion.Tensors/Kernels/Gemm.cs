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
    internal int RowPanels;

    // A part of the second loop is a group of panels of b against one split of the rows.
    internal int ColumnPanels, PanelsPerPart, Groups, RowSplits;
}

/// <summary>The loops around a tile kernel. <see cref="GemmJob"/> tells how.</summary>
internal static unsafe class Gemm<TSimd, V>
    where TSimd : struct, ISimd<V>
    where V : struct
{
    // Bounds the panels of a to 4 MB.
    private const int PackedNumbers = 1 << 20;
    private const int MostRows = 4096;

    // Panels that are copied together.
    private const int GroupOfA = 8;
    private const int GroupOfB = 4;

    // Panels of a that stay in the second cache, about half a megabyte, while a group of panels of b passes by.
    private const int NumbersInCache = 1 << 17;

    // Rows for which copying a panel of b pays.
    private const int RowsOfSplit = 200;

    private static bool Wide => typeof(TSimd) == typeof(Simd512);

    private static int TileRows => Wide ? GemmTile512.Rows : GemmTile<TSimd, V>.Rows;

    private static int TileColumns => Wide ? GemmTile512.Columns : GemmTile<TSimd, V>.Columns;

    // Long enough to hide what a tile costs at its ends; a panel of b then takes 48 or 16 KB of the first cache, or is streamed.
    private static int LongestInnerBlock => Wide ? 384 : 256;

    internal static void Run(ref GemmJob job, WorkerPool pool)
    {
        if (job.M == 0 || job.N == 0 || job.K == 0)
            return;
        int wanted = GemmSharing.Parts(pool, job.M, job.N, job.K);
        bool alone = wanted == 1;
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
                int blocksAtOnce = (int)Math.Max(1, PackedNumbers / (job.RowPanels * job.PanelSize));
                job.PanelsPerPart = Math.Clamp(job.ColumnPanels * 2 / wanted, 1, GroupOfB);
                job.Groups = (job.ColumnPanels + job.PanelsPerPart - 1) / job.PanelsPerPart;
                job.RowSplits = Math.Clamp(job.RowCount / RowsOfSplit, 1, (wanted + job.Groups - 1) / job.Groups);
                job.Accumulate = accumulate;
                for (job.InnerStart = 0; job.InnerStart < job.K; job.InnerStart += job.InnerBlocks * job.InnerBlock)
                {
                    int left = (job.K - job.InnerStart + job.InnerBlock - 1) / job.InnerBlock;
                    job.InnerBlocks = Math.Min(left, blocksAtOnce);
                    job.PackedA = GemmScratch.Shared(job.InnerBlocks * job.RowPanels * job.PanelSize);
                    int packs = job.InnerBlocks * ((job.RowPanels + GroupOfA - 1) / GroupOfA);
                    Loop(alone, pool, packs, &PackA, state);
                    Loop(alone, pool, job.RowSplits * job.Groups, &Multiply, state);
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
        int first = part / job->InnerBlocks * GroupOfA;
        GemmPack<TSimd, V>.Panels(
            job->A, job->RowStart + first * TileRows, job->M - job->RowStart - first * TileRows,
            job->InnerStart + block * job->InnerBlock, InnerCount(job, block), TileRows,
            Math.Min(GroupOfA, job->RowPanels - first), job->PanelSize, job->PackedA + (block * job->RowPanels + first) * job->PanelSize);
    }

    private static void Multiply(void* state, int part)
    {
        GemmJob* job = (GemmJob*)state;
        int split = part / job->Groups;
        int rowsBegin = (int)((long)job->RowPanels * split / job->RowSplits);
        int rowsEnd = (int)((long)job->RowPanels * (split + 1) / job->RowSplits);
        int columnsBegin = part % job->Groups * job->PanelsPerPart;
        int columnsEnd = Math.Min(columnsBegin + job->PanelsPerPart, job->ColumnPanels);
        int rowsAtOnce = Math.Max(1, NumbersInCache / (int)job->PanelSize);
        nint size = job->InnerBlock * TileColumns + GemmPack<TSimd, V>.Slack;
        float* b = GemmScratch.Own((columnsEnd - columnsBegin) * size);
        // With so few rows the panels of b would come from memory slower than they are used.
        bool fetch = Wide && rowsEnd - rowsBegin <= rowsAtOnce && job->B.IsFromMemory(job->B.InnerIsContiguous ? job->N : job->K);
        for (int block = 0; block < job->InnerBlocks; block++)
        {
            int column = columnsBegin * TileColumns;
            GemmPack<TSimd, V>.Panels(
                job->B, column, job->N - column, job->InnerStart + block * job->InnerBlock, InnerCount(job, block), TileColumns,
                columnsEnd - columnsBegin, size, b);
            GemmAhead ahead = fetch ? WhatIsNext(job, block, columnsBegin, columnsEnd) : default;
            for (int begin = rowsBegin; begin < rowsEnd; begin += rowsAtOnce)
            {
                int end = Math.Min(begin + rowsAtOnce, rowsEnd);
                for (int panel = columnsBegin; panel < columnsEnd; panel++)
                    Tiles(job, block, begin, end, panel, b + (panel - columnsBegin) * size, ref ahead);
            }
        }
    }

    // What the thread copies after these panels of b.
    private static GemmAhead WhatIsNext(GemmJob* job, int block, int columnsBegin, int columnsEnd)
    {
        (int next, int panel) = block + 1 < job->InnerBlocks ? (block + 1, columnsBegin) : (0, columnsEnd);
        return new GemmAhead(
            job->B, panel * TileColumns, job->InnerStart + next * job->InnerBlock, (columnsEnd - columnsBegin) * TileColumns, InnerCount(job, next));
    }

    [SkipLocalsInit]
    private static void Tiles(GemmJob* job, int block, int begin, int end, int columnPanel, float* b, ref GemmAhead ahead)
    {
        int k = InnerCount(job, block);
        int column = columnPanel * TileColumns, columns = Math.Min(TileColumns, job->N - column);
        float* edge = stackalloc float[GemmTile512.Rows * GemmTile512.Columns];
        float* bias = job->Bias == null ? null : job->Bias + column;
        bool accumulate = job->Accumulate || block > 0;
        for (int panel = begin; panel < end; panel++)
        {
            float* a = job->PackedA + (block * job->RowPanels + panel) * job->PanelSize;
            int rows = Math.Min(TileRows, job->RowCount - panel * TileRows);
            float* c = job->C + (nint)(job->RowStart + panel * TileRows) * job->N + column;
            if (columns == TileColumns && (rows & 1) == 0)
            {
                Tile(rows, k, a, b, c, job->N, bias, accumulate, ref ahead);
                continue;
            }
            Tile(rows, k, a, b, edge, TileColumns, null, false, ref ahead);
            for (int r = 0; r < rows; r++, c += job->N)
            {
                for (int j = 0; j < columns; j++)
                    c[j] = edge[r * TileColumns + j] + (accumulate ? c[j] : bias == null ? 0 : bias[j]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile(
        int rows, int k, float* a, float* b, float* c, nint stride, float* bias, bool accumulate, ref GemmAhead ahead)
    {
        if (Wide)
            GemmTile512.Run(rows, k, a, b, c, stride, bias, accumulate, ref ahead);
        else
            GemmTile<TSimd, V>.Run(rows, k, a, b, c, stride, bias, accumulate);
    }
}

/// <summary>How products are shared out.</summary>
internal static class GemmSharing
{
    private const double SmallestParallel = 400_000;

    /// <summary>Parts that a product is cut into, or so: one where it is not worth handing over, otherwise several a thread.</summary>
    internal static int Parts(WorkerPool pool, int m, int n, int k) =>
        pool.Threads == 1 || (double)m * n * k < SmallestParallel ? 1 : 6 * pool.Threads;
}

/// <summary>Memory of a thread for panels, kept for the next product.</summary>
internal static unsafe class GemmScratch
{
    [ThreadStatic]
    private static PinnedBuffer? t_shared, t_own;

    /// <summary>For what all threads of a loop read.</summary>
    internal static float* Shared(nint count) => AtLeast(ref t_shared, count);

    /// <summary>For what this thread alone uses.</summary>
    internal static float* Own(nint count) => AtLeast(ref t_own, count);

    private static float* AtLeast(ref PinnedBuffer? buffer, nint count)
    {
        if (buffer is null || buffer.Bytes < count * sizeof(float))
            buffer = new PinnedBuffer(count * sizeof(float), zeroed: true);
        return (float*)buffer.Pointer;
    }
}
