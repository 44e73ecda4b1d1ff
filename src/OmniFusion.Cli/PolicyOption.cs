using System.CommandLine;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>Options that choose what is put out when, and which system writes it.</summary>
internal static class PolicyOption
{
    internal static Option<bool> Cascade() =>
        new("--cascade") { Description = "Recogniser, then translator, instead of the fused model" };

    internal static Option<bool> ChainOfThought() =>
        new("--chain-of-thought") { Description = "The translator also reads what the thinker hears, as far as it has come" };

    internal static Option<string?> Transcript() => new("--transcript-policy")
    {
        Description = "With --cascade: what of the transcript is stable; with retranslate:0 all of it is read while it may still change "
            + "(default: as --policy)",
        HelpName = "POLICY",
    };

    /// <exception cref="UsageException">There is no such policy.</exception>
    internal static PolicyOptions Read(string option, string text)
    {
        try
        {
            return PolicyOptions.Parse(text);
        }
        catch (OmniFusionException error)
        {
            throw new UsageException($"{option}: {error.Message}");
        }
    }
}
