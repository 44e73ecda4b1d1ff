namespace OmniFusion.Tensors;

public sealed partial class CpuKernels
{
    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor? logSumExp) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void AttentionGrad(Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor logSumExp, Tensor dy, Tensor? dq, Tensor? dk, Tensor? dv) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor keys, Tensor values, CacheRows rows, int heads, int kvHeads, float scale, Tensor y) => throw new NotImplementedException();
}
