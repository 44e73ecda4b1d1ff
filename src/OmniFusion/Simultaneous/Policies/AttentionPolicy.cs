namespace OmniFusion.Simultaneous;

/// <summary>
/// AlignAtt (Papi, Turchi and Negri 2023), and StreamAtt (Papi et al. 2024) where segments are cut at pauses, for a decoder whose source is
/// part of its own prefix: a token that looks mostly into the last f positions of the source may still change when more is heard, so the
/// text ends before the first such token. By EDAtt's rule (Papi, Negri and Turchi 2023) it is the share of the attention in these positions
/// that decides, not its maximum.
/// </summary>
/// <param name="frames">Positions f at the end of the source: 40 ms each for speech, tokens for text.</param>
/// <param name="mass">
/// Share of the attention from which on a token is held back; null: it is held back where its maximum lies there.
/// </param>
public sealed class AttentionPolicy(int frames = 8, double? mass = null) : Policy
{
    /// <inheritdoc/>
    public override int Stable(PolicyStep step)
    {
        float[][] attention = step.Hypothesis.Attention
            ?? throw new OmniFusionException("The attention policy needs a decoder that tells where it looks.");
        int stable = step.Kept;
        foreach (float[] token in attention)
        {
            if (LooksAtTheEnd(token))
                break;
            stable++;
        }
        return stable;
    }

    private bool LooksAtTheEnd(ReadOnlySpan<float> token)
    {
        if (token.Length <= frames)
            return true;
        if (mass is not { } share)
            return System.Numerics.Tensors.TensorPrimitives.IndexOfMax(token) >= token.Length - frames;
        float all = System.Numerics.Tensors.TensorPrimitives.Sum(token);
        return !(System.Numerics.Tensors.TensorPrimitives.Sum(token[^frames..]) < share * all);
    }
}
