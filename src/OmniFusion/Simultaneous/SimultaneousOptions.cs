using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>
/// How to translate a stream; what is null is as the bundle says (its <c>simultaneous</c> section), or the default named here.
/// </summary>
public sealed record SimultaneousOptions
{
    /// <summary>Policy where nobody names one.</summary>
    public const string DefaultPolicy = "local-agreement:2";

    /// <summary>Seconds of a chunk where nobody names them.</summary>
    public const double DefaultChunk = 0.5;

    /// <summary>Bounds of <see cref="ChunkSeconds"/>, which takes steps of the shortest.</summary>
    public static (double Least, double Most) ChunkBounds => (0.02, 30);

    /// <summary>Bounds of <see cref="PauseSeconds"/>.</summary>
    public static (double Least, double Most) PauseBounds => (0.04, 10);

    /// <summary>Bounds of <see cref="SentencePauseSeconds"/>.</summary>
    public static (double Least, double Most) SentencePauseBounds => (0, 10);

    /// <summary>Bounds of <see cref="MaxSegmentSeconds"/>.</summary>
    public static (double Least, double Most) MaxSegmentBounds => (2, 30);

    /// <summary>Code or English name of the language to translate into.</summary>
    public required string TargetLanguage { get; init; }

    /// <summary>Code or name of the language that is spoken; only the cascade's translator reads it.</summary>
    public string SourceLanguage { get; init; } = "en";

    /// <summary>What is stable; for a cascade in both stages. Null: the bundle's, or <see cref="DefaultPolicy"/>.</summary>
    public PolicyOptions? Policy { get; init; }

    /// <summary>Whether recogniser and translator work one after the other, instead of the fused model.</summary>
    public bool Cascade { get; init; }

    /// <summary>
    /// What of the transcript is stable, in a cascade; with re-translation the translator reads all of it while it may still change. Null:
    /// as <see cref="Policy"/>.
    /// </summary>
    public PolicyOptions? TranscriptPolicy { get; init; }

    /// <summary>
    /// Whether the fused model's thinker also writes what it hears, and the translator reads all of that while it may still change. Not with
    /// a policy that looks at attention: the translator then looks at the transcript.
    /// </summary>
    public bool ChainOfThought { get; init; }

    /// <summary>Seconds of audio between two steps, within <see cref="ChunkBounds"/>. Null: the bundle's, or 0.5.</summary>
    public double? ChunkSeconds { get; init; }

    /// <summary>Seconds of silence that end a segment, within <see cref="PauseBounds"/>. Null: the bundle's, or 0.4.</summary>
    public double? PauseSeconds { get; init; }

    /// <summary>
    /// Seconds of silence, within <see cref="SentencePauseBounds"/>, that end a segment whose text is a whole sentence of which the policy has
    /// put out everything; from <see cref="PauseSeconds"/> on it changes nothing. Null: the bundle's, or 0.2.
    /// </summary>
    public double? SentencePauseSeconds { get; init; }

    /// <summary>
    /// Seconds that a segment lasts at most, within <see cref="MaxSegmentBounds"/>. From the half of it on shorter and shorter pauses end it.
    /// Null: the bundle's, or 20.
    /// </summary>
    public double? MaxSegmentSeconds { get; init; }

    /// <summary>Whether each step equals the offline computation of the audio so far, at the price of speed.</summary>
    public bool Exact { get; init; }

    /// <summary>What is seen from the start, or null.</summary>
    public RgbImage? Image { get; init; }
}
