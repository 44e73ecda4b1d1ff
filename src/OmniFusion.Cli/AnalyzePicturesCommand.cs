using System.CommandLine;
using System.Globalization;
using OmniFusion.Instruments;
using OmniFusion.Models;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion analyze pictures</c>: how far what a picture tells comes on its way to the translator.</summary>
internal static class AnalyzePicturesCommand
{
    internal static Command Create()
    {
        Option<string> corpus = new("--corpus")
        {
            Description = "Folder with words-*.jsonl and sentences-*.jsonl", HelpName = "DIR",
            DefaultValueFactory = _ => Path.Combine("samples", "ambiguity"),
        };
        Option<string> pictograms = new("--pictograms") { Description = "Pack made by synthesize images", HelpName = "PACK", Required = true };
        Option<string> known = new("--known")
        {
            Description = "Makers whose drawings the classes are learnt from", HelpName = "MAKERS", DefaultValueFactory = _ => "google,twitter",
        };
        Option<string> maker = new("--maker")
        {
            Description = "Whose drawings are told apart", HelpName = "MAKER", DefaultValueFactory = _ => "facebook",
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        ModelOptions model = new();
        Command command = new("pictures", "Whether hidden states and the prefix tell the two readings of ambiguous words apart.")
        {
            pictograms, corpus, known, maker,
        };
        model.AddTo(command);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                using PictogramPack pack = PictogramPack.Open(arguments.GetRequiredValue(pictograms));
                AmbiguityCorpus words = AmbiguityCorpus.Read(arguments.GetRequiredValue(corpus), pack);
                string[] makers = arguments.GetRequiredValue(known).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                PictureAnalysis analysis = new(model.Load(arguments));
                PictureReport? report = null;
                await BatchProgress.Run("Looking", PictureAnalysis.Pictures(words, makers), progress =>
                {
                    report = analysis.Run(words, pack, makers, arguments.GetRequiredValue(maker), _ => progress.Advance(1), cancellation);
                    return Task.CompletedTask;
                });
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(report!) : Show(report!));
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static string Show(PictureReport report) => string.Join('\n',
    [
        $"{report.Pictures} pictures by {report.Maker}, classes from {string.Join(", ", report.Known)}",
        .. TextTable.Lines(
        [
            ["", "readings told apart", "in common", "telling apart"],
            .. report.Stages.Select(stage => (string[])
            [
                stage.Stage, stage.Accuracy.ToString("P1", CultureInfo.InvariantCulture), stage.Common.ToString("F2", CultureInfo.InvariantCulture),
                stage.Telling.ToString("F2", CultureInfo.InvariantCulture),
            ]),
        ]),
        $"an embedding of the translator is {report.WordLength.ToString("F2", CultureInfo.InvariantCulture)} long",
        $"the prefix says the picture's own name in {report.Named.ToString("P1", CultureInfo.InvariantCulture)}, rather one of the right reading in {
            report.NamedApart.ToString("P1", CultureInfo.InvariantCulture)}",
        .. report.Confused.Count == 0 ? [] : (string[])["taken for the other reading (and the name that is said):"],
        .. report.Confused.GroupBy(picture => picture.Word).Select(pictures =>
            $"  {pictures.Key}: {string.Join(", ", pictures.Select(picture => $"{picture.Name} ({picture.Said})"))}"),
    ]);
}
