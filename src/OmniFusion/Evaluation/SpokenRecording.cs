namespace OmniFusion.Evaluation;

/// <summary>A sentence of a recording, and its translation.</summary>
/// <param name="Text">What is said.</param>
/// <param name="Translation">The reference translation.</param>
/// <param name="Start">Seconds from the start of the recording.</param>
/// <param name="End">Seconds from the start of the recording; null where the recording ends.</param>
public sealed record SpokenSentence(string Text, string Translation, double Start, double? End);

/// <summary>A picture that is seen beside a recording from a moment on, until the next.</summary>
/// <param name="Path">Its file; null: nothing is seen from then on.</param>
/// <param name="Seconds">From the start of the recording.</param>
public sealed record SpokenImage(string? Path, double Seconds);

/// <summary>A recording to translate: one sentence, or a talk of several that the system is not told the limits of.</summary>
/// <param name="Name">Its name in logs.</param>
/// <param name="Sentences">What is said in it, in order; at least one.</param>
/// <param name="Read">Reads its sound: mono, 16 kHz.</param>
public sealed record SpokenRecording(string Name, IReadOnlyList<SpokenSentence> Sentences, Func<CancellationToken, float[]> Read)
{
    /// <summary>What is seen beside it, in order; none in most sets.</summary>
    public IReadOnlyList<SpokenImage> Images { get; init; } = [];

    /// <summary>The reference segments of the recording.</summary>
    /// <param name="sourceSeconds">Its length.</param>
    /// <exception cref="OmniFusionException">A sentence begins where the recording has ended.</exception>
    public IReadOnlyList<ReferenceSegment> References(double sourceSeconds) => [.. Sentences.Select(sentence =>
        (sentence.End ?? sourceSeconds) - sentence.Start is > 0 and double duration
            ? new ReferenceSegment(sentence.Translation, sentence.Start, duration)
            : throw new OmniFusionException($"{Name} is {sourceSeconds} seconds long, but a sentence begins at {sentence.Start}."))];
}
