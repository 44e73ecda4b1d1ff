namespace OmniFusion.Simultaneous;

/// <summary>
/// LocalAgreement-n (Liu, Spanakis and Niehues 2020): what the last n hypotheses begin with in common is stable.
/// </summary>
/// <param name="n">Hypotheses that must agree, at least 2.</param>
public sealed class LocalAgreementPolicy(int n = 2) : Policy
{
    private readonly Queue<int[]> _earlier = new();

    /// <inheritdoc/>
    public override int Stable(PolicyStep step)
    {
        int[] tokens = step.Hypothesis.Tokens;
        int agreed = _earlier.Count < n - 1 ? step.Kept
            : _earlier.Min(earlier => tokens.AsSpan().CommonPrefixLength(earlier));
        _earlier.Enqueue(tokens);
        if (_earlier.Count == n)
            _earlier.Dequeue();
        return Math.Max(agreed, step.Kept);
    }
}
