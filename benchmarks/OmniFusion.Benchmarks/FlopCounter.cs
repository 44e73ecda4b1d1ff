using OmniFusion.Tensors;

namespace OmniFusion.Benchmarks;

/// <summary>
/// Kernels that count the floating-point operations of matrix products and attention, from the shapes they are called with; all other
/// operations are small beside them and count nothing. A multiply-add is two.
/// </summary>
internal sealed class FlopCounter(IKernels kernels) : IKernels
{
    /// <summary>Operations so far.</summary>
    public double Flops { get; set; }

    public void MatMul(Tensor x, Tensor w, Tensor? bias, Tensor y)
    {
        Flops += 2.0 * y.Count * x.Columns;
        kernels.MatMul(x, w, bias, y);
    }

    public void MatMulInputGrad(Tensor dy, Tensor w, Tensor dx)
    {
        Flops += 2.0 * dy.Count * dx.Columns;
        kernels.MatMulInputGrad(dy, w, dx);
    }

    public void MatMulWeightGrad(Tensor dy, Tensor x, Tensor? dw, Tensor? dbias)
    {
        Flops += dw is null ? 0 : 2.0 * dy.Count * x.Columns;
        kernels.MatMulWeightGrad(dy, x, dw, dbias);
    }

    // Two products forward, q k' and p v.
    public void Attention(Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor? logSumExp)
    {
        Flops += 2 * ProductOf(q, shape);
        kernels.Attention(q, k, v, shape, y, logSumExp);
    }

    // Five backward: the scores again, and those to p, q, k and v.
    public void AttentionGrad(
        Tensor q, Tensor k, Tensor v, in AttentionShape shape, Tensor y, Tensor logSumExp, Tensor dy, Tensor? dq, Tensor? dk, Tensor? dv)
    {
        Flops += 5 * ProductOf(q, shape);
        kernels.AttentionGrad(q, k, v, shape, y, logSumExp, dy, dq, dk, dv);
    }

    public void CachedAttention(Tensor q, Tensor keys, Tensor values, CacheRows rows, int heads, int kvHeads, float scale, Tensor y) =>
        kernels.CachedAttention(q, keys, values, rows, heads, kvHeads, scale, y);

    public void Embedding(ReadOnlySpan<int> ids, Tensor table, Tensor y) =>
        kernels.Embedding(ids, table, y);

    public void RmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor? inverseRoot) =>
        kernels.RmsNorm(x, weight, eps, y, inverseRoot);

    public void RmsNormGrad(Tensor x, Tensor weight, Tensor inverseRoot, Tensor dy, Tensor? dx, Tensor? dweight) =>
        kernels.RmsNormGrad(x, weight, inverseRoot, dy, dx, dweight);

    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y, Tensor? statistics) =>
        kernels.LayerNorm(x, weight, bias, eps, y, statistics);

    public void LayerNormGrad(Tensor x, Tensor weight, Tensor statistics, Tensor dy, Tensor? dx, Tensor? dweight, Tensor? dbias) =>
        kernels.LayerNormGrad(x, weight, statistics, dy, dx, dweight, dbias);

    public void Rotary(Tensor x, Tensor cos, Tensor sin, int heads, bool inverse) =>
        kernels.Rotary(x, cos, sin, heads, inverse);

    public void Gelu(Tensor x, Tensor y) =>
        kernels.Gelu(x, y);

    public void GeluGrad(Tensor x, Tensor dy, Tensor dx) =>
        kernels.GeluGrad(x, dy, dx);

    public void SwiGlu(Tensor gate, Tensor up, Tensor y) =>
        kernels.SwiGlu(gate, up, y);

    public void SwiGluGrad(Tensor gate, Tensor up, Tensor dy, Tensor? dgate, Tensor? dup) =>
        kernels.SwiGluGrad(gate, up, dy, dgate, dup);

    public void Add(Tensor a, Tensor b, float scale, Tensor y) =>
        kernels.Add(a, b, scale, y);

    public void Accumulate(Tensor x, float scale, Tensor y) =>
        kernels.Accumulate(x, scale, y);

    public void Dropout(Tensor x, float p, ulong seed, Tensor y) =>
        kernels.Dropout(x, p, seed, y);

    public void DropoutGrad(Tensor dy, float p, ulong seed, Tensor dx) =>
        kernels.DropoutGrad(dy, p, seed, dx);

    public void Unfold(Tensor x, Segments input, int kernel, int stride, int padding, Segments output, Tensor y) =>
        kernels.Unfold(x, input, kernel, stride, padding, output, y);

    public void UnfoldGrad(Tensor dy, Segments input, int kernel, int stride, int padding, Segments output, Tensor dx) =>
        kernels.UnfoldGrad(dy, input, kernel, stride, padding, output, dx);

    public void MeanPool(Tensor x, Segments input, int window, Segments output, Tensor y) =>
        kernels.MeanPool(x, input, window, output, y);

    public void MeanPoolGrad(Tensor dy, Segments input, int window, Segments output, Tensor dx) =>
        kernels.MeanPoolGrad(dy, input, window, output, dx);

    public void Gather(Tensor x, ReadOnlySpan<int> rows, Tensor y) =>
        kernels.Gather(x, rows, y);

    public void GatherGrad(Tensor dy, ReadOnlySpan<int> rows, Tensor dx) =>
        kernels.GatherGrad(dy, rows, dx);

    public void CopyColumns(Tensor x, Tensor y, int offset) =>
        kernels.CopyColumns(x, y, offset);

    public void CopyColumnsGrad(Tensor dy, Tensor dx, int offset) =>
        kernels.CopyColumnsGrad(dy, dx, offset);

    public void SoftmaxRows(Tensor x, Tensor y) =>
        kernels.SoftmaxRows(x, y);

    public void SoftmaxRowsGrad(Tensor y, Tensor dy, Tensor dx) =>
        kernels.SoftmaxRowsGrad(y, dy, dx);

    public void AddWeighted(Tensor weights, int column, Tensor x, Tensor y) =>
        kernels.AddWeighted(weights, column, x, y);

    public void AddWeightedGrad(Tensor weights, int column, Tensor x, Tensor dy, Tensor? dweights, Tensor? dx) =>
        kernels.AddWeightedGrad(weights, column, x, dy, dweights, dx);

    public void RowDot(Tensor a, Tensor b, float scale, Tensor y, int column) =>
        kernels.RowDot(a, b, scale, y, column);

    public void RowDotGrad(Tensor a, Tensor b, float scale, Tensor dy, int column, Tensor? da, Tensor? db) =>
        kernels.RowDotGrad(a, b, scale, dy, column, da, db);

    public void CrossEntropy(Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor loss, Tensor logSumExp) =>
        kernels.CrossEntropy(logits, targets, labelSmoothing, loss, logSumExp);

    public void RowLosses(Tensor logits, ReadOnlySpan<int> targets, Tensor logSumExp, Tensor rows) =>
        kernels.RowLosses(logits, targets, logSumExp, rows);

    public void CrossEntropyGrad(
        Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor logSumExp, float dloss, Tensor dlogits) =>
        kernels.CrossEntropyGrad(logits, targets, labelSmoothing, logSumExp, dloss, dlogits);

    public void Distil(Tensor logits, Tensor teacher, Tensor loss, Tensor? gradient) => kernels.Distil(logits, teacher, loss, gradient);

    public void Ctc(Tensor logits, Segments segments, IReadOnlyList<int[]> targets, int blank, Tensor loss, Tensor? gradient) =>
        kernels.Ctc(logits, segments, targets, blank, loss, gradient);

    public double SumOfSquares(Tensor x) =>
        kernels.SumOfSquares(x);

    public void AdamW(
        Tensor weight, Tensor gradient, Tensor moment1, Tensor moment2, int step, in AdamWOptions options, float gradientScale) =>
        kernels.AdamW(weight, gradient, moment1, moment2, step, in options, gradientScale);

    // Under a causal mask half of the pairs count.
    private static double ProductOf(Tensor q, in AttentionShape shape)
    {
        double pairs = 0;
        for (int i = 0; i < shape.Segments.Count; i++)
        {
            double length = shape.Segments.Length(i);
            pairs += shape.Causal ? length * (length + 1) / 2 : length * length;
        }
        return 2 * pairs * q.Columns;
    }
}
