namespace OmniFusion.Simultaneous;

/// <summary>What a decoder would write if the source it has were all there is.</summary>
/// <param name="Tokens">
/// All tokens in the decoder's vocabulary: those it was made to keep, then its own; without the token that ends the text.
/// </param>
/// <param name="Ended">Whether the decoder ended the text by itself, rather than at a limit.</param>
/// <param name="Attention">
/// For each token behind the kept ones, the attention of the chosen layers and heads, averaged, over the positions of the source (for
/// speech the audio tokens of 40 ms, for text its tokens), not normalised; null where none was asked for.
/// </param>
public sealed record Hypothesis(int[] Tokens, bool Ended, float[][]? Attention);
