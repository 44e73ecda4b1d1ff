using System.Diagnostics;

namespace OmniFusion.Evaluation;

/// <summary>
/// Edit distance to a fixed reference inside a band around the diagonal, with its alignment. Rows of the words that begin a text as they
/// began the one before are reused: texts that differ in a shift share most of them.
/// </summary>
internal sealed class BeamEditDistance
{
    private const int BeamWidth = 25;
    private const int Infinity = 1_000_000_000;

    private enum Operation : byte { None, Match, Substitution, Insertion, Deletion }

    private readonly int[] _reference;
    private readonly List<(int[] Costs, Operation[] Operations)> _rows = [];
    private int[] _words = [];

    public BeamEditDistance(int[] reference)
    {
        _reference = reference;
        int[] costs = new int[reference.Length + 1];
        Operation[] operations = new Operation[costs.Length];
        for (int j = 0; j < costs.Length; j++)
            costs[j] = j;
        Array.Fill(operations, Operation.Insertion);
        _rows.Add((costs, operations));
    }

    /// <summary>The distance of <paramref name="words"/>; texts given to one instance have one length.</summary>
    public int Compute(int[] words)
    {
        int same = Math.Min(words.AsSpan().CommonPrefixLength(_words), _rows.Count - 1);
        _words = words;
        for (int i = same + 1; i <= words.Length; i++)
        {
            if (i == _rows.Count)
                _rows.Add((new int[_reference.Length + 1], new Operation[_reference.Length + 1]));
            FillRow(i);
        }
        return _rows[words.Length].Costs[^1];
    }

    /// <summary>
    /// For the text last computed: the position in the text that each word of the reference is aligned with or comes after (-1: before
    /// the first), and which words of reference and text are wrong.
    /// </summary>
    public (int[] Align, bool[] ReferenceWrong, bool[] HypothesisWrong) Alignment()
    {
        int[] align = new int[_reference.Length];
        bool[] referenceWrong = new bool[_reference.Length], hypothesisWrong = new bool[_words.Length];
        int i = _words.Length, j = _reference.Length;
        while (i > 0 || j > 0)
        {
            switch (_rows[i].Operations[j])
            {
                case Operation.Match:
                    align[--j] = --i;
                    break;
                case Operation.Substitution:
                    align[--j] = --i;
                    referenceWrong[j] = hypothesisWrong[i] = true;
                    break;
                case Operation.Insertion:
                    align[--j] = i - 1;
                    referenceWrong[j] = true;
                    break;
                case Operation.Deletion:
                    hypothesisWrong[--i] = true;
                    break;
                default:
                    throw new UnreachableException();
            }
        }
        return (align, referenceWrong, hypothesisWrong);
    }

    private void FillRow(int i)
    {
        (int[] above, _) = _rows[i - 1];
        (int[] costs, Operation[] operations) = _rows[i];
        Array.Fill(costs, Infinity);
        Array.Clear(operations);

        double ratio = (double)_reference.Length / _words.Length;
        int width = BeamWidth < ratio / 2 ? (int)Math.Ceiling(ratio / 2 + BeamWidth) : BeamWidth;
        int diagonal = (int)Math.Floor(i * ratio);
        int last = i == _words.Length ? _reference.Length : Math.Min(_reference.Length, diagonal + width - 1);
        for (int j = Math.Max(0, diagonal - width); j <= last; j++)
        {
            if (j > 0)
            {
                bool equal = _words[i - 1] == _reference[j - 1];
                Offer(j, above[j - 1] + (equal ? 0 : 1), equal ? Operation.Match : Operation.Substitution);
            }
            Offer(j, above[j] + 1, Operation.Deletion);
            if (j > 0)
                Offer(j, costs[j - 1] + 1, Operation.Insertion);
        }

        void Offer(int j, int cost, Operation operation)
        {
            if (cost < costs[j])
                (costs[j], operations[j]) = (cost, operation);
        }
    }
}
