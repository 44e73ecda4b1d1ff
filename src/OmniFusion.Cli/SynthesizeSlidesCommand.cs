using System.CommandLine;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion synthesize slides</c>: words on plain backgrounds, to learn to read from.</summary>
internal static class SynthesizeSlidesCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string?> texts = new("--texts") { Description = "Texts to write, one a line, plain or .gz", HelpName = "FILE" };
        Option<bool> names = new("--names") { Description = "Write the names and nouns that come with the program" };
        Option<int?> count = Options.Whole("--count", "Slides to draw; by default one of each text", 1, 10_000_000);
        Option<string> output = SynthesizeOptions.Pack();
        Option<long> seed = SynthesizeOptions.Seed("Draws order, fonts, sizes, places and colours");
        Option<int?> workers = Options.Whole("--workers", "Sheets of 64 slides drawn at once; by default one a processor", 1, 1024);
        Option<bool> resume = new("--resume") { Description = "Go on with a pack that was stopped" };
        Command command = new("slides", "Write words in many fonts and sizes on small slides with ffmpeg into a pack")
        {
            texts, names, count, output, seed, workers, resume,
        };
        command.SetAction(async (arguments, cancellation) =>
        {
            string? file = arguments.GetValue(texts);
            if (file is null != arguments.GetValue(names))
                throw new UsageException("give either --texts or --names.");
            IReadOnlyList<string> lines = file is null ? SlidePackBuilder.UsualTexts : TextFile.ReadLines("--texts", file);
            int total = arguments.GetValue(count) ?? lines.Count;
            string path = arguments.GetRequiredValue(output);
            await BatchProgress.Run("Drawing", total, progress =>
            {
                int done = 0;
                // The work blocks its thread; a thread of its own leaves Ctrl+C to be heard.
                return Task.Run(
                    () => SlidePackBuilder.Build(
                        path,
                        lines,
                        total,
                        arguments.GetValue(seed),
                        arguments.GetValue(workers) ?? Environment.ProcessorCount,
                        arguments.GetValue(resume),
                        now =>
                        {
                            progress.Advance(now - done);
                            done = now;
                        },
                        cancellation),
                    CancellationToken.None);
            });
            using PicturePack pack = PicturePack.Open(path);
            Console.Out.WriteLine($"{path}: {pack.Count} slides of {pack.Texts.Distinct().Count()} texts");
        });
        return command;
    }
}
