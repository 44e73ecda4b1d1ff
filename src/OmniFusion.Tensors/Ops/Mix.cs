namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>weights·table: [rows, N] to [rows, K], a mixture of the table's rows for each. The table [N, K] may be stored in any type.</summary>
    public Tensor Mix(Tensor weights, Tensor table)
    {
        if (weights.Columns != table.Rows)
            throw new ArgumentException($"weights of {weights.Shape} do not fit a table of {table.Shape}");
        Tensor y = Rent(new Shape(weights.Rows, table.Columns));
        y.Clear();
        Kernels.MatMulInputGrad(weights, table, y);
        if (Records(weights, table))
            MixGradient(weights, table, y);
        return y;
    }

    private void MixGradient(Tensor weights, Tensor table, Tensor y) => Tape!.Record(y, () =>
    {
        if (GradOf(weights) is { } dweights)
        {
            Arena.Mark scope = Scope();
            Tensor own = Rent(weights.Shape);
            Kernels.MatMul(y.Grad!, table, null, own);
            Kernels.Accumulate(own, 1, dweights);
            Arena.Release(scope);
        }
        if (GradOf(table) is { } dtable)
            Kernels.MatMulWeightGrad(weights, y.Grad!, dtable, null);
    });
}
