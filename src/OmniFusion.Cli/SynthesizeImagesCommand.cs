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
            Required = true,
        };
        Option<string> output = new("--output") { Description = "Pack to write", Required = true };
        Option<string> makers = new("--makers")
        {
            Description = "Makers of the drawings",
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
                string[] names = arguments.GetRequiredValue(makers)
                    .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
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
}
