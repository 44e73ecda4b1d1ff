namespace OmniFusion.Simultaneous;

/// <summary>Hold-n (Liu, Spanakis and Niehues 2020): all but the last n tokens of a hypothesis are stable.</summary>
/// <param name="n">Tokens held back.</param>
public sealed class HoldPolicy(int n = 3) : Policy
{
    /// <inheritdoc/>
    public override int Stable(PolicyStep step) => Math.Max(step.Hypothesis.Tokens.Length - n, step.Kept);
}
