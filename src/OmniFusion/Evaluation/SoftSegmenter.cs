using System.Text;
using OmniFusion.Text;

namespace OmniFusion.Evaluation;

/// <summary>
/// Assigns the words of an unsegmented translation to the segments of its reference by a similarity of their characters, which bears
/// differences in wording better than exact matches do (arXiv 2509.17349), choosing among equals as OmniSTEval 0.1.10 does. Words are
/// compared in lower case and Unicode's compatibility form, without Moses tokenisation.
/// </summary>
public static class SoftSegmenter
{
    private const long MaxCells = 1L << 32;

    private enum Step : byte { Match, SkipReference, SkipHypothesis }

    /// <summary>Assigns each word of the hypothesis to a segment.</summary>
    /// <param name="references">The words (or characters) of each reference segment.</param>
    /// <param name="hypothesis">The words (or characters) of the whole translation.</param>
    /// <param name="unit">Characters are similar only if equal.</param>
    /// <returns>The segment of each word, from 0; -1 for punctuation before the first match that nothing is similar to.</returns>
    /// <exception cref="OmniFusionException">No reference has a word, or the texts are too long to align.</exception>
    public static int[] Align(IReadOnlyList<IReadOnlyList<string>> references, IReadOnlyList<string> hypothesis,
        LatencyUnit unit = LatencyUnit.Word)
    {
        ArgumentNullException.ThrowIfNull(references);
        ArgumentNullException.ThrowIfNull(hypothesis);
        List<(Symbol Symbol, int Segment)> reference = [];
        for (int s = 0; s < references.Count; s++)
            reference.AddRange(references[s].Select(w => (new Symbol(w), s)));
        if (reference.Count == 0)
            throw new OmniFusionException("There is no reference word to align with.");
        if ((reference.Count + 1L) * (hypothesis.Count + 1L) > MaxCells)
            throw new OmniFusionException($"{hypothesis.Count} words are too many to align with {reference.Count} words of reference.");

        Symbol[] words = [.. hypothesis.Select(w => new Symbol(w))];
        return Assign(reference, words, Path(reference, words, unit), unit);
    }

    // Needleman and Wunsch without a price for gaps; matches first, then words of the reference skipped.
    private static List<Step> Path(List<(Symbol Symbol, int Segment)> reference, Symbol[] words, LatencyUnit unit)
    {
        byte[][] steps = new byte[reference.Count + 1][];
        double[] above = new double[words.Length + 1], row = new double[words.Length + 1];
        for (int i = 1; i <= reference.Count; i++)
        {
            (above, row) = (row, above);
            row[0] = 0;
            steps[i] = new byte[words.Length / 4 + 1];
            for (int j = 1; j <= words.Length; j++)
            {
                double match = above[j - 1] + reference[i - 1].Symbol.Similarity(words[j - 1], unit);
                Step step = match >= above[j] && match >= row[j - 1] ? Step.Match
                    : above[j] >= row[j - 1] ? Step.SkipReference : Step.SkipHypothesis;
                row[j] = step switch { Step.Match => match, Step.SkipReference => above[j], _ => row[j - 1] };
                steps[i][j / 4] |= (byte)((int)step << (j % 4 * 2));
            }
        }

        List<Step> path = [];
        for (int i = reference.Count, j = words.Length; i > 0 || j > 0;)
        {
            Step step = i == 0 ? Step.SkipHypothesis : j == 0 ? Step.SkipReference : (Step)(steps[i][j / 4] >> (j % 4 * 2) & 3);
            path.Add(step);
            i -= step == Step.SkipHypothesis ? 0 : 1;
            j -= step == Step.SkipReference ? 0 : 1;
        }
        path.Reverse();
        return path;
    }

    // A word without a counterpart goes to the more similar of the reference words before and after it. Once it is the one after, all
    // words up to there follow, so that segments stay in order.
    private static int[] Assign(List<(Symbol Symbol, int Segment)> reference, Symbol[] words, List<Step> path, LatencyUnit unit)
    {
        int[] segments = new int[words.Length];
        int next = 0, word = 0;
        int? last = null;
        bool lookAhead = false;
        foreach (Step step in path)
        {
            if (step != Step.SkipHypothesis)
            {
                last = next++;
                lookAhead = false;
            }
            else if (!lookAhead && next < reference.Count)
            {
                double before = last is { } l ? reference[l].Symbol.Similarity(words[word], unit) : double.NegativeInfinity;
                lookAhead = reference[next].Symbol.Similarity(words[word], unit) > before;
            }
            if (step != Step.SkipReference)
                segments[word++] = lookAhead ? reference[next].Segment : last is { } l ? reference[l].Segment : -1;
        }
        return segments;
    }

    /// <summary>A word as it is compared: its characters as a sorted set.</summary>
    private sealed class Symbol
    {
        private const string Marks = ".!?,;:-()。！？，；：—（）ー";
        private readonly string _text;
        private readonly int[] _characters;
        private readonly bool _isMark;

        public Symbol(string word)
        {
            _text = PythonText.ToLower(UnicodeNormalizer.Normalize(word, NormalizationForm.FormKC));
            _characters = [.. PythonText.CodePoints(_text).Distinct().Order()];
            _isMark = _text.Length == 1 && Marks.Contains(_text[0]);
        }

        /// <summary>The Jaccard similarity of the characters, 0 to 1; minus infinity for punctuation and a word.</summary>
        public double Similarity(Symbol other, LatencyUnit unit)
        {
            if (_isMark != other._isMark)
                return double.NegativeInfinity;
            if (unit == LatencyUnit.Character)
                return _text == other._text ? 1 : 0;
            int common = 0;
            for (int i = 0, j = 0; i < _characters.Length && j < other._characters.Length;)
            {
                int order = _characters[i].CompareTo(other._characters[j]);
                common += order == 0 ? 1 : 0;
                i += order <= 0 ? 1 : 0;
                j += order >= 0 ? 1 : 0;
            }
            int union = _characters.Length + other._characters.Length - common;
            return union > 0 ? (double)common / union : 0;
        }
    }
}
