namespace OmniFusion.Tensors;

public sealed partial class CpuKernels
{
    /// <inheritdoc/>
    public void MatMul(Tensor x, Tensor w, Tensor? bias, Tensor y) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void MatMulInputGrad(Tensor dy, Tensor w, Tensor dx) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void MatMulWeightGrad(Tensor dy, Tensor x, Tensor? dw, Tensor? dbias) => throw new NotImplementedException();
}
