using System.CommandLine;
using OmniFusion.Checkpoints;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion average</c>: the mean of checkpoints.</summary>
internal static class AverageCommand
{
    internal static Command Create()
    {
        Argument<string[]> folders = new("FOLDER")
        {
            Description = "Checkpoints of one layout: folders of a thinker, a translator or an adapter",
            Arity = new ArgumentArity(2, 100),
        };
        Option<string> output = new("--output") { Description = "Folder for the mean", HelpName = "DIR", Required = true };
        Option<float[]?> shares = new("--shares")
        {
            Description = "Share of each, such as 0.7 0.3, in all 1 (default: equal)",
            HelpName = "X",
            AllowMultipleArgumentsPerToken = true,
        };
        Command command = new("average", "Averages the weights of trainings that went on from the same model.") { folders, output, shares };
        command.SetAction(arguments =>
        {
            string[] parts = arguments.GetValue(folders)!;
            float[]? given = arguments.GetValue(shares) is { Length: > 0 } some ? some : null;
            if (given is not null && given.Length != parts.Length)
                throw new UsageException($"--shares takes one number for each folder: {parts.Length}, not {given.Length}.");
            CheckpointAverage.Write(parts, given, arguments.GetValue(output)!);
            return 0;
        });
        return command;
    }
}
