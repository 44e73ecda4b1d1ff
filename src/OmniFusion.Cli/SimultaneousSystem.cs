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
    /// <summary>What results call it.</summary>
    internal string Name => Cascade ? "cascade" : "fused";

    /// <summary>Begins a stream.</summary>
    /// <exception cref="UsageException">There is no such policy.</exception>
    internal ISimultaneousTranslator Create(OmniFusionModel model) =>
        throw new UsageException($"--policy: this build translates no streams, so '{Policy}' cannot be evaluated with {model.Bundle.Mmfm}");
}

/// <summary>Begins a stream of a system.</summary>
internal delegate ISimultaneousTranslator StreamFactory(OmniFusionModel model, SimultaneousSystem system);
