namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>Scaled dot-product attention inside each segment (Vaswani et al. 2017); see <see cref="IKernels.Attention"/> for the layout.</summary>
    public Tensor Attention(Tensor q, Tensor k, Tensor v, in AttentionShape shape)
    {
        int headDim = q.Columns / shape.Heads;
        if (headDim * shape.Heads != q.Columns || k.Columns != headDim * shape.KvHeads || v.Shape != k.Shape || k.Rows != q.Rows
            || shape.Heads % shape.KvHeads != 0 || shape.Segments.Rows != q.Rows)
            throw new ArgumentException($"queries {q.Shape}, keys {k.Shape} and values {v.Shape} do not fit {shape.Heads}/{shape.KvHeads} heads");
        Tensor y = Rent(q.Shape);
        bool records = Records(q, k, v);
        Tensor? logSumExp = records ? Rent(new Shape(q.Rows, shape.Heads)) : null;
        Kernels.Attention(q, k, v, shape, y, logSumExp);
        if (records)
            AttentionGradient(q, k, v, shape, y, logSumExp!);
        return y;
    }

    /// <summary>Attention of new rows over a cache; inference only. See <see cref="IKernels.CachedAttention"/>.</summary>
    public Tensor CachedAttention(Tensor q, Tensor keys, Tensor values, CacheRows rows, int heads, int kvHeads, float scale)
    {
        if (rows.Count != q.Rows || keys.Columns / kvHeads != q.Columns / heads || values.Shape != keys.Shape || rows.End > keys.Rows)
            throw new ArgumentException(
                $"queries {q.Shape}, keys {keys.Shape} and values {values.Shape} do not fit {rows.Count} rows that see {rows.End}");
        if (Records(q, keys, values))
            throw new InvalidOperationException("attention over a cache has no gradient");
        Tensor y = Rent(q.Shape);
        Kernels.CachedAttention(q, keys, values, rows, heads, kvHeads, scale, y);
        return y;
    }

    private void AttentionGradient(Tensor q, Tensor k, Tensor v, AttentionShape shape, Tensor y, Tensor logSumExp) => Tape!.Record(y, () =>
        Kernels.AttentionGrad(q, k, v, shape, y, logSumExp, y.Grad!, GradOf(q), GradOf(k), GradOf(v)));
}
