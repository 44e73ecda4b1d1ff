using System.CommandLine;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion synthesize images</c>: packs the drawings that training composes scenes of.</summary>
internal static class SynthesizeImagesCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string> emoji = new("--emoji")
        {
            Description = "node_modules folder with the makers' packages (docs/training.md)",
            HelpName = "DIR",
            Required = true,
        };
        Option<string> output = SynthesizeOptions.Pack();
        Option<string> makers = new("--makers")
        {
            Description = "Makers of the drawings",
            HelpName = "LIST",
            DefaultValueFactory = _ => string.Join(',', PictogramPackBuilder.UsualMakers),
        };
        Command command = new("images", "Pack the pictograms that all makers have drawn; training composes scenes of them")
        {
            emoji, output, makers,
        };
        // In a thread of its own, so that a signal ends the command as it should: a half-written pack goes with it.
        command.SetAction((arguments, _) => Task.Run(
            () =>
            {
                string path = arguments.GetRequiredValue(output);
                string[] names = MakersOf(arguments.GetRequiredValue(makers));
                PictogramPackBuilder.Build(arguments.GetRequiredValue(emoji), names, path);
                using PictogramPack pack = PictogramPack.Open(path);
                int variants = pack.Infos.Count(info => info.BaseHexcode is not null);
                Console.WriteLine(
                    $"{path}: {pack.Infos.Count - variants} pictograms and {variants} variants in skin tone, each by {string.Join(", ", pack.Makers)}");
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static string[] MakersOf(string list)
    {
        string[] names = list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return names.Length == 0 ? throw new UsageException("--makers names nobody.")
            : names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { Key: var twice }
                ? throw new UsageException($"--makers names {twice} twice.")
            : names;
    }
}
