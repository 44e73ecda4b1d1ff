using System.CommandLine;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion synthesize recordings</c>: packs what people have recorded, so that training reads it as it reads synthesised speech.</summary>
internal static class SynthesizeRecordingsCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Argument<string> manifest = new("MANIFEST")
        {
            Description = "File with one object {\"audio\":..., \"text\":..., \"speaker\":...} a line, paths relative to it",
        };
        Option<string> output = SynthesizeOptions.Pack();
        Command command = new("recordings", "Pack real recordings; the pack's lines are their texts, in the manifest's order") { manifest, output };
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                IReadOnlyList<Recording> recordings = RecordedPack.ReadManifest(arguments.GetRequiredValue(manifest));
                string path = arguments.GetRequiredValue(output);
                await BatchProgress.Run("Packing", recordings.Count, progress =>
                {
                    RecordedPack.Build(path, recordings, _ => progress.Advance(1), cancellation);
                    return Task.CompletedTask;
                });
                Console.WriteLine($"{path}: {recordings.Count} recordings of {recordings.Select(item => item.Speaker).Distinct().Count()} speakers");
                return 0;
            },
            CancellationToken.None));
        return command;
    }
}
