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

    internal delegate void Counter(string hypothesis, string[] references, Span<double> row);

    internal static SegmentStatistics Collect(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references, int width,
        bool higherIsBetter, Counter count, Func<ReadOnlySpan<double>, double> score)
    {
        string[][] bySentence = TestSet.BySentence(hypotheses, references);
        double[] rows = new double[bySentence.Length * width];
        for (int i = 0; i < bySentence.Length; i++)
            count(hypotheses[i], bySentence[i], rows.AsSpan(i * width, width));
        return new SegmentStatistics(rows, width, higherIsBetter, score) { References = TestSet.ReferenceCount(bySentence) };
    }

    /// <summary>The number of references as signatures show it.</summary>
    internal string References { get; private init; } = "nrefs:1";

    /// <summary>The number of sentences.</summary>
    public int Count => _rows.Length / _width;

    /// <summary>True for BLEU and chrF, false for the error rates.</summary>
    public bool HigherIsBetter { get; }

    /// <summary>The score of the whole test set.</summary>
    public double Score() => _score(Sums());

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

    internal double[] Sums()
    {
        double[] sums = new double[_width];
        for (int i = 0; i < Count; i++)
            Add(sums, i);
        return sums;
    }

    private void Add(double[] sums, int sentence)
    {
        ReadOnlySpan<double> row = _rows.AsSpan(sentence * _width, _width);
        for (int j = 0; j < row.Length; j++)
            sums[j] += row[j];
    }
}
