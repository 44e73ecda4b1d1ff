namespace OmniFusion.Evaluation;

/// <summary>
/// The sufficient statistics of a metric for every sentence of a test set: the score of any selection of sentences follows from the
/// sum of their rows, so that <see cref="Bootstrap"/> never scores a text twice.
/// </summary>
public sealed class SegmentStatistics
{
    private readonly double[] _rows;
    private readonly int _width;
    private readonly Func<ReadOnlySpan<double>, double> _score;

    internal SegmentStatistics(double[] rows, int width, bool higherIsBetter, Func<ReadOnlySpan<double>, double> score)
    {
        _rows = rows;
        _width = width;
        _score = score;
        HigherIsBetter = higherIsBetter;
    }

    /// <summary>The number of sentences.</summary>
    public int Count => _rows.Length / _width;

    /// <summary>True for BLEU and chrF, false for the error rates.</summary>
    public bool HigherIsBetter { get; }

    /// <summary>The score of the whole test set.</summary>
    public double Score()
    {
        double[] sums = new double[_width];
        for (int i = 0; i < Count; i++)
            Add(sums, i);
        return _score(sums);
    }

    /// <summary>The score of the sentences with the given indices; an index may occur more than once.</summary>
    /// <exception cref="OmniFusionException">An index is not that of a sentence.</exception>
    public double Score(ReadOnlySpan<int> sentences)
    {
        double[] sums = new double[_width];
        foreach (int i in sentences)
        {
            if ((uint)i >= (uint)Count)
                throw new OmniFusionException($"The sentence index {i} is outside of the {Count} sentences of the test set.");
            Add(sums, i);
        }
        return _score(sums);
    }

    private void Add(double[] sums, int sentence)
    {
        ReadOnlySpan<double> row = _rows.AsSpan(sentence * _width, _width);
        for (int j = 0; j < row.Length; j++)
            sums[j] += row[j];
    }
}
