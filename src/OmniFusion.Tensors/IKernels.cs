namespace OmniFusion.Tensors;

/// <summary>
/// The arithmetic behind the operations of <see cref="Compute"/>: what another device (a GPU) would implement. Activations are F32 and
/// packed row-major; weights <c>w</c> may be stored in any <see cref="DType"/>. A kernel whose name ends in Grad <b>adds</b> to its gradient
/// arguments, and skips those that are null. Shapes have been checked by the caller.
/// </summary>
public interface IKernels
{
    /// <summary>y[M,N] = x[M,K] · w[N,K]ᵀ + bias[N].</summary>
    void MatMul(Tensor x, Tensor w, Tensor? bias, Tensor y);

    /// <summary>dx[M,K] += dy[M,N] · w[N,K].</summary>
    void MatMulInputGrad(Tensor dy, Tensor w, Tensor dx);

    /// <summary>dw[N,K] += dy[M,N]ᵀ · x[M,K]; dbias[N] += column sums of dy.</summary>
    void MatMulWeightGrad(Tensor dy, Tensor x, Tensor? dw, Tensor? dbias);

    /// <summary>
    /// Attention of each query row over the rows of its own segment: softmax(q·kᵀ·scale)·v, per head; with a causal shape only over
    /// rows up to its own. q, y are [rows, heads·headDim]; k, v are [rows, kvHeads·headDim]; heads / kvHeads query heads share a key head.
    /// <paramref name="logSumExp"/> [rows, heads], when given, receives what the gradient needs. Never holds a length×length matrix of all heads.
    /// </summary>
    void Attention(Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor? logSumExp);

    /// <summary>Gradients of <see cref="Attention"/>.</summary>
    void AttentionGrad(Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor logSumExp, Tensor dy, Tensor? dq, Tensor? dk,
        Tensor? dv);

    /// <summary>
    /// Attention of new rows over a cache: query row r sees cache rows [rows.Start(r), rows.Start(r) + rows.Length(r)) and then the cache rows
    /// listed in rows.Extra(r) (a beam's own history, found by index). q, y are [R, heads·headDim]; keys, values [capacity, kvHeads·headDim].
    /// </summary>
    void CachedAttention(Tensor q, Tensor keys, Tensor values, CacheRows rows, int heads, int kvHeads, float scale, Tensor y);

    /// <summary>y[i] = table[ids[i]]; a negative id gives zeros.</summary>
    void Embedding(ReadOnlySpan<int> ids, Tensor table, Tensor y);

    /// <summary>y = x / sqrt(mean(x²) + eps) · weight, per row; inverse root [rows] is kept for the gradient when given.</summary>
    void RmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor? inverseRoot);

    /// <summary>Gradients of <see cref="RmsNorm"/>.</summary>
    void RmsNormGrad(Tensor x, Tensor weight, Tensor inverseRoot, Tensor dy, Tensor? dx, Tensor? dweight);

    /// <summary>y = (x - mean) / sqrt(variance + eps) · weight + bias, per row; statistics [rows, 2] (mean, inverse root) are kept when given.</summary>
    void LayerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y, Tensor? statistics);

    /// <summary>Gradients of <see cref="LayerNorm"/>.</summary>
    void LayerNormGrad(Tensor x, Tensor weight, Tensor statistics, Tensor dy, Tensor? dx, Tensor? dweight, Tensor? dbias);

    /// <summary>
    /// Rotates pairs (i, i + headDim/2) of every head in place: x1·cos − x2·sin, x2·cos + x1·sin. cos, sin are [rows, headDim/2];
    /// <paramref name="inverse"/> rotates back (which is also the gradient).
    /// </summary>
    void Rotary(Tensor x, Tensor cos, Tensor sin, int heads, bool inverse);

    /// <summary>y = x·Φ(x), with the exact error function.</summary>
    void Gelu(Tensor x, Tensor y);

    /// <summary>Gradient of <see cref="Gelu"/>.</summary>
    void GeluGrad(Tensor x, Tensor dy, Tensor dx);

    /// <summary>y = silu(gate)·up.</summary>
    void SwiGlu(Tensor gate, Tensor up, Tensor y);

    /// <summary>Gradients of <see cref="SwiGlu"/>.</summary>
    void SwiGluGrad(Tensor gate, Tensor up, Tensor dy, Tensor? dgate, Tensor? dup);

    /// <summary>y = a + scale·b.</summary>
    void Add(Tensor a, Tensor b, float scale, Tensor y);

    /// <summary>y += scale·x.</summary>
    void Accumulate(Tensor x, float scale, Tensor y);

    /// <summary>y = x·keep/(1−p), keep drawn from a counter-based generator seeded by <paramref name="seed"/>.</summary>
    void Dropout(Tensor x, float p, ulong seed, Tensor y);

    /// <summary>dx += dy·keep/(1−p), the same keep as forward.</summary>
    void DropoutGrad(Tensor dy, float p, ulong seed, Tensor dx);

    /// <summary>
    /// Rows of windows for a convolution: y[o, c·kernel + j] = x[o·stride + j − padding, c] inside the segment, zero outside.
    /// y is [output rows, channels·kernel]; segments of y follow from those of x.
    /// </summary>
    void Unfold(Tensor x, Segments input, int kernel, int stride, int padding, Segments output, Tensor y);

    /// <summary>Gradient of <see cref="Unfold"/>.</summary>
    void UnfoldGrad(Tensor dy, Segments input, int kernel, int stride, int padding, Segments output, Tensor dx);

    /// <summary>Mean of each <paramref name="window"/> consecutive rows of a segment; a rest shorter than the window is dropped.</summary>
    void MeanPool(Tensor x, Segments input, int window, Segments output, Tensor y);

    /// <summary>Gradient of <see cref="MeanPool"/>.</summary>
    void MeanPoolGrad(Tensor dy, Segments input, int window, Segments output, Tensor dx);

    /// <summary>y[i] = x[rows[i]], skipping negative entries (y keeps what it has there).</summary>
    void Gather(Tensor x, ReadOnlySpan<int> rows, Tensor y);

    /// <summary>dx[rows[i]] += dy[i], skipping negative entries.</summary>
    void GatherGrad(Tensor dy, ReadOnlySpan<int> rows, Tensor dx);

    /// <summary>Copies x into columns [offset, offset + x.Columns) of y.</summary>
    void CopyColumns(Tensor x, Tensor y, int offset);

    /// <summary>dx += columns [offset, offset + dx.Columns) of dy.</summary>
    void CopyColumnsGrad(Tensor dy, Tensor dx, int offset);

    /// <summary>Softmax of each row.</summary>
    void SoftmaxRows(Tensor x, Tensor y);

    /// <summary>dx += gradient of <see cref="SoftmaxRows"/>.</summary>
    void SoftmaxRowsGrad(Tensor y, Tensor dy, Tensor dx);

    /// <summary>y += weights[:, column]·x, per row; weights may have one row that serves all.</summary>
    void AddWeighted(Tensor weights, int column, Tensor x, Tensor y);

    /// <summary>dweights[:, column] += rowwise dot(dy, x); dx += weights[:, column]·dy.</summary>
    void AddWeightedGrad(Tensor weights, int column, Tensor x, Tensor dy, Tensor? dweights, Tensor? dx);

    /// <summary>y[row, column] = scale · dot(a[row], b[row]).</summary>
    void RowDot(Tensor a, Tensor b, float scale, Tensor y, int column);

    /// <summary>Gradients of <see cref="RowDot"/>.</summary>
    void RowDotGrad(Tensor a, Tensor b, float scale, Tensor dy, int column, Tensor? da, Tensor? db);

    /// <summary>
    /// loss[0] = mean over the rows whose target is not negative of (1−ε)·(−log p[target]) + ε·mean over classes of (−log p);
    /// logSumExp [rows] is kept for the gradient.
    /// </summary>
    void CrossEntropy(Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor loss, Tensor logSumExp);

    /// <summary>rows[i] = −log p of target i with the logSumExp of <see cref="CrossEntropy"/>; 0 where the target is negative.</summary>
    void RowLosses(Tensor logits, ReadOnlySpan<int> targets, Tensor logSumExp, Tensor rows);

    /// <summary>dlogits += dloss · gradient of <see cref="CrossEntropy"/>.</summary>
    void CrossEntropyGrad(Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor logSumExp, float dloss, Tensor dlogits);

    /// <summary>
    /// loss[0] = mean over the rows of −Σ q·log p, q and p the softmax of a row of <paramref name="teacher"/> and of
    /// <paramref name="logits"/>. Writes the gradient of the loss with respect to the logits into <paramref name="gradient"/> when given.
    /// </summary>
    void Distil(Tensor logits, Tensor teacher, Tensor loss, Tensor? gradient);

    /// <summary>
    /// Connectionist temporal classification (Graves et al. 2006): the sum over segments of −log p(target | logits), divided by the number
    /// of target symbols of all segments. A target that does not fit its segment counts nothing. Writes the gradient of the loss with respect
    /// to the logits into <paramref name="gradient"/> when given.
    /// </summary>
    void Ctc(Tensor logits, Segments segments, IReadOnlyList<int[]> targets, int blank, Tensor loss, Tensor? gradient);

    /// <summary>Sum of squares of all elements, in double precision.</summary>
    double SumOfSquares(Tensor x);

    /// <summary>
    /// One step of AdamW (Loshchilov and Hutter 2019) on <paramref name="weight"/>, with gradient·<paramref name="gradientScale"/> (clipping):
    /// decoupled weight decay, bias-corrected moments, <paramref name="step"/> counted from 1.
    /// </summary>
    void AdamW(Tensor weight, Tensor gradient, Tensor moment1, Tensor moment2, int step, in AdamWOptions options, float gradientScale);
}
