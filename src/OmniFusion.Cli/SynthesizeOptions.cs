using System.CommandLine;

namespace OmniFusion.Cli;

/// <summary>Options that the verbs of <c>omnifusion synthesize</c> have in common.</summary>
internal static class SynthesizeOptions
{
    internal static Option<string> Pack() => new Option<string>("--output") { Description = "Pack to write", HelpName = "PACK", Required = true }.NotEmpty();

    internal static Option<long> Seed(string draws) => new("--seed") { Description = draws, HelpName = "N", DefaultValueFactory = _ => 1 };

    /// <summary>An empty name would stand for the current folder.</summary>
    internal static T NotEmpty<T>(this T option) where T : Option
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.Length == 0))
                result.AddError($"{option.Name} is empty");
        });
        return option;
    }
}
