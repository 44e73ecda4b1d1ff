namespace OmniFusion.Checkpoints;

/// <summary>Sizes that every decoder of the Llama family has, names as published.</summary>
public abstract record DecoderConfig
{
    /// <summary>Rows of the embedding.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the SwiGLU.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of decoder layers.</summary>
    public required int NumHiddenLayers { get; init; }

    /// <summary>Query heads.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>Key and value heads, a divisor of the query heads.</summary>
    public required int NumKeyValueHeads { get; init; }

    /// <summary>Width of a head, even; hidden size / query heads when the file does not say.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Added to the mean square before the root.</summary>
    public float RmsNormEps { get; init; } = 1e-6f;

    /// <summary>Positions that the model was made for: an input of more tokens is refused.</summary>
    public int MaxPositionEmbeddings { get; init; } = 32768;

    /// <summary>Whether the output layer is the embedding.</summary>
    public bool TieWordEmbeddings { get; init; }
}
