using OmniFusion.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>Rows of numbers that outlive a step.</summary>
internal sealed class RowBuffer(int columns)
{
    private float[] _values = [];

    internal int Count { get; private set; }

    /// <summary>Holds so many rows from now on; those that were there stay.</summary>
    internal void Resize(int rows)
    {
        if (_values.Length < rows * columns)
            Array.Resize(ref _values, Math.Max(rows * columns, _values.Length * 3 / 2));
        Count = rows;
    }

    internal Span<float> Rows(int first, int count) => _values.AsSpan(first * columns, count * columns);

    /// <summary>A copy of the rows from <paramref name="first"/> on.</summary>
    internal Tensor From(Compute c, int first)
    {
        Tensor rows = c.Rent(new Shape(Count - first, columns));
        Rows(first, Count - first).CopyTo(rows.Span);
        return rows;
    }

    /// <summary>Rows of one tensor above those of another.</summary>
    internal static Tensor Stack(Compute c, Tensor? above, Tensor below)
    {
        if (above is null)
            return below;
        Tensor both = c.Rent(new Shape(above.Rows + below.Rows, below.Columns));
        above.Span.CopyTo(both.Span);
        below.Span.CopyTo(both.Span[(int)above.Count..]);
        return both;
    }
}
