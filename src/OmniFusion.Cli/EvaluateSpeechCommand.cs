using System.CommandLine;
using System.Globalization;
using OmniFusion.Checkpoints;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate speech</c>: recogniser, translator, cascade and fused model on spoken sentences.</summary>
internal static class EvaluateSpeechCommand
{
    private const int DefaultBatch = 16;

    internal static Command Create()
    {
        SpeechSetOptions sets = new();
        Option<string?> to = new("--to")
        {
            Description = "Languages of the translations: codes or English names, with commas between",
            HelpName = "LANGS",
        };
        Option<string?> output = new("--output")
        {
            Description = $"Folder for {SpeechResults.ItemsFile} with what was written about each item; "
                + "a run that was stopped goes on there",
            HelpName = "DIR",
        };
        (Option<int?> Resamples, Option<int?> Seed) bootstrap = BootstrapOptions.Create();
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        ModelOptions model = new();
        SearchOptions search = new(DefaultBatch);
        Command command = new("speech",
            "Word error rate of the recogniser, and BLEU of the translator on the true text, of the cascade of both, "
            + "and of the fused model, without and with chain of thought.");
        sets.AddTo(command);
        foreach (Option option in new Option[] { to, output, bootstrap.Resamples, bootstrap.Seed })
            command.Options.Add(option);
        model.AddTo(command);
        search.AddTo(command);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                using SpeechTestSet set = sets.Open(arguments, SpeechSetOptions.Languages(arguments.GetValue(to)));
                SpeechImages images = sets.Images(arguments, set);
                OmniFusionModel loaded = model.Load(arguments);
                TranslationOptions options = search.Read(arguments);
                BootstrapOptions draw = BootstrapOptions.Read(arguments, bootstrap);
                string searched = SearchName(loaded, options);
                SpeechRunIdentity identity = new($"{model.Name(arguments)}@{EvaluationSignature.Digest(loaded.Bundle)}", set.Name,
                    string.Join(',', set.Languages), $"{searched} in all stages", images.Signature);
                using SpeechResults results = SpeechResults.Open(arguments.GetValue(output), identity);
                await BatchProgress.Run("Evaluating", set.Items.Count, progress =>
                    SpeechEvaluation.Run(loaded, set, images, options, results, progress.Advance, cancellation));
                SpeechReport report = SpeechEvaluation.Score(set, results, draw, EvaluationSignature.Of(
                    ("set", identity.Set), ("n", set.Items.Count), ("lang", identity.Languages), ("image", identity.Images),
                    ("search", searched), ("model", identity.Model)));
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(report) : report.Show());
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    /// <summary>The search as signatures tell it, with the bundle's values where the options are silent.</summary>
    internal static string SearchName(OmniFusionModel model, TranslationOptions options)
    {
        BundleGeneration usual = model.Bundle.Generation;
        string search = string.Create(CultureInfo.InvariantCulture,
            $"beams{options.Beams ?? usual.NumBeams}-ngram{options.NoRepeatNgramSize ?? usual.NoRepeatNgramSize}"
            + $"-lp{options.LengthPenalty ?? usual.LengthPenalty}-max{options.MaxNewTokens ?? usual.MaxNewTokens}");
        return options.ImageSize is { } size ? $"{search}-{size.Width}x{size.Height}" : search;
    }
}
