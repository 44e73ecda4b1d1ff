namespace OmniFusion.Tensors;

public sealed partial class CpuKernels
{
    /// <inheritdoc/>
    public void Embedding(ReadOnlySpan<int> ids, Tensor table, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void EmbeddingGrad(ReadOnlySpan<int> ids, Tensor dy, Tensor dtable) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor? inverseRoot) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void RmsNormGrad(Tensor x, Tensor weight, Tensor inverseRoot, Tensor dy, Tensor? dx, Tensor? dweight) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y, Tensor? statistics) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void LayerNormGrad(Tensor x, Tensor weight, Tensor statistics, Tensor dy, Tensor? dx, Tensor? dweight, Tensor? dbias) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor cos, Tensor sin, int heads, bool inverse) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void GeluGrad(Tensor x, Tensor dy, Tensor dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void SwiGluGrad(Tensor gate, Tensor up, Tensor dy, Tensor? dgate, Tensor? dup) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, float scale, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Accumulate(Tensor x, float scale, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dropout(Tensor x, float p, ulong seed, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void DropoutGrad(Tensor dy, float p, ulong seed, Tensor dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Unfold(Tensor x, Segments input, int kernel, int stride, int padding, Segments output, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void UnfoldGrad(Tensor dy, Segments input, int kernel, int stride, int padding, Segments output, Tensor dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void MeanPool(Tensor x, Segments input, int window, Segments output, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void MeanPoolGrad(Tensor dy, Segments input, int window, Segments output, Tensor dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Gather(Tensor x, ReadOnlySpan<int> rows, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void GatherGrad(Tensor dy, ReadOnlySpan<int> rows, Tensor dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void CopyColumns(Tensor x, Tensor y, int offset) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void CopyColumnsGrad(Tensor dy, Tensor dx, int offset) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void SoftmaxRows(Tensor x, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void SoftmaxRowsGrad(Tensor y, Tensor dy, Tensor dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void AddWeighted(Tensor weights, int column, Tensor x, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void AddWeightedGrad(Tensor weights, int column, Tensor x, Tensor dy, Tensor? dweights, Tensor? dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void RowDot(Tensor a, Tensor b, float scale, Tensor y, int column) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void RowDotGrad(Tensor a, Tensor b, float scale, Tensor dy, int column, Tensor? da, Tensor? db) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor loss, Tensor logSumExp) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void CrossEntropyGrad(Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor logSumExp, float dloss, Tensor dlogits) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Ctc(Tensor logits, Segments segments, IReadOnlyList<int[]> targets, int blank, Tensor loss, Tensor? gradient) => throw new NotImplementedException();

    /// <inheritdoc/>
    public double SumOfSquares(Tensor x) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void AdamW(Tensor weight, Tensor gradient, Tensor moment1, Tensor moment2, int step, in AdamWOptions options, float gradientScale) => throw new NotImplementedException();
}
