namespace OmniFusion.Simultaneous;

/// <summary>What a policy decides on: one hypothesis, and how far the source and the text have come.</summary>
/// <param name="Hypothesis">The text as it would be now.</param>
/// <param name="Kept">Number of its tokens that are out already.</param>
/// <param name="SourcePositions">Length of the source in positions of the attention.</param>
/// <param name="SourceSeconds">Length of the source in seconds of audio.</param>
/// <param name="SourceWords">Words of the source where it is text; an estimate from the audio tower's spelling where it is speech.</param>
public sealed record PolicyStep(Hypothesis Hypothesis, int Kept, int SourcePositions, double SourceSeconds, int SourceWords);

/// <summary>
/// Decides how much of a hypothesis is stable. One object serves one text: it may remember earlier steps.
/// </summary>
public abstract class Policy
{
    /// <summary>Whether what was shown may still change: re-translation.</summary>
    public virtual bool Revises => false;

    /// <summary>
    /// Number of tokens of the hypothesis to put out, those kept included. Not asked when the source has ended: then all are.
    /// </summary>
    public abstract int Stable(PolicyStep step);
}

/// <summary>An attention head of a decoder.</summary>
/// <param name="Layer">Decoder layer, from 0.</param>
/// <param name="Head">Query head of it, from 0.</param>
public readonly record struct AttentionHead(int Layer, int Head);
