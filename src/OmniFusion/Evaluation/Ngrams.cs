namespace OmniFusion.Evaluation;

/// <summary>Counts n-grams that two sequences share. Symbols are numbers: words or characters.</summary>
internal static class Ngrams
{
    /// <summary>Numbers words: equal words of all sequences get equal numbers.</summary>
    public static int[][] NumberWords(IReadOnlyList<IReadOnlyList<string>> sequences)
    {
        Dictionary<string, int> numbers = [];
        int[][] result = new int[sequences.Count][];
        for (int s = 0; s < result.Length; s++)
        {
            result[s] = new int[sequences[s].Count];
            for (int i = 0; i < result[s].Length; i++)
            {
                if (!numbers.TryGetValue(sequences[s][i], out int number))
                    numbers.Add(sequences[s][i], number = numbers.Count);
                result[s][i] = number;
            }
        }
        return result;
    }

    /// <summary>
    /// Numbers the n-grams of order 1 to <paramref name="maxOrder"/>: result [order - 1][sequence][position]. An n-gram is its
    /// (n-1)-gram's number and its last symbol, so that no order needs longer keys than the one before it.
    /// </summary>
    public static int[][][] Number(int[][] sequences, int maxOrder)
    {
        int[][][] result = new int[maxOrder][][];
        Dictionary<long, int> numbers = [];
        for (int n = 0; n < maxOrder; n++)
        {
            numbers.Clear();
            result[n] = new int[sequences.Length][];
            for (int s = 0; s < sequences.Length; s++)
            {
                int[] ids = result[n][s] = new int[Math.Max(0, sequences[s].Length - n)];
                for (int i = 0; i < ids.Length; i++)
                {
                    long key = ((n == 0 ? 0L : result[n - 1][s][i]) << 32) | (uint)sequences[s][i + n];
                    if (!numbers.TryGetValue(key, out ids[i]))
                        numbers.Add(key, ids[i] = numbers.Count);
                }
            }
        }
        return result;
    }

    /// <summary>How many n-grams of the hypothesis are found in the references, each at most as often as in one of them.</summary>
    public static int Matches(int[] hypothesis, params ReadOnlySpan<int[]> references)
    {
        Dictionary<int, int> available = [], one = [];
        foreach (int[] reference in references)
        {
            one.Clear();
            foreach (int id in reference)
                one[id] = one.GetValueOrDefault(id) + 1;
            foreach ((int id, int count) in one)
                available[id] = Math.Max(available.GetValueOrDefault(id), count);
        }
        int matches = 0;
        foreach (int id in hypothesis)
        {
            if (available.TryGetValue(id, out int left) && left > 0)
            {
                available[id] = left - 1;
                matches++;
            }
        }
        return matches;
    }
}
