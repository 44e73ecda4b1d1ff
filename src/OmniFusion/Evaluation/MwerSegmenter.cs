namespace OmniFusion.Evaluation;

/// <summary>
/// Cuts an unsegmented translation into the segments of its reference so that the word error rate is as low as possible (Matusov et al.,
/// IWSLT 2005), choosing among equals as mweralign 1.4 does. Upper and lower case of ASCII letters are equal.
/// </summary>
public static class MwerSegmenter
{
    private const long MaxCells = 1L << 28;

    /// <summary>Cuts a translation into as many parts as there are references; a part may be empty.</summary>
    /// <param name="references">The words of each reference segment.</param>
    /// <param name="hypothesis">The words of the whole translation.</param>
    /// <returns>For each reference the number of hypothesis words up to the end of its part; the last is all of them.</returns>
    /// <exception cref="OmniFusionException">There is no reference, or the texts are too long to align.</exception>
    public static int[] Align(IReadOnlyList<IReadOnlyList<string>> references, IReadOnlyList<string> hypothesis)
    {
        ArgumentNullException.ThrowIfNull(references);
        ArgumentNullException.ThrowIfNull(hypothesis);
        if (references.Count == 0)
            throw new OmniFusionException("There is no reference segment to align with.");
        if ((long)references.Count * hypothesis.Count > MaxCells)
            throw new OmniFusionException($"{hypothesis.Count} words are too many to align with {references.Count} segments.");

        int[][] numbers = Ngrams.NumberWords([.. references.Prepend(hypothesis).Select(words => words.Select(AsciiLower).ToArray())]);
        int[][] previousEnds = BestEnds(numbers[0], numbers[1..]);
        int[] ends = new int[references.Count];
        ends[^1] = hypothesis.Count;
        for (int s = ends.Length - 1; s > 0; s--)
            ends[s - 1] = previousEnds[ends[s]][s];
        return ends;
    }

    // For each hypothesis position and segment that ends there: where the segment before it ends in the best segmentation.
    private static int[][] BestEnds(int[] hypothesis, int[][] references)
    {
        int cells = references.Sum(r => r.Length + 1) + 1;
        (int Cost, int Start)[] above = new (int, int)[cells], row = new (int, int)[cells];
        int[][] ends = new int[hypothesis.Length + 1][];
        ends[0] = new int[references.Length];
        for (int i = 0; i < cells; i++)
            row[i] = (i, 0);
        for (int j = 1; j <= hypothesis.Length; j++)
        {
            (row, above) = (above, row);
            ends[j] = new int[references.Length];
            row[0] = (j, 0);
            int i = 0;
            for (int s = 0; s < references.Length; s++)
            {
                foreach (int word in references[s])
                {
                    i++;
                    int deletion = row[i - 1].Cost + 1, insertion = above[i].Cost + 1;
                    int substitution = above[i - 1].Cost + (word == hypothesis[j - 1] ? 0 : 1);
                    if (substitution < deletion && substitution < insertion)
                        row[i] = (substitution, above[i - 1].Start);
                    else if (deletion <= insertion && deletion <= substitution)
                        row[i] = (deletion, row[i - 1].Start);
                    else
                        row[i] = (insertion, above[i].Start);
                }
                // The segment ends here at no cost; the next one starts after this word.
                i++;
                ends[j][s] = row[i - 1].Start;
                row[i] = (row[i - 1].Cost, j);
            }
        }
        return ends;
    }

    private static string AsciiLower(string word) =>
        string.Concat(word.Select(c => c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c));
}
