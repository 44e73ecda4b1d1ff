namespace OmniFusion.Tensors;

/// <summary>
/// Cuts the rows of a packed batch into consecutive pieces (utterances, chunks, windows). Nothing is padded: a batch is the rows of
/// its items one after the other.
/// </summary>
public sealed class Segments
{
    private readonly int[] _offsets;

    /// <summary>Consecutive pieces of the given lengths.</summary>
    public Segments(params ReadOnlySpan<int> lengths)
    {
        _offsets = new int[lengths.Length + 1];
        for (int i = 0; i < lengths.Length; i++)
            _offsets[i + 1] = checked(_offsets[i] + lengths[i]);
    }

    /// <summary>Number of pieces.</summary>
    public int Count => _offsets.Length - 1;

    /// <summary>Number of rows of all pieces together.</summary>
    public int Rows => _offsets[^1];

    /// <summary>First row of piece <paramref name="index"/>; of <see cref="Count"/>: the end.</summary>
    public int Start(int index) => _offsets[index];

    /// <summary>Rows of piece <paramref name="index"/>.</summary>
    public int Length(int index) => _offsets[index + 1] - _offsets[index];

    /// <summary>Rows of the longest piece.</summary>
    public int MaxLength
    {
        get
        {
            int longest = 0;
            for (int i = 0; i < Count; i++)
                longest = Math.Max(longest, Length(i));
            return longest;
        }
    }
}
