using System.CommandLine;
using System.Globalization;
using OmniFusion.Evaluation;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate text</c>: scores of files with translations or transcripts.</summary>
internal static class EvaluateTextCommand
{
    internal static Command Create()
    {
        Option<string[]> hypothesis = Files(
            "--hypothesis", "Texts of a system, one a line, plain or .gz; several files are several systems");
        Option<string[]> reference = Files(
            "--reference", "True texts, line by line beside the others; several files are several references");
        Option<string?> baseline = new("--baseline") { Description = "Texts of a system to compare with", HelpName = "FILE" };
        Option<string?> metrics = new("--metrics")
        {
            Description = $"Which of {string.Join(", ", TextMetric.Names)}, with commas between (default: all)",
            HelpName = "LIST",
        };
        Option<string?> tokenize = new("--tokenize")
        {
            Description = "How BLEU splits words: 13a, intl, char, zh or none; several with commas between (default: 13a)",
            HelpName = "LIST",
        };
        Option<bool> lowercase = new("--lowercase") { Description = "BLEU and chrF ignore case (TER always does)" };
        Option<bool> normalize = new("--normalize") { Description = "WER and CER ignore case and punctuation" };
        (Option<int?> Resamples, Option<int?> Seed) bootstrap = BootstrapOptions.Create();
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        Command command = new("text", "BLEU, chrF, chrF++, TER, WER and CER of texts, with confidence intervals and paired tests.")
        {
            hypothesis, reference, baseline, metrics, tokenize, lowercase, normalize, bootstrap.Resamples, bootstrap.Seed, json,
        };
        command.SetAction((arguments, _) => Task.Run(
            async () =>
            {
                IReadOnlyList<TextMetric> wanted = TextMetric.Create(arguments.GetValue(metrics), arguments.GetValue(tokenize),
                    arguments.GetValue(lowercase), arguments.GetValue(normalize));
                string[] systems = arguments.GetValue(hypothesis) ?? [], truths = arguments.GetValue(reference) ?? [];
                if (systems.Length == 0 || truths.Length == 0)
                    throw new UsageException("evaluate text needs --hypothesis FILE and --reference FILE.");
                TextTestSet set = TextTestSet.Read(systems, truths, arguments.GetValue(baseline));
                BootstrapOptions draw = BootstrapOptions.Read(arguments, bootstrap);
                List<TextSystem> scores = [];
                await BatchProgress.Run("Scoring", wanted.Count * systems.Length, progress =>
                {
                    scores.AddRange(set.Systems.Select(system => Score(system, set, wanted, draw, progress)));
                    return Task.CompletedTask;
                });
                TextReport report = new(set.References[0].Length, arguments.GetValue(baseline), scores);
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(report) : report.Show());
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static Option<string[]> Files(string name, string description) =>
        new(name) { Description = description, HelpName = "FILE", AllowMultipleArgumentsPerToken = true };

    private static TextSystem Score(
        (string Name, string[] Lines) system, TextTestSet set, IReadOnlyList<TextMetric> metrics, BootstrapOptions draw,
        BatchProgress progress)
    {
        List<TextScore> scores = [];
        foreach (TextMetric metric in metrics)
        {
            TextMeasurement own = metric.Measure(system.Lines, set.References);
            PairedBootstrap? pair = null;
            double? before = null;
            if (set.Baseline is not null)
            {
                SegmentStatistics other = metric.Measure(set.Baseline, set.References).Statistics;
                before = own.Scale * other.Score();
                pair = draw.Compare(other, own.Statistics);
            }
            BootstrapInterval? interval = pair?.System ?? draw.Interval(own.Statistics);
            scores.Add(new TextScore(
                metric.Name, own.Scale * own.Statistics.Score(), own.Scale * interval?.Lower, own.Scale * interval?.Upper, before,
                pair?.PValue, pair?.SystemWins, EvaluationSignature.With(own.Signature, draw)));
            progress.Advance(1);
        }
        return new TextSystem(system.Name, scores);
    }
}

/// <summary>Texts of systems with their references.</summary>
internal sealed record TextTestSet(IReadOnlyList<(string Name, string[] Lines)> Systems, string[][] References, string[]? Baseline)
{
    /// <exception cref="OmniFusionException">A file cannot be read, or has another number of lines than the first reference.</exception>
    internal static TextTestSet Read(string[] systems, string[] references, string? baseline)
    {
        string[][] truths = [.. references.Select(file => TextFile.ReadLines("--reference", file))];
        foreach ((string file, string[] lines) in references.Zip(truths))
            Check(file, lines);
        return new TextTestSet(
            [.. systems.Select(file => (file, Check(file, TextFile.ReadLines("--hypothesis", file))))],
            truths,
            baseline is null ? null : Check(baseline, TextFile.ReadLines("--baseline", baseline)));

        string[] Check(string file, string[] lines) => lines.Length == truths[0].Length ? lines : throw new OmniFusionException(
            $"{file} has {lines.Length} lines and {references[0]} has {truths[0].Length}, so they do not belong together.");
    }
}

/// <summary>A score of a system.</summary>
/// <param name="Name">The metric.</param>
/// <param name="Value">BLEU's, chrF's and TER's points; percent for WER and CER.</param>
/// <param name="Lower">Lower end of the 95 % confidence interval.</param>
/// <param name="Upper">Its upper end.</param>
/// <param name="Baseline">The baseline's score, where there is one.</param>
/// <param name="PValue">How probable a difference at least as large is if both systems are equally good.</param>
/// <param name="Wins">Share of resamples in which the system is better than the baseline.</param>
/// <param name="Signature">Settings of the metric and the bootstrap.</param>
internal sealed record TextScore(
    string Name, double Value, double? Lower, double? Upper, double? Baseline, double? PValue, double? Wins, string Signature);

/// <summary>The scores of a system.</summary>
internal sealed record TextSystem(string Name, IReadOnlyList<TextScore> Scores);

/// <summary>All of them.</summary>
internal sealed record TextReport(int Sentences, string? Baseline, IReadOnlyList<TextSystem> Systems)
{
    internal string Show() => string.Join(Environment.NewLine, Systems.SelectMany(Lines));

    private IEnumerable<string> Lines(TextSystem system)
    {
        string against = Baseline is null ? "" : $", against {Baseline}";
        string[] head = ["metric", "score", "95 % interval", .. Baseline is null ? (string[])[] : ["baseline", "difference", "p"]];
        string[][] rows = [[.. head, "signature"], .. system.Scores.Select(score => (string[])
        [
            score.Name, Number(score.Value), score.Lower is null ? "-" : $"{Number(score.Lower)} to {Number(score.Upper)}",
            .. Baseline is null ? (string[])[] : [Number(score.Baseline), Number(score.Value - score.Baseline), PValue(score.PValue)],
            score.Signature,
        ])];
        return [$"{system.Name} ({Sentences} sentences{against})", .. TextTable.Lines(rows, head.Length)];
    }

    private static string Number(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";

    private static string PValue(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-";
}
