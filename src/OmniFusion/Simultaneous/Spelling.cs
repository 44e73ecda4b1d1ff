namespace OmniFusion.Simultaneous;

/// <summary>What the audio tower's own head (CTC) has heard so far, letter by letter.</summary>
/// <param name="Text">Its spelling: the best class of each frame, repetitions and blanks removed.</param>
/// <param name="Words">Number of words in it.</param>
/// <param name="TrailingBlankSeconds">Seconds since the last frame whose best class is a letter; all of them when there is none.</param>
/// <param name="BlankProbabilities">For each frame of 20 ms, the probability of no letter: blank or space.</param>
public sealed record Spelling(string Text, int Words, double TrailingBlankSeconds, IReadOnlyList<float> BlankProbabilities)
{
    /// <summary>For each word of the text the frame of its first letter, and the one behind its last.</summary>
    public IReadOnlyList<(int First, int End)> WordFrames { get; init; } = [];
}
