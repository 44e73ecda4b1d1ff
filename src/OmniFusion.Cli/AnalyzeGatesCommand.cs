using System.CommandLine;
using System.Globalization;
using OmniFusion.Checkpoints;
using OmniFusion.Instruments;
using OmniFusion.Media;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion analyze gates</c>: how much each hidden state counts, over a data set or over one input.</summary>
internal static class AnalyzeGatesCommand
{
    internal static Command Create()
    {
        Argument<string?> manifest = new("MANIFEST")
        {
            Description = "File with one object {\"audio\":..., \"image\":..., \"text\":...} a line, paths relative to it",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> pack = new("--pack")
        {
            Description = "Speech pack made by omnifusion synthesize, instead of a manifest", HelpName = "PACK",
        };
        Option<string?> audio = new("--audio") { Description = "One recording, for heat maps over time and image", HelpName = "FILE" };
        Option<string?> image = new("--image") { Description = "One image, alone, with --audio or with --text", HelpName = "FILE" };
        Option<string?> text = new("--text") { Description = "Text to translate beside --image", HelpName = "TEXT" };
        Option<string?> to = new("--to")
        {
            Description = "Language to translate into, which some prompts name (default: the model's first)", HelpName = "LANG",
        };
        Option<int?> limit = Options.Whole("--limit", "The first items only", 1, int.MaxValue);
        Option<ImageSize?> imageSize = Options.Size("--image-size", "Size to which images are brought");
        Option<string?> output = new("--output") { Description = "Folder for gates.json and the pictures", HelpName = "DIR" };
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        ModelOptions model = new();
        Command command = new("gates", "Weight of each hidden state by kind of token (prompt, image, audio), its entropy and its spread.")
        {
            manifest, pack, audio, image, text, to, limit, imageSize, output,
        };
        model.AddTo(command);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                (string? Audio, string? Image, string? Text) one =
                    (arguments.GetValue(audio), arguments.GetValue(image), arguments.GetValue(text));
                string? language = LanguageOption.Code(arguments.GetValue(to));
                using GateInputs inputs =
                    Open(arguments.GetValue(manifest), arguments.GetValue(pack), one.Audio, one.Image, one.Text, arguments.GetValue(limit));
                OmniFusionModel loaded = model.Load(arguments);
                GateAnalysis analysis = new(loaded);
                GateMap? map = null;
                await BatchProgress.Run("Analyzing", inputs.Count, progress =>
                {
                    for (int i = 0; i < inputs.Count; i++)
                    {
                        TranslationRequest request = inputs.Request(i, language ?? loaded.Bundle.Languages[0]);
                        analysis.Add(map = analysis.Read(request, arguments.GetValue(imageSize), cancellation));
                        progress.Advance(1);
                        cancellation.ThrowIfCancellationRequested();
                    }
                    return Task.CompletedTask;
                });
                GateMap? single = one == (null, null, null) ? null : map;
                GateReport report = analysis.Report();
                if (arguments.GetValue(output) is { } folder)
                    Write(folder, report, single);
                Console.Out.WriteLine(arguments.GetValue(json) ? Json(report, single) : Show(report));
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static GateInputs Open(string? manifest, string? pack, string? audio, string? image, string? text, int? limit) =>
        (manifest, pack, audio ?? image, text) switch
        {
            ({ } file, null, null, null) => GateInputs.OfManifest(file, limit),
            (null, { } speech, null, null) => GateInputs.OfPack(speech, limit),
            (null, null, { }, _) => GateInputs.OfOne(audio, image, text),
            _ => throw new UsageException("analyze gates takes either a MANIFEST, or --pack, or one input with --audio, --image or both."),
        };

    private static void Write(string folder, GateReport report, GateMap? map)
    {
        AtomicFile.MakeFolder(folder);
        AtomicFile.WriteText(Path.Combine(folder, "gates.json"), Json(report, map) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "gates.svg"), GatePlots.Bars(report));
        if (map is null)
            return;
        foreach ((string name, string? picture) in new[] { ("time.svg", GatePlots.Time(map)), ("space.svg", GatePlots.Space(map)) })
            if (picture is not null)
                AtomicFile.WriteText(Path.Combine(folder, name), picture);
    }

    private static string Json(GateReport report, GateMap? map) => JsonOutput.Line(new
    {
        report.Mode,
        report.Layers,
        report.Items,
        report.LargestEntropy,
        report.Kinds,
        Tokens = map?.Tokens.Select(token => new { Kind = token.Kind.ToString().ToLowerInvariant(), token.Token, token.Gates }),
        Image = map is null or { ImageHeight: 0 } ? null : new { Height = map.ImageHeight, Width = map.ImageWidth },
    });

    private static string Show(GateReport report)
    {
        string[] head = ["kind", "tokens", .. report.Layers.Select(layer => $"state {layer}"), "entropy"];
        string[][] rows = [.. report.Kinds.Select(kind => (string[])
        [
            kind.Kind, kind.Tokens.ToString(CultureInfo.InvariantCulture),
            .. kind.Gates.Select(gate => FormattableString.Invariant($"{gate.Mean:0.000} ± {gate.Deviation:0.000}")),
            FormattableString.Invariant($"{kind.Entropy.Mean:0.000} of {report.LargestEntropy:0.000}"),
        ])];
        return string.Join(Environment.NewLine, TextTable.Lines([head, .. rows]).Prepend($"{report.Mode} fusion, {report.Items} inputs"));
    }
}
