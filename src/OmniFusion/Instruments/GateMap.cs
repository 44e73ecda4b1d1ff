namespace OmniFusion.Instruments;

/// <summary>What a token of the thinker stands for.</summary>
public enum TokenKind
{
    /// <summary>A token of the chat text.</summary>
    Prompt,

    /// <summary>A piece of an image.</summary>
    Image,

    /// <summary>40 ms of speech.</summary>
    Audio,
}

/// <summary>The gates of one token.</summary>
/// <param name="Kind">What it stands for.</param>
/// <param name="Token">Its text in the chat, for images and audio that of the placeholder.</param>
/// <param name="Gates">The weight of each fused layer; they sum to 1.</param>
public sealed record TokenGates(TokenKind Kind, string Token, IReadOnlyList<float> Gates)
{
    /// <summary>How evenly the layers are mixed, in nats: 0 for one layer alone, ln n for n alike.</summary>
    public double Entropy => 0 - Gates.Sum(gate => gate > 0 ? gate * Math.Log(gate) : 0);
}

/// <summary>How the fusion mixes the thinker's hidden states over one input.</summary>
/// <param name="Layers">Numbers of the fused hidden states, in the order of the gates.</param>
/// <param name="Tokens">The thinker's tokens in their order: those of an image row by row, those of audio in time.</param>
/// <param name="ImageHeight">Rows of image tokens; 0 without an image.</param>
/// <param name="ImageWidth">Columns of image tokens; 0 without an image.</param>
public sealed record GateMap(IReadOnlyList<int> Layers, IReadOnlyList<TokenGates> Tokens, int ImageHeight, int ImageWidth)
{
    /// <summary>Seconds that an audio token stands for.</summary>
    public const double AudioSeconds = 0.04;

    /// <summary>The gates of a kind of token over time, [layers, tokens].</summary>
    internal double[,] Over(TokenKind kind)
    {
        TokenGates[] tokens = [.. Tokens.Where(token => token.Kind == kind)];
        double[,] values = new double[Layers.Count, tokens.Length];
        for (int layer = 0; layer < Layers.Count; layer++)
            for (int i = 0; i < tokens.Length; i++)
                values[layer, i] = tokens[i].Gates[layer];
        return values;
    }

    /// <summary>The gate of one layer over the image, [rows, columns].</summary>
    internal double[,] OverImage(int layer)
    {
        TokenGates[] tokens = [.. Tokens.Where(token => token.Kind == TokenKind.Image)];
        double[,] values = new double[ImageHeight, ImageWidth];
        for (int y = 0; y < ImageHeight; y++)
            for (int x = 0; x < ImageWidth; x++)
                values[y, x] = tokens[y * ImageWidth + x].Gates[layer];
        return values;
    }
}
