using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Wait-k (Ma et al. 2019): read k, then write and read in turn. With a stride s (wait-k-stride-n of Zeng et al. 2021) s are written for
/// every s that are read: after n ≥ k source units, s·(⌊(n − k) / s⌋ + 1) words are out. What is read is counted in source words or, where
/// the words of speech are not known, in stretches of audio (the pre-decision of Ma, Pino and Koehn 2020); what is written in words.
/// </summary>
/// <param name="tokenizer">Of the hypotheses.</param>
/// <param name="k">Units to read first, at least 1.</param>
/// <param name="stride">Units read and words written in turn, at least 1.</param>
/// <param name="secondsPerUnit">Length of a stretch of audio; null: units are source words.</param>
public sealed class WaitKPolicy(Tokenizer tokenizer, int k, int stride = 1, double? secondsPerUnit = null) : Policy
{
    private readonly WordCuts _cuts = new(tokenizer);

    /// <inheritdoc/>
    public override int Stable(PolicyStep step)
    {
        // Half a sample of tolerance: 3 · 0.1 s are no more than 0.3 s.
        long read = secondsPerUnit is { } seconds ? (long)Math.Floor(step.SourceSeconds / seconds + 1e-4) : step.SourceWords;
        if (read < k)
            return step.Kept;
        long words = stride * ((read - k) / stride + 1);
        return _cuts.CutAfter(step.Hypothesis.Tokens, step.Kept, words, step.Hypothesis.Ended);
    }
}
