using System.CommandLine;
using System.Globalization;
using OmniFusion.Checkpoints;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion calibrate</c>: finds the attention heads that a policy should look at.</summary>
internal static class CalibrateCommand
{
    private const int DefaultItems = 50, DefaultHeads = 4, RowsShown = 10;

    internal static Command Create()
    {
        Argument<string?> manifest = new("MANIFEST")
        {
            Description = "Development set: an object {\"audio\", \"text\", \"translation\" or \"translations\"} a line, "
                + "paths relative to it",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> pack = Options.Pack(), source = Options.Source();
        Option<string?> target = new("--target") { Description = "Their translations, plain or .gz", HelpName = "FILE" };
        Option<string?> to = new("--to") { Description = "Language of the translations: a code or an English name", HelpName = "LANG" };
        Option<int?> items = Options.Whole("--items", $"Sentences to take from its beginning (default: {DefaultItems})", 1, 1_000_000);
        Option<int?> heads = Options.Whole("--heads", $"Heads to choose in each decoder (default: {DefaultHeads})", 1, 1024);
        Option<bool> own = new("--own") { Description = "Follow what the model itself writes, instead of the set's texts" };
        Option<bool> write = new("--write") { Description = $"Write the choice into the {Bundle.FileName} of --model" };
        Option<bool> json = new("--json") { Description = "Print one JSON object with all heads" };
        ModelOptions model = new();
        Command command = new("calibrate",
            "Scores all attention heads by how well they follow the speech, and chooses those that the policy alignatt looks at.")
        {
            manifest, pack, source, target, to, items, heads, own,
        };
        model.AddTo(command);
        command.Options.Add(write);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                string language = LanguageOption.Code(arguments.GetValue(to)) ?? throw new UsageException("--to LANG is missing.");
                string? bundle = arguments.GetValue(write) ? model.BundleFolder(arguments)
                    ?? throw new UsageException("--write changes a bundle: name it with --model.") : null;
                int limit = arguments.GetValue(items) ?? DefaultItems;
                using SpeechTestSet set = (arguments.GetValue(manifest), arguments.GetValue(pack), arguments.GetValue(source),
                        arguments.GetValue(target)) switch
                {
                    ({ } file, null, null, null) => SpeechTestSet.OfManifest(file, [language], limit),
                    (null, { } speech, { } said, { } translated) => SpeechTestSet.OfPack(speech, said, [translated], [language], null, limit),
                    _ => throw new UsageException("the development set is either a MANIFEST, or --pack, --source and --target together."),
                };
                AttentionCalibrator calibrator = new(model.Load(arguments), language, ownTexts: arguments.GetValue(own));
                await BatchProgress.Run("Calibrating", set.Items.Count, progress =>
                {
                    for (int item = 0; item < set.Items.Count; item++)
                    {
                        calibrator.Add(Sentence(set, item, language, cancellation), cancellation);
                        progress.Advance(1);
                    }
                    return Task.CompletedTask;
                });
                BundleSimultaneous chosen = calibrator.Choose(arguments.GetValue(heads) ?? DefaultHeads);
                if (bundle is not null)
                    chosen.SaveInto(bundle);
                CalibratedDecoder[] decoders =
                [
                    CalibratedDecoder.Of("fused", "heads", calibrator.Fused, chosen.Heads!),
                    CalibratedDecoder.Of("recogniser", "recognizer_heads", calibrator.Recognizer, chosen.RecognizerHeads!),
                    CalibratedDecoder.Of("text", "text_heads", calibrator.Text, chosen.TextHeads!),
                ];
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(new { decoders })
                    : string.Join(Environment.NewLine, decoders.SelectMany(decoder => decoder.Show(RowsShown))));
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static CalibrationSentence Sentence(SpeechTestSet set, int item, string language, CancellationToken cancellation)
    {
        TranslationRequest request = set.Request(item, language);
        return new CalibrationSentence(
            request.Samples ?? AudioFile.ReadMono16k(request.Audio!, cancellation), set.Items[item].Text, set.Items[item].Translations[0]);
    }
}

/// <summary>What calibration found in one decoder.</summary>
/// <param name="Decoder">fused, recogniser or text.</param>
/// <param name="Key">Key of the bundle's <c>simultaneous</c> section.</param>
/// <param name="Texts">Texts that counted.</param>
/// <param name="Heads">All heads, the best first.</param>
internal sealed record CalibratedDecoder(string Decoder, string Key, int Texts, IReadOnlyList<CalibratedHead> Heads)
{
    internal static CalibratedDecoder Of(
        string decoder, string key, HeadCalibration calibration, IReadOnlyList<(int Layer, int Head)> chosen) => new(
            decoder, key, calibration.Texts,
            [.. calibration.Ranked().Select(score => new CalibratedHead(
                score.Head.Layer, score.Head.Head, score.Score, score.Monotonicity, score.Reach, score.Concentration, score.Share,
                chosen.Contains((score.Head.Layer, score.Head.Head))))]);

    internal IEnumerable<string> Show(int rows) =>
    [
        $"{Decoder} ({Texts} texts)",
        .. TextTable.Lines(
        [
            ["layer", "head", "score", "monotonicity", "reach", "concentration", "share of source", ""],
            .. Heads.Take(Math.Max(rows, Heads.Count(head => head.Chosen))).Select(head => (string[])
            [
                $"{head.Layer}", $"{head.Head}", Number(head.Score), Number(head.Monotonicity), Number(head.Reach),
                Number(head.Concentration), Number(head.Share), head.Chosen ? "chosen" : "",
            ]),
        ]),
        $"\"{Key}\": [{string.Join(", ", Heads.Where(head => head.Chosen).Select(head => $"{head.Layer}, {head.Head}"))}]",
        "",
    ];

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}

/// <summary>A head with its scores, as <see cref="HeadScore"/> has them.</summary>
internal sealed record CalibratedHead(
    int Layer, int Head, double Score, double Monotonicity, double Reach, double Concentration, double Share, bool Chosen);
