using System.CommandLine;
using System.Globalization;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate</c>: scores on test sets.</summary>
internal static class EvaluateCommand
{
    private const int DefaultBatch = 16;

    internal static Command Create() => new("evaluate", "Scores a model on a test set.") 
    {
        CreateSpeech(),
        SimultaneousCommand.Create((model, system) => system.Create(model)),
        CurvesCommand.Create((model, system) => system.Create(model)),
    };

    private static Command CreateSpeech()
    {
        Argument<string?> manifest = new("MANIFEST")
        {
            Description = "File with one object {\"audio\":..., \"text\":..., \"translation\":...} a line, "
                + "paths relative to it",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> pack = new("--pack")
        {
            Description = "Speech pack made by omnifusion synthesize, instead of a manifest",
            HelpName = "PACK",
        };
        Option<string?> source = new("--source") { Description = "Lines that the pack speaks, plain or .gz", HelpName = "FILE" };
        Option<string?> target = new("--target") { Description = "Their translations, plain or .gz", HelpName = "FILE" };
        Option<string?> to = new("--to")
        {
            Description = "Language of the translations: a code or an English name",
            HelpName = "LANG",
        };
        Option<int?> limit = Options.Whole("--limit", "The first items only", 1, int.MaxValue);
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        ModelOptions model = new();
        SearchOptions search = new(DefaultBatch);
        Command command = new(
            "speech",
            "Word error rate of the recogniser, and BLEU of the translator on the true text, of the cascade of both, "
            + "and of the fused model.")
        {
            manifest, pack, source, target, to, limit,
        };
        model.AddTo(command);
        search.AddTo(command);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                string language = LanguageOption.Code(arguments.GetValue(to)) ?? throw new UsageException("--to LANG is missing.");
                using SpeechTestSet set = Open(arguments.GetValue(manifest), arguments.GetValue(pack), arguments.GetValue(source),
                    arguments.GetValue(target), arguments.GetValue(limit));
                OmniFusionModel loaded = model.Load(arguments);
                SpeechScores? scores = null;
                await BatchProgress.Run("Evaluating", set.Count, async progress => scores = await SpeechEvaluation.Run(
                    loaded, set, language, search.Read(arguments), progress.Advance, cancellation));
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(scores!) : Show(scores!));
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static SpeechTestSet Open(string? manifest, string? pack, string? source, string? target, int? limit) =>
        (manifest, pack, source, target) switch
        {
            ({ } file, null, null, null) => SpeechTestSet.OfManifest(file, limit),
            (null, { } speech, { } said, { } expected) => SpeechTestSet.OfPack(speech, said, expected, limit),
            _ => throw new UsageException("evaluate speech takes either a MANIFEST, or --pack, --source and --target together."),
        };

    private static string Show(SpeechScores scores) => string.Join(Environment.NewLine,
    [
        $"items       {scores.Items}",
        Row("recogniser", scores.Recognizer),
        Row("text", scores.Text),
        Row("cascade", scores.Cascade),
        Row("fused", scores.Fused),
    ]);

    private static string Row(string system, Score score) => string.Create(CultureInfo.InvariantCulture,
        $"{system,-10}  {score.Name,-4} {score.Value,6:0.00}  {score.Seconds,8:0.0} s  {score.Signature}");
}
