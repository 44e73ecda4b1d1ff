namespace OmniFusion.Simultaneous;

/// <summary>
/// Re-translation (Arivazhagan et al. 2020): each step translates everything anew and may take back what was shown; to flicker less, the
/// last k tokens are not shown (mask-k).
/// </summary>
/// <param name="mask">Tokens that are not shown.</param>
public sealed class RetranslationPolicy(int mask = 4) : Policy
{
    /// <inheritdoc/>
    public override bool Revises => true;

    /// <inheritdoc/>
    public override int Stable(PolicyStep step) => Math.Max(step.Hypothesis.Tokens.Length - mask, 0);
}
