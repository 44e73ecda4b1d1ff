namespace OmniFusion.Generation;

/// <summary>How a text is searched for. The defaults are the published ones.</summary>
public sealed record GenerationOptions
{
    /// <summary>The largest <see cref="MaxNewTokens"/>.</summary>
    internal const int MostTokens = 1 << 20;

    private const int MostBeams = 1024;

    /// <summary>Beams; 1 is greedy search.</summary>
    public int NumBeams { get; init; } = 5;

    /// <summary>No n-gram of this size appears twice in the whole id sequence; 0 allows all.</summary>
    public int NoRepeatNgramSize { get; init; } = 5;

    /// <summary>A hypothesis scores its sum of log-probabilities divided by its length to this power.</summary>
    public float LengthPenalty { get; init; } = 1;

    /// <summary>Tokens to write at most.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EndOfText { get; init; } = [2];

    /// <exception cref="OmniFusionException">A setting makes no sense.</exception>
    internal void Check()
    {
        if (NumBeams is < 1 or > MostBeams)
            throw new OmniFusionException($"The search needs 1 to {MostBeams} beams, not {NumBeams}.");
        if (MaxNewTokens is < 1 or > MostTokens)
            throw new OmniFusionException($"The search writes 1 to {MostTokens} new tokens, not {MaxNewTokens}.");
        if (NoRepeatNgramSize < 0)
            throw new OmniFusionException($"The size of n-grams that may not repeat is 0 or more, not {NoRepeatNgramSize}.");
        if (!float.IsFinite(LengthPenalty))
            throw new OmniFusionException("The length penalty is not a number.");
    }
}

/// <summary>A text that was found.</summary>
/// <param name="Ids">Its tokens, the end token among them when it was reached.</param>
/// <param name="Score">The sequence score of beam search; null for greedy search.</param>
public sealed record Generated(int[] Ids, float? Score);
