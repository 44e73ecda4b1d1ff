namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>Rows of a table [vocabulary, D] for ids [n]: [n, D]. A negative id gives zeros.</summary>
    public Tensor Embedding(ReadOnlyMemory<int> ids, Tensor table)
    {
        foreach (int id in ids.Span)
            if (id >= table.Rows)
                throw new ArgumentOutOfRangeException(nameof(ids), $"token {id} is outside a vocabulary of {table.Rows}");
        Tensor y = Rent(new Shape(ids.Length, table.Columns));
        Kernels.Embedding(ids.Span, table, y);
        if (Records(table))
            EmbeddingGradient(ids, table, y);
        return y;
    }

    private void EmbeddingGradient(ReadOnlyMemory<int> ids, Tensor table, Tensor y) => Tape!.Record(y, () =>
        Kernels.GatherGrad(y.Grad!, ids.Span, GradOf(table)!));
}
