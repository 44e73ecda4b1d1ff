using System.Runtime.CompilerServices;

namespace OmniFusion.Tensors;

/// <summary>
/// What one part of an attention works on: some queries (or keys) of one segment, in the order of <see cref="HeadRows"/>.
/// </summary>
internal struct AttentionPiece
{
    /// <summary>First row of the segment in the batch.</summary>
    internal int FirstRow;

    /// <summary>Rows of the segment.</summary>
    internal int Rows;

    /// <summary>First query or key of the piece.</summary>
    internal int From;

    /// <summary>End of the piece.</summary>
    internal int To;
}

/// <summary>The arguments of an attention as the threads see them.</summary>
internal unsafe struct AttentionJob
{
    internal float* Q, K, V, Y, LogSumExp, Dy, Dq, Dk, Dv;
    internal int Heads, KvHeads, HeadDim;
    internal bool Causal;
    internal float Scale;
    internal AttentionPiece* Pieces;
    internal int PieceCount;

    /// <summary>Query heads that share a key head.</summary>
    internal readonly int Group => Heads / KvHeads;

    /// <summary>The piece of a part; the last ones first, because under a causal mask they take longest.</summary>
    internal readonly AttentionPiece Piece(int part) => Pieces[PieceCount - 1 - part / KvHeads];

    /// <summary>The key head of a part.</summary>
    internal readonly int KvHead(int part) => part % KvHeads;

    /// <summary>The query rows of a segment and key head in a tensor laid out as the queries are.</summary>
    internal readonly HeadRows QueryRows(float* tensor, int firstRow, int kvHead) =>
        new(tensor + (long)firstRow * Heads * HeadDim + kvHead * Group * HeadDim, Group, Heads * HeadDim, HeadDim);

    /// <summary>The key rows of a segment and key head in a tensor laid out as the keys are.</summary>
    internal readonly HeadRows KeyRows(float* tensor, int firstRow, int kvHead) =>
        new(tensor + (long)firstRow * KvHeads * HeadDim + kvHead * HeadDim, 1, KvHeads * HeadDim, HeadDim);

    /// <summary>log2(e): scores are kept in powers of two.</summary>
    internal const float Log2E = 1.44269504f;

    /// <summary>ln(2).</summary>
    internal const float Ln2 = 0.693147181f;

    /// <summary>A score that no key can have; finite, so that differences of it are no NaN.</summary>
    internal const float Hidden = -1e30f;
}

/// <summary>Memory of each thread that it uses again for every attention.</summary>
internal unsafe ref struct AttentionScratch
{
    [ThreadStatic]
    private static PinnedBuffer? t_work;

    [ThreadStatic]
    private static PinnedBuffer? t_plan;

    private float* _next;
    private readonly float* _end;

    private AttentionScratch(PinnedBuffer buffer)
    {
        _next = (float*)buffer.Pointer;
        _end = (float*)(buffer.Pointer + buffer.Bytes);
    }

    /// <summary>Memory for a part, enough for <paramref name="floats"/> in <paramref name="pieces"/> pieces.</summary>
    internal static AttentionScratch ForPart(long floats, int pieces) => new(Sized(ref t_work, (floats + pieces * 16L) * sizeof(float)));

    /// <summary>Memory for what the calling thread hands to the others, apart from that of a part, which it also works on.</summary>
    internal static byte* ForPlan(long bytes) => Sized(ref t_plan, bytes).Pointer;

    /// <summary>The next piece, aligned to a cache line.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal float* Take(long floats)
    {
        float* taken = _next;
        _next += (floats + 15) & ~15L;
        if (_next > _end)
            throw new InvalidOperationException("the scratch memory of attention was counted wrongly");
        return taken;
    }

    private static PinnedBuffer Sized(ref PinnedBuffer? buffer, long bytes)
    {
        if (buffer is null || buffer.Bytes < bytes)
            buffer = new PinnedBuffer(bytes + bytes / 4, zeroed: true);
        return buffer;
    }
}
