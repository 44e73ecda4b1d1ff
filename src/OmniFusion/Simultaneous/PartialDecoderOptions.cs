using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>How a decoder of a growing source computes.</summary>
public sealed record PartialDecoderOptions
{
    /// <summary>Layers and heads whose attention is put into <see cref="Hypothesis.Attention"/>; null or none: it stays null.</summary>
    public IReadOnlyList<AttentionHead>? Heads { get; init; }

    /// <summary>
    /// Whether each result is that of the offline computation of the audio so far, at the price of encoding finished chunks again when the
    /// loudest value of the log-mel spectrogram changes what they hear. Otherwise they stay as they are until the source is complete.
    /// </summary>
    public bool Exact { get; init; }

    /// <summary>
    /// No sequence of so many ids appears twice; 0 allows all; null: as offline, which is the bundle's setting for the translator and 0 for
    /// the thinker.
    /// </summary>
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>Size to which images are brought; null: the bundle's.</summary>
    public ImageSize? ImageSize { get; init; }

    /// <summary>What the decoders of one stream share; null: each makes its own prompts.</summary>
    internal ShownImage? Shown { get; init; }
}
