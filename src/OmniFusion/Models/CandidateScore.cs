namespace OmniFusion.Models;

/// <summary>What a model thinks of a given translation.</summary>
/// <param name="Text">The translation.</param>
/// <param name="Tokens">Tokens of the translator, the one that ends the text among them.</param>
/// <param name="LogProbability">Sum of the natural logarithms of their probabilities, at most 0.</param>
public sealed record CandidateScore(string Text, int Tokens, double LogProbability)
{
    /// <summary>Log-probability for each token, by which translations of different length are compared.</summary>
    public double Mean => LogProbability / Tokens;

    /// <summary>exp(−<see cref="Mean"/>), 1 or more.</summary>
    public double Perplexity => Math.Exp(-Mean);
}

/// <summary>What became of one request of a batch: the scores of its candidates, or the error that its inputs caused.</summary>
/// <param name="Scores">In the order of the candidates, or null.</param>
/// <param name="Error">The error, or null.</param>
public sealed record ScoringResult(IReadOnlyList<CandidateScore>? Scores, OmniFusionException? Error);
