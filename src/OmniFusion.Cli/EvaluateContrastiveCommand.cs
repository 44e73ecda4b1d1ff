using System.CommandLine;
using System.Globalization;
using OmniFusion.Evaluation;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate contrastive</c>: whether a picture decides between two translations.</summary>
internal static class EvaluateContrastiveCommand
{
    private const int DefaultBatch = 16;

    internal static Command Create()
    {
        Argument<string> folder = new("DIR")
        {
            Description = "Test set as CoMMuTE's: src.en, correct.LL, incorrect.LL, img.order; also audio.order and words",
        };
        Option<string?> to = new("--to") { Description = "Language of the translations: a code or an English name", HelpName = "LANG" };
        Option<string?> images = new("--images")
        {
            Description = "Folder of the pictures (default: images in DIR or beside it)",
            HelpName = "DIR",
        };
        Option<string?> recordings = new("--recordings")
        {
            Description = "Folder of the recordings (default: audio in DIR or beside it)",
            HelpName = "DIR",
        };
        Option<bool> speech = new("--speech") { Description = "Recordings of audio.order instead of the written sentences" };
        Option<bool> thought = new("--chain-of-thought") { Description = "With --speech: the translator also reads what the thinker hears" };
        Option<bool> noImage = new("--no-image")
        {
            Description = "Control: no picture; a written sentence then goes to the translator alone",
        };
        Option<bool> mismatched = new("--mismatched") { Description = "Control: the picture of the sentence's other reading" };
        Option<int?> limit = Options.Whole("--limit", "The first sentences only (two lines each)", 1, int.MaxValue);
        (Option<int?> Resamples, Option<int?> Seed) bootstrap = BootstrapOptions.Create();
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        ModelOptions model = new();
        Option<int?> batchSize = Options.Whole("--batch-size", $"Items computed together (default: {DefaultBatch})", 1, 1024);
        Command command = new(
            "contrastive", "Which of two translations of an ambiguous sentence a model finds more probable, given a picture.")
        {
            folder, to, images, recordings, speech, thought, noImage, mismatched, limit, batchSize, bootstrap.Resamples, bootstrap.Seed,
        };
        model.AddTo(command);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                string language = LanguageOption.Code(arguments.GetValue(to)) ?? throw new UsageException("--to LANG is missing.");
                bool thinks = arguments.GetValue(thought);
                if (thinks && !arguments.GetValue(speech))
                    throw new UsageException("--chain-of-thought goes with --speech.");
                ContrastiveCondition condition = new(
                    arguments.GetValue(speech), ImageOf(arguments.GetValue(noImage), arguments.GetValue(mismatched)));
                ContrastiveSet set = ContrastiveSet.Read(arguments.GetValue(folder)!, language, arguments.GetValue(images),
                    arguments.GetValue(recordings), arguments.GetValue(limit));
                BootstrapOptions draw = BootstrapOptions.Read(arguments, bootstrap);
                OmniFusionModel loaded = model.Load(arguments);
                TranslationOptions options = new() { BatchSize = arguments.GetValue(batchSize) ?? DefaultBatch, ChainOfThought = thinks };
                ContrastiveScores? scores = null;
                await BatchProgress.Run("Scoring", set.Items.Count, async progress => scores = ContrastiveEvaluation.Score(
                    set,
                    await ContrastiveEvaluation.RunAsync(
                        loaded, set, language, condition, options, () => progress.Advance(1), cancellation),
                    Math.Max(1, draw.Resamples),
                    draw.Seed));
                ContrastiveReport report = ContrastiveReport.Of(scores!, draw, EvaluationSignature.Of(
                    ("set", ContrastiveReport.SetName(set)), ("n", scores!.Items), ("lang", language),
                    ("input", ContrastiveReport.InputName(condition) + (thinks ? "+thought" : "")), ("norm", "token"), ("bs", draw.Resamples), ("seed", draw.Seed),
                    ("model", $"{model.Name(arguments)}@{EvaluationSignature.Digest(loaded.Bundle)}")));
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(report) : report.Show());
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static ContrastiveImage ImageOf(bool noImage, bool mismatched) => (noImage, mismatched) switch
    {
        (true, true) => throw new UsageException("--no-image and --mismatched are two controls: give one of them."),
        (true, false) => ContrastiveImage.None,
        (false, true) => ContrastiveImage.Mismatched,
        _ => ContrastiveImage.Own,
    };
}

/// <summary>The result as it is printed.</summary>
/// <param name="Items">Number of lines.</param>
/// <param name="Accuracy">Share of lines with the right translation preferred, in percent.</param>
/// <param name="Lower">Lower end of the 95 % confidence interval.</param>
/// <param name="Upper">Its upper end.</param>
/// <param name="BothRight">Share of sentences with both readings right, in percent.</param>
/// <param name="Margin">Mean advantage of the right translation, in nats for each token.</param>
/// <param name="Words">By ambiguous word, where the set tells the words.</param>
/// <param name="Signature">What makes it reproducible.</param>
internal sealed record ContrastiveReport(int Items, double Accuracy, double? Lower, double? Upper, double BothRight, double Margin,
    IReadOnlyList<ContrastiveWordReport> Words, string Signature)
{
    internal static ContrastiveReport Of(ContrastiveScores scores, BootstrapOptions draw, string signature) => new(
        scores.Items, scores.Accuracy.Score, draw.Resamples == 0 ? null : scores.Accuracy.Lower,
        draw.Resamples == 0 ? null : scores.Accuracy.Upper, scores.BothRight, scores.Margin,
        [.. scores.Words.Select(word => new ContrastiveWordReport(word.Word, word.Items, 100.0 * word.Right / word.Items))], signature);

    /// <summary>What signatures call a set: its folder, and what it holds.</summary>
    internal static string SetName(ContrastiveSet set) => $"{new DirectoryInfo(set.Folder).Name}@" + EvaluationSignature.Digest(
        set.Items.SelectMany(item => new[]
        {
            item.Source, item.Correct, item.Incorrect, Path.GetFileName(item.Image), Path.GetFileName(item.Audio),
        }).Concat(EvaluationSignature.Contents(set.Items.SelectMany(item => new[] { item.Image, item.Audio }))));

    /// <summary>What signatures call a condition: text+image, speech, text+mismatched, …</summary>
    internal static string InputName(ContrastiveCondition condition) => (condition.Speech ? "speech" : "text") + condition.Image switch
    {
        ContrastiveImage.Own => "+image",
        ContrastiveImage.Mismatched => "+mismatched",
        _ => "",
    };

    internal string Show() => string.Join(Environment.NewLine,
    [
        string.Create(CultureInfo.InvariantCulture, $"accuracy    {Accuracy:0.0} %  of {Items} lines")
            + (Lower is null ? "" : string.Create(CultureInfo.InvariantCulture, $", 95 % interval {Lower:0.0} to {Upper:0.0}")),
        string.Create(CultureInfo.InvariantCulture, $"both right  {BothRight:0.0} %  of {Items / 2} sentences"),
        string.Create(CultureInfo.InvariantCulture, $"margin      {Margin:0.000} nats for each token"),
        .. Words.Count == 0 ? [] : TextTable.Lines([["word", "lines", "accuracy"], .. Words.Select(word => (string[])
            [word.Word, $"{word.Items}", word.Accuracy.ToString("0.0", CultureInfo.InvariantCulture)])]),
        Signature,
    ]);
}

/// <summary>Figures of one ambiguous word.</summary>
internal sealed record ContrastiveWordReport(string Word, int Items, double Accuracy);
