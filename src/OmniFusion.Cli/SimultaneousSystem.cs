using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>A simultaneous system as an evaluation names it.</summary>
/// <param name="Language">Code of the target language.</param>
/// <param name="Policy">As on the command line: wait-k:3, local-agreement:2, ...</param>
/// <param name="Chunk">Seconds of audio in a step.</param>
/// <param name="Cascade">Recogniser, then translator, instead of the fused model.</param>
internal sealed record SimultaneousSystem(string Language, string Policy, double Chunk, bool Cascade)
{
    /// <summary>Seconds of silence that end a segment; null as the bundle says.</summary>
    internal float? Pause { get; init; }

    /// <summary>Seconds of silence that end a segment whose sentence is complete; null as the bundle says.</summary>
    internal float? SentencePause { get; init; }

    /// <summary>What results call it.</summary>
    internal string Name => Cascade ? "cascade" : "fused";

    /// <summary>Begins a stream.</summary>
    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    internal ISimultaneousTranslator Create(OmniFusionModel model)
    {
        SimultaneousOptions options = new()
        {
            TargetLanguage = Language, Policy = ReadPolicy(), ChunkSeconds = Chunk, Cascade = Cascade,
            PauseSeconds = Pause, SentencePauseSeconds = SentencePause,
        };
        return Cascade ? new CascadeTranslator(model, options) : new SimultaneousTranslator(model, options);
    }

    /// <summary>Checks what can be checked before a model is loaded.</summary>
    /// <exception cref="UsageException">There is no such policy.</exception>
    internal SimultaneousSystem Checked()
    {
        ReadPolicy();
        return this;
    }

    private PolicyOptions ReadPolicy()
    {
        try
        {
            return PolicyOptions.Parse(Policy);
        }
        catch (OmniFusionException error)
        {
            throw new UsageException($"--policy: {error.Message}");
        }
    }
}

/// <summary>Begins a stream of a system.</summary>
internal delegate ISimultaneousTranslator StreamFactory(OmniFusionModel model, SimultaneousSystem system);
