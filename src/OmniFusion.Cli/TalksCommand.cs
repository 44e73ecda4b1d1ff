using System.CommandLine;
using OmniFusion.Evaluation;
using OmniFusion.Text;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion synthesize talks</c>: talks of several sentences out of a speech pack.</summary>
internal static class TalksCommand
{
    internal static Command Create()
    {
        Option<string> pack = new("--pack")
        {
            Description = "Speech pack made by omnifusion synthesize", HelpName = "PACK", Required = true,
        };
        Option<string> source = new("--source")
        {
            Description = "Lines that the pack speaks, plain or .gz", HelpName = "FILE", Required = true,
        };
        Option<string[]> target = new("--target")
        {
            Description = "Their translations, LANG=FILE, plain or .gz; once for each language", HelpName = "LANG=FILE", Required = true,
        };
        Option<string> output = new("--out")
        {
            Description = $"Folder for the recordings and {TalkBuilder.ManifestName}; a stopped making is gone on with",
            HelpName = "DIR",
            Required = true,
        };
        TalkPlan standard = new([], new Dictionary<string, IReadOnlyList<string>>());
        Option<int?> talks = Options.Whole("--talks", $"Number of talks (default: {standard.Talks})", 1, 100_000);
        Option<int?> least = Options.Whole(
            "--min-sentences", $"Sentences of the shortest talk (default: {standard.LeastSentences})", 1, 10_000);
        Option<int?> most = Options.Whole(
            "--max-sentences", $"Sentences of the longest talk (default: {standard.MostSentences})", 1, 10_000);
        Option<double?> leastPause = Options.Number("--min-pause", "Seconds of the shortest pause between sentences (default: 0.1)");
        Option<double?> mostPause = Options.Number("--max-pause", "Seconds of the longest pause between sentences (default: 1.5)");
        Option<bool> trim = new("--trim")
        {
            Description = "Cut the silence before and behind each sentence, so that nothing but the pause is between two",
        };
        Option<int?> seed = Options.Whole("--seed", "Draws sentences and pauses (default: 1)", 0, int.MaxValue);
        Command command = new("talks", "Make talks of several sentences with pauses out of a speech pack, to evaluate streams with.")
        {
            pack, source, target, output, talks, least, most, leastPause, mostPause, trim, seed,
        };
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                string folder = arguments.GetRequiredValue(output);
                TalkPlan plan = new(
                    TextFile.ReadLines("--source", arguments.GetRequiredValue(source)), Targets(arguments.GetRequiredValue(target)))
                {
                    Talks = arguments.GetValue(talks) ?? standard.Talks,
                    LeastSentences = arguments.GetValue(least) ?? standard.LeastSentences,
                    MostSentences = arguments.GetValue(most) ?? standard.MostSentences,
                    LeastPause = arguments.GetValue(leastPause) ?? standard.LeastPause,
                    MostPause = arguments.GetValue(mostPause) ?? standard.MostPause,
                    Trim = arguments.GetValue(trim),
                    Seed = (ulong)(arguments.GetValue(seed) ?? (int)standard.Seed),
                };
                using SpeechPack speech = SpeechPack.Open(arguments.GetRequiredValue(pack));
                IReadOnlyList<Talk> made = [];
                await BatchProgress.Run("Making talks", plan.Talks, progress =>
                {
                    made = TalkBuilder.Build(speech, folder, plan, _ => progress.Advance(1), cancellation);
                    return Task.CompletedTask;
                });
                Console.Out.WriteLine($"{Path.Combine(folder, TalkBuilder.ManifestName)}: {made.Count} talks, "
                    + $"{made.Sum(talk => talk.Sentences.Count)} sentences, {made.Sum(talk => talk.Sentences[^1].End) / 60:0.0} minutes");
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static Dictionary<string, IReadOnlyList<string>> Targets(string[] given)
    {
        Dictionary<string, IReadOnlyList<string>> targets = [];
        foreach (string target in given)
        {
            int equals = target.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
                throw new UsageException($"--target takes LANG=FILE, such as de=test.de, not '{target}'.");
            string code = Code(target[..equals]);
            if (!targets.TryAdd(code, TextFile.ReadLines("--target", target[(equals + 1)..])))
                throw new UsageException($"--target names {code} twice.");
        }
        return targets;
    }

    private static string Code(string language)
    {
        try
        {
            return Languages.Find(language).Code;
        }
        catch (OmniFusionException error)
        {
            throw new UsageException($"--target: {error.Message}");
        }
    }
}
