namespace OmniFusion.Generation;

/// <summary>Forbids tokens that would complete an n-gram which the sequence has already.</summary>
public static class NgramBan
{
    /// <summary>
    /// Sets the scores of forbidden tokens to −∞. The published system looks at one list of everything, thinker ids, tower ids and generated
    /// ids, although the first come from another vocabulary; an id outside the scores forbids nothing.
    /// </summary>
    /// <param name="sequence">All ids so far.</param>
    /// <param name="size">n; 0 forbids nothing.</param>
    /// <param name="scores">A score for each token.</param>
    public static void Apply(ReadOnlySpan<int> sequence, int size, Span<float> scores)
    {
        if (size <= 0 || sequence.Length + 1 < size)
            return;
        ReadOnlySpan<int> last = sequence[^(size - 1)..];
        for (int i = 0; i + size <= sequence.Length; i++)
            if (sequence.Slice(i, size - 1).SequenceEqual(last) && (uint)sequence[i + size - 1] < (uint)scores.Length)
                scores[sequence[i + size - 1]] = float.NegativeInfinity;
    }
}
