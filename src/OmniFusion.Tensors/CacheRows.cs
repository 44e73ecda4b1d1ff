namespace OmniFusion.Tensors;

/// <summary>
/// For each query row, the cache rows it sees: one contiguous run (the prefix that all beams share), then single rows in the order of
/// time (the beam's own history). Reused from step to step.
/// </summary>
public sealed class CacheRows
{
    private int[] _runs = [];
    private int[] _extra = [];
    private int _extraCount;

    /// <summary>Number of query rows.</summary>
    public int Count { get; private set; }

    /// <summary>Behind the last cache row that is seen.</summary>
    public int End { get; private set; }

    /// <summary>Forgets all rows; keeps the memory.</summary>
    public void Clear() => (Count, End, _extraCount) = (0, 0, 0);

    /// <summary>Adds a query row.</summary>
    /// <param name="start">First cache row of the run.</param>
    /// <param name="length">Rows in the run.</param>
    /// <param name="extra">Further cache rows, oldest first.</param>
    public void Add(int start, int length, ReadOnlySpan<int> extra = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        End = Math.Max(End, start + length);
        foreach (int row in extra)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(extra));
            End = Math.Max(End, row + 1);
        }
        if (_runs.Length < (Count + 1) * 4)
            Array.Resize(ref _runs, Math.Max(64, _runs.Length * 2));
        if (_extra.Length < _extraCount + extra.Length)
            Array.Resize(ref _extra, Math.Max(_extraCount + extra.Length, _extra.Length * 2));
        extra.CopyTo(_extra.AsSpan(_extraCount));
        (_runs[Count * 4], _runs[Count * 4 + 1], _runs[Count * 4 + 2], _runs[Count * 4 + 3]) = (start, length, _extraCount, extra.Length);
        _extraCount += extra.Length;
        Count++;
    }

    /// <summary>First cache row of the run that query row <paramref name="row"/> sees.</summary>
    public int Start(int row) => _runs[row * 4];

    /// <summary>Rows in that run.</summary>
    public int Length(int row) => _runs[row * 4 + 1];

    /// <summary>The single rows that query row <paramref name="row"/> sees after the run.</summary>
    public ReadOnlySpan<int> Extra(int row) => _extra.AsSpan(_runs[row * 4 + 2], _runs[row * 4 + 3]);
}
