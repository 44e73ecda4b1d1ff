using System.Runtime.Intrinsics;

namespace OmniFusion.Tensors;

public sealed unsafe partial class CpuKernels
{
    /// <summary>Whether attention uses vectors of 16 floats; of 8 otherwise.</summary>
    internal bool WideAttention { get; init; } = Vector512.IsHardwareAccelerated;

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor? logSumExp)
    {
        AttentionJob job = Job(q, k, v, shape);
        job.Y = y.Floats;
        job.LogSumExp = logSumExp is null ? null : logSumExp.Floats;
        // Whatever the pieces are, each query meets the same keys in the same order: the result does not depend on them.
        Plan(ref job, shape.Segments, job.Group, AttentionForward.QueriesOfPart);
        Pool.For(job.PieceCount * job.KvHeads, WideAttention
            ? &AttentionForward<Lanes512, Vector512<float>>.Part
            : &AttentionForward<Lanes256, Vector256<float>>.Part, &job);
        KeepAlive(q, k, v, y);
        GC.KeepAlive(logSumExp);
    }

    /// <inheritdoc/>
    public void AttentionGrad(Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor logSumExp, Tensor dy,
        Tensor? dq, Tensor? dk, Tensor? dv)
    {
        AttentionJob job = Job(q, k, v, shape);
        job.Y = y.Floats;
        job.LogSumExp = logSumExp.Floats;
        job.Dy = dy.Floats;
        job.Dq = dq is null ? null : dq.Floats;
        job.Dk = dk is null ? null : dk.Floats;
        job.Dv = dv is null ? null : dv.Floats;

        delegate*<void*, int, void> whole, queries, keys;
        if (WideAttention)
        {
            whole = &AttentionBackward<Lanes512, Vector512<float>>.Whole;
            queries = &AttentionBackward<Lanes512, Vector512<float>>.Queries;
            keys = &AttentionBackward<Lanes512, Vector512<float>>.Keys;
        }
        else
        {
            whole = &AttentionBackward<Lanes256, Vector256<float>>.Whole;
            queries = &AttentionBackward<Lanes256, Vector256<float>>.Queries;
            keys = &AttentionBackward<Lanes256, Vector256<float>>.Keys;
        }
        Plan(ref job, shape.Segments, job.Group, int.MaxValue);
        if (job.PieceCount * job.KvHeads >= Pool.Threads)
        {
            Pool.For(job.PieceCount * job.KvHeads, whole, &job);
        }
        else
        {
            // Too few key heads for all threads: the queries' gradient and the keys' are taken in turn, each cut into pieces that no two
            // threads share. The scores are computed twice for that; the sums are the same, in the same order.
            if (dq is not null)
            {
                Plan(ref job, shape.Segments, job.Group, AttentionBackward.QueriesAtOnce);
                Pool.For(job.PieceCount * job.KvHeads, queries, &job);
            }
            if (dk is not null || dv is not null)
            {
                Plan(ref job, shape.Segments, 1, 2 * AttentionBackward.KeysAtOnce);
                Pool.For(job.PieceCount * job.KvHeads, keys, &job);
            }
        }
        KeepAlive(q, k, v, y);
        KeepAlive(logSumExp, dy, dq, dk);
        GC.KeepAlive(dv);
    }

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor keys, Tensor values, CacheRows rows, int heads, int kvHeads, float scale, Tensor y)
    {
        CachedAttentionJob job = new()
        {
            Q = q.Floats,
            Keys = keys.Floats,
            Values = values.Floats,
            Y = y.Floats,
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = q.Columns / heads,
            Scale = scale,
        };
        job.Plan(rows);
        Pool.For(job.GroupCount * kvHeads, WideAttention
            ? &CachedAttention<Lanes512, Vector512<float>>.Part
            : &CachedAttention<Lanes256, Vector256<float>>.Part, &job);
        KeepAlive(q, keys, values, y);
    }

    private static AttentionJob Job(Tensor q, Tensor k, Tensor v, in AttentionShape shape) => new()
    {
        Q = q.Floats,
        K = k.Floats,
        V = v.Floats,
        Heads = shape.Heads,
        KvHeads = shape.KvHeads,
        HeadDim = q.Columns / shape.Heads,
        Causal = shape.Causal,
        Scale = shape.Scale,
    };

    // Cuts every segment into pieces of at most `most` of its rows · group.
    private static void Plan(ref AttentionJob job, Segments segments, int group, int most)
    {
        long count = 0;
        for (int i = 0; i < segments.Count; i++)
            count += ((long)segments.Length(i) * group + most - 1) / most;
        job.Pieces = (AttentionPiece*)AttentionScratch.ForPlan(count * sizeof(AttentionPiece));
        job.PieceCount = (int)count;
        AttentionPiece* next = job.Pieces;
        for (int i = 0; i < segments.Count; i++)
        {
            int end = segments.Length(i) * group;
            for (int from = 0, to; from < end; from = to)
            {
                to = from + Math.Min(most, end - from);
                *next++ = new AttentionPiece { FirstRow = segments.Start(i), Rows = segments.Length(i), From = from, To = to };
            }
        }
    }
}
