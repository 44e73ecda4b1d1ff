namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>y[i] = x[rows[i]]: [rows.Length, columns].</summary>
    public Tensor Gather(Tensor x, ReadOnlyMemory<int> rows)
    {
        foreach (int row in rows.Span)
            ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(rows));
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
        for (int i = 0; i < fromA.Length; i++)
            if (fromA.Span[i] < 0 && fromB.Span[i] < 0)
                throw new ArgumentException($"row {i} comes from nowhere");
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

    /// <summary>Columns side by side: [rows, D1], [rows, D2], ... to [rows, D1 + D2 + ...].</summary>
    public Tensor ConcatColumns(params ReadOnlySpan<Tensor> parts)
    {
        int columns = 0;
        bool records = false;
        foreach (Tensor part in parts)
        {
            if (part.Rows != parts[0].Rows)
                throw new ArgumentException($"{parts[0].Shape} and {part.Shape} cannot stand side by side");
            columns += part.Columns;
            records |= Records(part);
        }
        Tensor y = Rent(new Shape(parts[0].Rows, columns));
        int at = 0;
        foreach (Tensor part in parts)
        {
            Kernels.CopyColumns(part, y, at);
            at += part.Columns;
        }
        if (records)
            ConcatColumnsGradient(parts.ToArray(), y);
        return y;
    }

    private void ConcatColumnsGradient(Tensor[] parts, Tensor y) => Tape!.Record(y, () =>
    {
        int at = 0;
        foreach (Tensor part in parts)
        {
            if (GradOf(part) is { } gradient)
                Kernels.CopyColumnsGrad(y.Grad!, gradient, at);
            at += part.Columns;
        }
    });
}
