namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>y[i] = x[rows[i]]: [rows.Length, columns].</summary>
    public Tensor Gather(Tensor x, ReadOnlyMemory<int> rows)
    {
        Tensor y = Rent(new Shape(rows.Length, x.Columns));
        Kernels.Gather(x, rows.Span, y);
        if (Records(x))
            GatherGradient(x, rows, y);
        return y;
    }

    private void GatherGradient(Tensor x, ReadOnlyMemory<int> rows, Tensor y) => Tape!.Record(y, () =>
        Kernels.GatherGrad(y.Grad!, rows.Span, GradOf(x)!));

    /// <summary>
    /// Rows from two sources in one tensor: y[i] = b[fromB[i]] where that is not negative, else a[fromA[i]].
    /// Puts audio and image embeddings among token embeddings, and text behind a fused prefix.
    /// </summary>
    public Tensor Interleave(Tensor a, ReadOnlyMemory<int> fromA, Tensor b, ReadOnlyMemory<int> fromB)
    {
        if (a.Columns != b.Columns || fromA.Length != fromB.Length)
            throw new ArgumentException($"rows of {a.Shape} and {b.Shape} cannot stand in one tensor");
        Tensor y = Rent(new Shape(fromA.Length, a.Columns));
        Kernels.Gather(a, fromA.Span, y);
        Kernels.Gather(b, fromB.Span, y);
        if (Records(a, b))
            InterleaveGradient(a, fromA, b, fromB, y);
        return y;
    }

    private void InterleaveGradient(Tensor a, ReadOnlyMemory<int> fromA, Tensor b, ReadOnlyMemory<int> fromB, Tensor y) => Tape!.Record(y, () =>
    {
        if (GradOf(b) is { } db)
            Kernels.GatherGrad(y.Grad!, fromB.Span, db);
        if (GradOf(a) is not { } da)
            return;
        // Where b gave the row, a has no part in it.
        int[] rows = fromA.ToArray();
        for (int i = 0; i < rows.Length; i++)
            if (fromB.Span[i] >= 0)
                rows[i] = -1;
        Kernels.GatherGrad(y.Grad!, rows, da);
    });

    /// <summary>The same numbers in rows of another length; the memory, and that of the gradient, is shared.</summary>
    public Tensor Reshape(Tensor x, Shape shape)
    {
        // The gradient must exist before the view is made, or the two would part.
        if (Records(x))
            GradOf(x);
        return x.Reshape(shape);
    }

    /// <summary>Columns side by side: [rows, D1], [rows, D2], [rows, D3] to [rows, D1 + D2 + D3].</summary>
    public Tensor ConcatColumns(Tensor a, Tensor b, Tensor c)
    {
        Tensor y = Rent(new Shape(a.Rows, a.Columns + b.Columns + c.Columns));
        Kernels.CopyColumns(a, y, 0);
        Kernels.CopyColumns(b, y, a.Columns);
        Kernels.CopyColumns(c, y, a.Columns + b.Columns);
        if (Records(a, b, c))
            ConcatColumnsGradient(a, b, c, y);
        return y;
    }

    private void ConcatColumnsGradient(Tensor a, Tensor b, Tensor c, Tensor y) => Tape!.Record(y, () =>
    {
        if (GradOf(a) is { } da)
            Kernels.CopyColumnsGrad(y.Grad!, da, 0);
        if (GradOf(b) is { } db)
            Kernels.CopyColumnsGrad(y.Grad!, db, a.Columns);
        if (GradOf(c) is { } dc)
            Kernels.CopyColumnsGrad(y.Grad!, dc, a.Columns + b.Columns);
    });
}
