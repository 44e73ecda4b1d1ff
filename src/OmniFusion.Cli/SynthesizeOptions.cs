using System.CommandLine;

namespace OmniFusion.Cli;

/// <summary>Options that the verbs of <c>omnifusion synthesize</c> have in common.</summary>
internal static class SynthesizeOptions
{
    internal static Option<string> Pack() => new("--output") { Description = "Pack to write", HelpName = "PACK", Required = true };

    internal static Option<long> Seed(string draws) => new("--seed") { Description = draws, HelpName = "N", DefaultValueFactory = _ => 1 };
}
