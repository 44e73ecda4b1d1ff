namespace OmniFusion.Models.Omni;

/// <summary>What CTC reads greedily (Graves et al. 2006): of the best symbols of frames, repetitions count once and blanks not at all.</summary>
internal static class CtcPath
{
    /// <summary>The runs of one symbol other than the blank.</summary>
    /// <param name="best">The best symbol of each frame.</param>
    /// <param name="blank">The symbol that says nothing.</param>
    internal static List<Run> Runs(ReadOnlySpan<int> best, int blank)
    {
        List<Run> runs = [];
        for (int first = 0, end; first < best.Length; first = end)
        {
            for (end = first + 1; end < best.Length && best[end] == best[first];)
                end++;
            if (best[first] != blank)
                runs.Add(new Run(first, end - first, best[first]));
        }
        return runs;
    }

    /// <summary>Neighbouring frames that say one symbol.</summary>
    /// <param name="First">The first frame.</param>
    /// <param name="Length">Number of frames.</param>
    /// <param name="Symbol">The symbol.</param>
    internal readonly record struct Run(int First, int Length, int Symbol);
}
