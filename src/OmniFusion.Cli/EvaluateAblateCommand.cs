using System.CommandLine;
using OmniFusion.Evaluation;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate ablate</c>: what each part of the fusion is good for.</summary>
internal static class EvaluateAblateCommand
{
    private const int DefaultBatch = 16;

    internal static Command Create()
    {
        SpeechSetOptions sets = new();
        Option<string?> contrastive = new("--contrastive")
        {
            Description = "Contrastive test set (see evaluate contrastive); its recordings count where it has any",
            HelpName = "DIR",
        };
        Option<string?> to = new("--to") { Description = "Language of the translations: a code or an English name", HelpName = "LANG" };
        Option<string[]> models = new("--model")
        {
            Description = "Bundles: the first is taken apart, each further one (another fusion mode, say) gives a row "
                + "(default: the shipped model)",
            HelpName = "BUNDLE",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<int?> threads = Options.Whole("--threads", "Threads to compute on (default: all cores)", 1, 1024);
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        SearchOptions search = new(DefaultBatch);
        Command command = new("ablate",
            "Contrastive accuracy and speech BLEU without pictures, with wrong pictures, without each hidden state, and of other models.");
        sets.AddTo(command, withImages: false);
        foreach (Option option in new Option[] { contrastive, to, models, threads })
            command.Options.Add(option);
        search.AddTo(command);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                IReadOnlyList<string> languages = SpeechSetOptions.Languages(arguments.GetValue(to));
                if (languages.Count > 1)
                    throw new UsageException("evaluate ablate takes one language.");
                string? folder = arguments.GetValue(contrastive);
                if (folder is null && !sets.NamesSet(arguments))
                    throw new UsageException("evaluate ablate needs --contrastive DIR, a MANIFEST or a --pack, or both kinds.");
                using SpeechTestSet? speech = sets.NamesSet(arguments) ? sets.Open(arguments, languages) : null;
                ContrastiveSet? pairs = folder is null ? null : ContrastiveSet.Read(folder, languages[0], sentences: sets.Limit(arguments));
                AblationData data = new(pairs, speech, sets.ImageFolder(arguments), languages[0],
                    search.Read(arguments) with { ChainOfThought = false });
                string[] bundles = arguments.GetValue(models) is { Length: > 0 } named
                    ? named : [ModelOptions.ShippedModel(AppContext.BaseDirectory)];
                AblationReport report = await Run(
                    data, bundles, new LoadOptions { Threads = arguments.GetValue(threads) }, cancellation);
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(report) : report.Show());
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static async Task<AblationReport> Run(
        AblationData data, string[] bundles, LoadOptions options, CancellationToken cancellation)
    {
        OmniFusionModel model = OmniFusionModel.Load(bundles[0], options);
        string search = EvaluateSpeechCommand.SearchName(model, data.Options);
        AblationCondition[] conditions = [.. AblationCondition.Of(model).Where(condition => data.Steps(condition) > 0)];
        List<AblationRow> rows = [];
        List<string> names = [];
        await BatchProgress.Run(
            "Ablating", conditions.Sum(data.Steps) + (bundles.Length - 1) * data.Steps(AblationCondition.Whole),
            async progress =>
            {
                for (int i = 0; i < bundles.Length; i++)
                {
                    if (i > 0)
                        model = OmniFusionModel.Load(bundles[i], options);
                    string name = new DirectoryInfo(bundles[i]).Name;
                    names.Add($"{name}@{EvaluationSignature.Digest(model.Bundle)}");
                    foreach (AblationCondition condition in i == 0 ? conditions : [AblationCondition.Whole])
                        rows.Add(await data.Measure(model, name, condition, progress.Advance, cancellation));
                }
            });
        return new AblationReport(rows, EvaluationSignature.Of(
            ("contrastive", data.Contrastive is { } pairs ? ContrastiveReport.SetName(pairs) : null),
            ("lines", data.Contrastive?.Items.Count), ("speech", data.Speech?.Name), ("items", data.Speech?.Items.Count), ("image", data.Pictures),
            ("lang", data.Language), ("search", search), ("models", string.Join(',', names))));
    }
}
