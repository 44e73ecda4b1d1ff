using OmniFusion.Models;
using OmniFusion.Tensors;

namespace OmniFusion.Generation;

/// <summary>A decoder that can write: the translator, or the thinker as a recogniser.</summary>
public interface ICausalModel
{
    /// <summary>The layers.</summary>
    DecoderStack Decoder { get; }

    /// <summary>Number of tokens.</summary>
    int VocabularySize { get; }

    /// <summary>Embeddings of tokens [n, D].</summary>
    Tensor EmbedTokens(Compute c, ReadOnlyMemory<int> ids);

    /// <summary>Rotary angles of rows.</summary>
    RotaryAngles Angles(Compute c, Positions positions);

    /// <summary>Scores of the next token: [rows, D] to [rows, vocabulary].</summary>
    Tensor Logits(Compute c, Tensor last);
}
