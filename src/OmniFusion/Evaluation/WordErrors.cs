namespace OmniFusion.Evaluation;

/// <summary>
/// The edits that turn references into hypotheses, and the error rates that follow from them (Morris et al., Interspeech 2004), as jiwer 4
/// counts them: among alignments with the fewest edits the one its aligner picks, because MER and WIL depend on it. Case and punctuation
/// count as they stand; see <see cref="TextNormalizer.ForRecognition"/>.
/// </summary>
/// <param name="Hits">Words or characters that are right.</param>
/// <param name="Substitutions">Words of the reference replaced by another.</param>
/// <param name="Deletions">Words of the reference missing in the hypothesis.</param>
/// <param name="Insertions">Words of the hypothesis without a counterpart.</param>
public sealed record WordErrors(long Hits, long Substitutions, long Deletions, long Insertions)
{
    /// <summary>Words of the reference.</summary>
    public long ReferenceLength => Hits + Substitutions + Deletions;

    /// <summary>Words of the hypothesis.</summary>
    public long HypothesisLength => Hits + Substitutions + Insertions;

    /// <summary>Substitutions, deletions and insertions.</summary>
    public long Errors => Substitutions + Deletions + Insertions;

    /// <summary>
    /// Word error rate, errors for each word of the reference: 0 is perfect, above 1 is possible; against an empty reference the number of
    /// insertions. (Character error rate, CER, where characters were compared.)
    /// </summary>
    public double Wer => (double)Errors / Math.Max(1, ReferenceLength);

    /// <summary>Match error rate, the share of wrong alignment positions, 0 to 1.</summary>
    public double Mer => Hits + Errors > 0 ? (double)Errors / (Hits + Errors) : 0;

    /// <summary>Word information lost, 0 to 1.</summary>
    public double Wil => 1 - Wip;

    /// <summary>Word information preserved, 0 to 1.</summary>
    public double Wip => Hits > 0 ? (double)Hits / ReferenceLength * ((double)Hits / HypothesisLength) : Errors > 0 ? 0 : 1;

    /// <summary>Compares two texts word by word; words are what white space separates.</summary>
    public static WordErrors Compute(string reference, string hypothesis) => Compute([reference], [hypothesis]);

    /// <summary>Compares sentences word by word and adds up their edits.</summary>
    /// <exception cref="OmniFusionException">There are not as many hypotheses as references.</exception>
    public static WordErrors Compute(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses) =>
        Sum(references, hypotheses, WordsOf);

    /// <summary>Compares two texts character by character, spaces included, for the character error rate.</summary>
    public static WordErrors Characters(string reference, string hypothesis) => Characters([reference], [hypothesis]);

    /// <summary>Compares sentences character by character, spaces included, and adds up their edits.</summary>
    /// <exception cref="OmniFusionException">There are not as many hypotheses as references.</exception>
    public static WordErrors Characters(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses) =>
        Sum(references, hypotheses, CharactersOf);

    /// <summary>The statistics of each sentence, for <see cref="Bootstrap"/> over the word error rate.</summary>
    /// <exception cref="OmniFusionException">There are not as many hypotheses as references.</exception>
    public static SegmentStatistics Statistics(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses) =>
        Statistics(references, hypotheses, Compute);

    /// <summary>The statistics of each sentence, for <see cref="Bootstrap"/> over the character error rate.</summary>
    /// <exception cref="OmniFusionException">There are not as many hypotheses as references.</exception>
    public static SegmentStatistics CharacterStatistics(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses) =>
        Statistics(references, hypotheses, Characters);

    private static SegmentStatistics Statistics(
        IReadOnlyList<string> references, IReadOnlyList<string> hypotheses, Func<string, string, WordErrors> compare)
    {
        CheckCounts(references, hypotheses);
        double[] rows = new double[references.Count * 2];
        for (int i = 0; i < references.Count; i++)
        {
            WordErrors errors = compare(references[i], hypotheses[i]);
            rows[2 * i] = errors.Errors;
            rows[2 * i + 1] = errors.ReferenceLength;
        }
        return new SegmentStatistics(rows, 2, higherIsBetter: false, s => s[0] / Math.Max(1, s[1]));
    }

    private static WordErrors Sum(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses,
        Func<string, string, (int[], int[])> symbols)
    {
        CheckCounts(references, hypotheses);
        long hits = 0, substitutions = 0, deletions = 0, insertions = 0;
        for (int i = 0; i < references.Count; i++)
        {
            (int[] reference, int[] hypothesis) = symbols(references[i], hypotheses[i]);
            WordErrors one = Align(reference, hypothesis);
            hits += one.Hits;
            substitutions += one.Substitutions;
            deletions += one.Deletions;
            insertions += one.Insertions;
        }
        return new WordErrors(hits, substitutions, deletions, insertions);
    }

    private static void CheckCounts(IReadOnlyList<string> references, IReadOnlyList<string> hypotheses)
    {
        ArgumentNullException.ThrowIfNull(references);
        ArgumentNullException.ThrowIfNull(hypotheses);
        if (references.Count == 0)
            throw new OmniFusionException("There is no reference to score against.");
        if (references.Count != hypotheses.Count)
            throw new OmniFusionException($"There are {references.Count} references, but {hypotheses.Count} hypotheses.");
    }

    private static (int[], int[]) WordsOf(string reference, string hypothesis)
    {
        int[][] numbers = Ngrams.NumberWords([PythonText.Split(reference), PythonText.Split(hypothesis)]);
        return (numbers[0], numbers[1]);
    }

    private static (int[], int[]) CharactersOf(string reference, string hypothesis) =>
        (PythonText.CodePoints(PythonText.Trim(reference)), PythonText.CodePoints(PythonText.Trim(hypothesis)));

    // Which step leads to a cell follows from the distances around it, so the hits travel forward with them: two rows are enough.
    private static WordErrors Align(ReadOnlySpan<int> reference, ReadOnlySpan<int> hypothesis)
    {
        int prefix = reference.CommonPrefixLength(hypothesis);
        reference = reference[prefix..];
        hypothesis = hypothesis[prefix..];
        int same = prefix;
        while (reference.Length > 0 && hypothesis.Length > 0 && reference[^1] == hypothesis[^1])
        {
            reference = reference[..^1];
            hypothesis = hypothesis[..^1];
            same++;
        }

        int columns = hypothesis.Length;
        int[] distance = new int[columns + 1], above = new int[columns + 1];
        int[] hits = new int[columns + 1], hitsAbove = new int[columns + 1];
        for (int j = 0; j <= columns; j++)
            distance[j] = j;
        for (int i = 1; i <= reference.Length; i++)
        {
            (distance, above) = (above, distance);
            (hits, hitsAbove) = (hitsAbove, hits);
            distance[0] = i;
            hits[0] = 0;
            for (int j = 1; j <= columns; j++)
            {
                bool equal = reference[i - 1] == hypothesis[j - 1];
                distance[j] = Math.Min(above[j - 1] + (equal ? 0 : 1), Math.Min(above[j], distance[j - 1]) + 1);
                if (distance[j] == above[j] + 1)
                    hits[j] = hitsAbove[j];
                else if (distance[j - 1] == above[j - 1] - 1)
                    hits[j] = hits[j - 1];
                else
                    hits[j] = hitsAbove[j - 1] + (equal ? 1 : 0);
            }
        }
        int right = hits[columns], edits = distance[columns];
        int insertions = edits - (reference.Length - right), deletions = insertions - (columns - reference.Length);
        return new WordErrors(right + same, reference.Length - right - deletions, deletions, insertions);
    }
}
