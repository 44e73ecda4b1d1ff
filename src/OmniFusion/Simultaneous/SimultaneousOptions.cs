using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>
/// How to translate a stream; what is null is as the bundle says (its <c>simultaneous</c> section), or the default named here.
/// </summary>
public sealed record SimultaneousOptions
{
    /// <summary>Policy where nobody names one.</summary>
    public const string DefaultPolicy = "local-agreement:2";

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

    /// <summary>Seconds of audio between two steps, 0.02 to 30, in steps of 0.02. Null: the bundle's, or 0.5.</summary>
    public double? ChunkSeconds { get; init; }

    /// <summary>Seconds of silence that end a segment, 0.04 to 10. Null: the bundle's, or 0.4.</summary>
    public double? PauseSeconds { get; init; }

    /// <summary>
    /// Seconds of silence, 0 to 10, that end a segment whose text is a whole sentence of which the policy has put out everything; from
    /// <see cref="PauseSeconds"/> on it changes nothing. Null: the bundle's, or 0.2.
    /// </summary>
    public double? SentencePauseSeconds { get; init; }

    /// <summary>
    /// Seconds that a segment lasts at most, 2 to 30. From the half of it on shorter and shorter pauses end it. Null: the bundle's, or 20.
    /// </summary>
    public double? MaxSegmentSeconds { get; init; }

    /// <summary>Whether each step equals the offline computation of the audio so far, at the price of speed.</summary>
    public bool Exact { get; init; }

    /// <summary>What is seen from the start, or null.</summary>
    public RgbImage? Image { get; init; }
}
