namespace OmniFusion.Tensors;

/// <summary>How the rows of an attention are laid out.</summary>
/// <param name="Segments">Rows that see each other; no row sees another segment.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads, a divisor of <paramref name="Heads"/>.</param>
/// <param name="Causal">A row sees only itself and rows before it.</param>
/// <param name="Scale">Factor on the dot products, usually 1/sqrt(headDim).</param>
public readonly record struct AttentionShape(Segments Segments, int Heads, int KvHeads, bool Causal, float Scale);
