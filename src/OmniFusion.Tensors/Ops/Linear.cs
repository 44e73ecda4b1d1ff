namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>x·weightᵀ + bias: [rows, K] to [rows, N]. The weight [N, K] may be stored in any type.</summary>
    public Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null)
    {
        int outputs = weight.Rows, inputs = weight.Columns;
        if (x.Columns != inputs || (bias is not null && bias.Count != outputs))
            throw new ArgumentException($"a weight of {weight.Shape} does not fit rows of {x.Shape} and a bias of {bias?.Shape}");
        Tensor y = Rent(new Shape(x.Rows, outputs));
        Kernels.MatMul(x, weight, bias, y);
        if (Records(x, weight, bias))
            LinearGradient(x, weight, bias, y);
        return y;
    }

    private void LinearGradient(Tensor x, Tensor weight, Tensor? bias, Tensor y) => Tape!.Record(y, () =>
    {
        if (GradOf(x) is { } dx)
            Kernels.MatMulInputGrad(y.Grad!, weight, dx);
        Tensor? dweight = GradOf(weight), dbias = bias is null ? null : GradOf(bias);
        if (dweight is not null || dbias is not null)
            Kernels.MatMulWeightGrad(y.Grad!, x, dweight, dbias);
    });
}
