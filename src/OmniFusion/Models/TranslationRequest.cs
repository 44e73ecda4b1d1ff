using OmniFusion.Media;

namespace OmniFusion.Models;

/// <summary>
/// One thing to translate. What is given chooses the task: speech; speech with an image; a sentence with an image; an image alone (what
/// it says or shows); a sentence alone (the translator by itself). Speech with its transcript is the published chain of thought.
/// </summary>
public sealed record TranslationRequest
{
    /// <summary>
    /// Path of a recording: WAV, or whatever ffmpeg reads; at most 300 seconds, the longest that the published system takes. Digital silence
    /// (nothing above one step of 16 bits) has an empty translation and an empty transcript, unless a transcript is given.
    /// </summary>
    public string? Audio { get; init; }

    /// <summary>The recording itself, mono at 16 kHz, instead of <see cref="Audio"/>.</summary>
    public float[]? Samples { get; init; }

    /// <summary>Path of an image: PNG, or whatever ffmpeg reads.</summary>
    public string? Image { get; init; }

    /// <summary>The image itself, instead of <see cref="Image"/>.</summary>
    public RgbImage? Picture { get; init; }

    /// <summary>A sentence to translate, alone or with an image.</summary>
    public string? Text { get; init; }

    /// <summary>What the recording says, where that is known.</summary>
    public string? Transcript { get; init; }

    /// <summary>Code (<c>de</c>) or English name (<c>German</c>) of the language to translate into.</summary>
    public required string TargetLanguage { get; init; }

    /// <summary>Code or name of the language of <see cref="Text"/>; only a sentence alone needs it.</summary>
    public string SourceLanguage { get; init; } = "en";

    internal bool HasAudio => Audio is not null || Samples is not null;

    internal bool HasImage => Image is not null || Picture is not null;
}

/// <summary>How to translate; what is null is as the bundle says.</summary>
public sealed record TranslationOptions
{
    /// <summary>Beams of the search; 1 is greedy.</summary>
    public int? Beams { get; init; }

    /// <summary>No sequence of so many ids appears twice; 0 allows all.</summary>
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>Exponent of the length by which a score is divided.</summary>
    public float? LengthPenalty { get; init; }

    /// <summary>Tokens to write at most.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Size to which images are brought.</summary>
    public ImageSize? ImageSize { get; init; }

    /// <summary>
    /// Whether the thinker first writes what it hears, and the translator reads that behind the fused states: the published chain of thought,
    /// with the thinker's own transcript wherever a recording has none (<see cref="TranslationRequest.Transcript"/>). It costs the time of the
    /// recogniser. What was written stands in <see cref="Translation.Transcript"/>.
    /// </summary>
    public bool? ChainOfThought { get; init; }

    /// <summary>Requests computed together by <see cref="OmniFusionModel.TranslateBatchAsync"/>.</summary>
    public int BatchSize { get; init; } = 1;
}
