using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>A simultaneous system as an evaluation names it.</summary>
/// <param name="Language">Code of the target language.</param>
/// <param name="Policy">As on the command line: wait-k:3, local-agreement:2, ...</param>
/// <param name="Chunk">Seconds of audio in a step.</param>
/// <param name="Name">
/// <c>fused</c>, <c>chain-of-thought</c>, <c>cascade</c>, or <c>cascade/POLICY</c> where the transcript has a policy of its own.
/// </param>
internal sealed record SimultaneousSystem(string Language, string Policy, double Chunk, string Name)
{
    internal const string Fused = "fused", ChainOfThought = "chain-of-thought", Cascade = "cascade";

    private const string OwnTranscriptPolicy = Cascade + "/";

    /// <summary>Seconds of silence that end a segment; null as the bundle says.</summary>
    internal double? Pause { get; init; }

    /// <summary>Seconds of silence that end a segment whose sentence is complete; null as the bundle says.</summary>
    internal double? SentencePause { get; init; }

    /// <summary>Seconds that a segment lasts at most; null as the bundle says.</summary>
    internal double? MaxSegment { get; init; }

    /// <summary>Whether each step equals the offline computation of the audio so far.</summary>
    internal bool Exact { get; init; }

    /// <summary>Code of the language that is spoken, of which a cascade's translator reads the name; null: English.</summary>
    internal string? Spoken { get; init; }

    /// <summary>The name of a system that options choose.</summary>
    /// <exception cref="UsageException">They choose more than one.</exception>
    internal static string NameOf(bool cascade, bool chainOfThought, string? transcriptPolicy) => (cascade, chainOfThought) switch
    {
        (true, true) => throw new UsageException("--cascade and --chain-of-thought are two ways: give one of them."),
        (false, _) when transcriptPolicy is not null => throw new UsageException("--transcript-policy goes with --cascade."),
        (false, _) => chainOfThought ? ChainOfThought : Fused,
        _ => transcriptPolicy is null ? Cascade : OwnTranscriptPolicy + transcriptPolicy,
    };

    /// <summary>Whether a system of this name works in two stages.</summary>
    internal static bool IsCascade(string name) => name == Cascade || name.StartsWith(OwnTranscriptPolicy, StringComparison.Ordinal);

    /// <summary>Begins a stream.</summary>
    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    internal ISimultaneousTranslator Create(OmniFusionModel model) => StreamTranslator.Create(model, Options());

    /// <summary>Checks what can be checked before a model is loaded.</summary>
    /// <exception cref="UsageException">There is no such policy or system, or they do not go together.</exception>
    internal SimultaneousSystem Checked()
    {
        Options();
        return this;
    }

    private SimultaneousOptions Options()
    {
        bool cascade = IsCascade(Name);
        if (!cascade && Name is not (Fused or ChainOfThought))
            throw new UsageException($"--system takes {Fused}, {ChainOfThought}, {Cascade} or {OwnTranscriptPolicy}POLICY, not '{Name}'.");
        PolicyOptions policy = PolicyOption.Read("--policy", Policy);
        if (Name == ChainOfThought && policy.NeedsAttention)
            throw new UsageException($"--policy {Policy} follows the audio, which a chain of thought does not: the translator reads the transcript.");
        return new SimultaneousOptions
        {
            TargetLanguage = Language, Policy = policy, ChunkSeconds = Chunk, PauseSeconds = Pause, SentencePauseSeconds = SentencePause,
            MaxSegmentSeconds = MaxSegment, Exact = Exact, SourceLanguage = Spoken ?? "en",
            Cascade = cascade, ChainOfThought = Name == ChainOfThought,
            TranscriptPolicy = cascade && Name != Cascade ? PolicyOption.Read("--transcript-policy", Name[OwnTranscriptPolicy.Length..]) : null,
        };
    }
}

/// <summary>Begins a stream of a system.</summary>
internal delegate ISimultaneousTranslator StreamFactory(OmniFusionModel model, SimultaneousSystem system);
