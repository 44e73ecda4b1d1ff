namespace OmniFusion.Generation;

/// <summary>How a text is searched for. The defaults are the published ones.</summary>
public sealed record GenerationOptions
{
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
}

/// <summary>A text that was found.</summary>
/// <param name="Ids">Its tokens, the end token among them when it was reached.</param>
/// <param name="Score">The sequence score of beam search; null for greedy search.</param>
public sealed record Generated(int[] Ids, float? Score);
