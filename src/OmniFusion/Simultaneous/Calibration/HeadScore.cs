namespace OmniFusion.Simultaneous;

/// <summary>How well the attention of a head follows the source while a text is written about it; all from 0 to 1.</summary>
/// <param name="Head">The head.</param>
/// <param name="Monotonicity">
/// Kendall's τ of the attention's centre against the token's number: 1 if it only moves on, 0 where it goes to and fro, or back.
/// </param>
/// <param name="Reach">
/// Part of the source over which the centre moves from the first token to the last, by linear regression: 0 for a head that is stuck at an
/// end or looks everywhere at once.
/// </param>
/// <param name="Concentration">1 less the entropy of the attention, as a part of that of an even one: 1 if one position has all.</param>
/// <param name="Share">Part of the head's whole attention that lies on the source. It does not count in <paramref name="Score"/>.</param>
/// <param name="Score">Mean over the texts of the product of the first three.</param>
public sealed record HeadScore(AttentionHead Head, double Monotonicity, double Reach, double Concentration, double Share, double Score);
