namespace OmniFusion.Tensors;

/// <summary>
/// Sizes of a tensor's axes, row-major, at most five of them. A value type, so that a decoding step can make one without the heap.
/// </summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly int _d0, _d1, _d2, _d3, _d4;

    /// <summary>A shape from one to five sizes.</summary>
    /// <exception cref="ArgumentException">There are none or more than five, one is negative, or they make more than 2^31 - 1 rows.</exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length is 0 or > 5)
            throw new ArgumentException($"a shape has 1 to 5 axes, not {sizes.Length}", nameof(sizes));
        foreach (int size in sizes)
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(sizes));
        Rank = sizes.Length;
        _d0 = sizes[0];
        _d1 = Rank > 1 ? sizes[1] : 1;
        _d2 = Rank > 2 ? sizes[2] : 1;
        _d3 = Rank > 3 ? sizes[3] : 1;
        _d4 = Rank > 4 ? sizes[4] : 1;
        // No product of four sizes is too large for a double.
        double rows = 1;
        foreach (int size in sizes[..^1])
            rows *= size;
        if (rows > int.MaxValue && sizes[^1] > 0)
            throw new ArgumentException($"a shape has at most {int.MaxValue} rows, and {this} has more", nameof(sizes));
    }

    /// <summary>Number of axes.</summary>
    public int Rank { get; }

    /// <summary>Size of axis <paramref name="axis"/>.</summary>
    public int this[int axis] => (uint)axis < (uint)Rank
        ? axis switch { 0 => _d0, 1 => _d1, 2 => _d2, 3 => _d3, _ => _d4 }
        : throw new ArgumentOutOfRangeException(nameof(axis));

    /// <summary>Number of elements.</summary>
    public long Count => (long)_d0 * _d1 * _d2 * _d3 * _d4;

    /// <summary>Size of the last axis: the length of a row.</summary>
    public int Columns => this[Rank - 1];

    /// <summary>Number of rows: the product of all sizes but the last.</summary>
    public int Rows => Columns == 0 ? 0 : (int)(Count / Columns);

    /// <inheritdoc/>
    public bool Equals(Shape other) =>
        Rank == other.Rank && _d0 == other._d0 && _d1 == other._d1 && _d2 == other._d2 && _d3 == other._d3 && _d4 == other._d4;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, _d0, _d1, _d2, _d3, _d4);

    /// <summary>Same rank and sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Another rank or another size.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The sizes, for messages: <c>[200, 64]</c>.</summary>
    public override string ToString()
    {
        Shape self = this;
        return $"[{string.Join(", ", Enumerable.Range(0, Rank).Select(axis => self[axis]))}]";
    }
}
