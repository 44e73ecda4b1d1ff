using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json.Nodes;
using OmniFusion.Checkpoints;
using OmniFusion.Training;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate suite FILE</c>: every evaluation that a file names, one after the other, and one table of all their figures.</summary>
internal static class EvaluateSuiteCommand
{
    private const string TableFile = "figures.md";

    internal static Command Create()
    {
        Argument<string> suite = new("SUITE") { Description = "YAML file: runs, each with a name and a command" };
        Option<string> output = new("--output")
        {
            Description = $"Folder for the result of each run, NAME.json, and the table of all figures, {TableFile}",
            HelpName = "DIR",
            Required = true,
        };
        Option<string[]> set = new("--set") { Description = "NAME=VALUE for ${NAME} in the suite, such as the folder of the data" };
        Option<string[]> only = new("--only") { Description = "Names of the runs to do; the others keep their results", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
        Option<bool> resume = new("--resume") { Description = "Leave out the runs of the same command that have a result" };
        Command command = new("suite", "Runs all evaluations of a file and tabulates their figures.") { suite, output, set, only, resume };
        command.SetAction((arguments, cancellation) => Run(
            Read(arguments.GetValue(suite)!, TrainCommand.Variables(arguments.GetValue(set) ?? [])),
            arguments.GetValue(output)!, arguments.GetValue(only) ?? [], arguments.GetValue(resume), cancellation));
        return command;
    }

    private static async Task<int> Run(SuiteRun[] runs, string folder, string[] only, bool resume, CancellationToken cancellation)
    {
        if (only.FirstOrDefault(name => runs.All(run => run.Name != name)) is { } unknown)
            throw new UsageException($"the suite has no run '{unknown}'; it has {string.Join(", ", runs.Select(run => run.Name))}.");
        AtomicFile.MakeFolder(folder);
        List<(SuiteRun Run, JsonNode Result)> results = [];
        foreach (SuiteRun run in runs)
        {
            cancellation.ThrowIfCancellationRequested();
            string file = Path.Combine(folder, run.Name + ".json");
            bool chosen = only.Length == 0 || only.Contains(run.Name);
            (string? models, string data) = (Models(run), Data(run));
            JsonNode? result = resume || !chosen ? Kept(file, run, models, data) : null;
            if (result is null && !chosen)
                continue;
            if (result is null)
            {
                Console.Error.WriteLine($"{run.Name}: {run.Command}");
                result = await Result(run);
                AtomicFile.WriteText(file, JsonOutput.Indented(
                    new JsonObject { ["command"] = run.Command, ["models"] = models, ["data"] = data, ["result"] = result }) + "\n");
            }
            results.Add((run, result));
            AtomicFile.WriteText(Path.Combine(folder, TableFile), Table(results));
        }
        Console.Out.Write(Table(results));
        return 0;
    }

    // The command as the command line runs it; what it prints is its result.
    private static async Task<JsonNode> Result(SuiteRun run)
    {
        TextWriter output = Console.Out;
        using StringWriter printed = new(CultureInfo.InvariantCulture);
        Console.SetOut(printed);
        int code;
        try
        {
            code = await CommandRunner.Run(CommandRunner.CreateRoot(), [.. run.Words, "--json"]);
        }
        finally
        {
            Console.SetOut(output);
        }
        return code == 0 ? JsonNode.Parse(printed.ToString())!
            : throw new OmniFusionException($"the run '{run.Name}' failed; those before it have their results.");
    }

    private static JsonNode? Kept(string file, SuiteRun run, string? models, string data)
    {
        try
        {
            JsonNode? kept = File.Exists(file) ? JsonNode.Parse(File.ReadAllText(file)) : null;
            if ((string?)kept?["command"] != run.Command)
                return null;
            bool sameModels = (string?)kept!["models"] == models;
            // Older results do not tell their data.
            if (sameModels && ((string?)kept["data"] ?? data) == data)
                return kept["result"];
            Console.Error.WriteLine($"{run.Name}: {file} is of {(sameModels ? "other data" : "another model")}, so it does not count.");
            return null;
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidOperationException)
        {
            throw new OmniFusionException($"{file} is no result of a suite; remove it to run again.", error);
        }
    }

    // Digests of the models that a command loads: a model that was trained again lies in the same folder. Null where there is none.
    private static string? Models(SuiteRun run)
    {
        ParseResult parsed = CommandRunner.CreateRoot().Parse(run.Words);
        IList<Option> options = parsed.CommandResult.Command.Options;
        if (options.All(option => option.Name != "--model"))
            return null;
        string[] Given(string name) => [.. options.Where(option => option.Name == name)
            .SelectMany(option => parsed.GetResult(option)?.Tokens ?? []).Select(token => token.Value)];
        try
        {
            IEnumerable<Bundle> bundles = (Given("--model"), Given("--mmfm"), Given("--translator"), Given("--adapter")) switch
            {
                ([], [var mmfm], [var translator], [var adapter]) =>
                    [new Bundle { Mmfm = mmfm, Translator = translator, Adapter = adapter }],
                ([], _, _, _) => [Bundle.Load(ModelOptions.ShippedModel(AppContext.BaseDirectory))],
                (var named, _, _, _) => named.Select(Bundle.Load),
            };
            return string.Join(' ', bundles.Select(bundle => EvaluationSignature.Digest(bundle, streams: true)));
        }
        catch (OmniFusionException)
        {
            // The run itself tells what is wrong with its model.
            return "unknown";
        }
    }

    // A digest of the files that a command names, and of those of the folders that it names. What it writes is none of them.
    private static string Data(SuiteRun run)
    {
        string[] named = [.. run.Words.Where((_, i) => i == 0 || run.Words[i - 1] is not ("--output" or "--model"))];
        try
        {
            return EvaluationSignature.Digest(EvaluationSignature.Contents(named.SelectMany(word => Directory.Exists(word)
                ? Directory.EnumerateFiles(word, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal) : (IEnumerable<string>)[word])));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"the data of the run '{run.Name}' cannot be read: {error.Message}", error);
        }
    }

    private static string Table(List<(SuiteRun Run, JsonNode Result)> results)
    {
        List<string> lines = ["| run | figure | value |", "|---|---|---|"];
        foreach ((SuiteRun run, JsonNode result) in results)
            lines.AddRange(Figures(result, "").Select(figure => $"| {run.Name} | {figure.Name} | {figure.Value} |"));
        return string.Join('\n', lines) + "\n";
    }

    // Every number of a result, by its path; an entry of a list is called by the words in it.
    private static IEnumerable<(string Name, string Value)> Figures(JsonNode? node, string path) => node switch
    {
        JsonObject members => members.SelectMany(member => Figures(member.Value, path.Length == 0 ? member.Key : $"{path}.{member.Key}")),
        JsonArray entries => entries.SelectMany((entry, i) => Figures(entry, $"{path}[{Called(entry, i)}]")),
        JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.Number =>
            [(path, value.GetValue<double>().ToString("0.###", CultureInfo.InvariantCulture))],
        JsonValue value when path.EndsWith("signature", StringComparison.OrdinalIgnoreCase) => [(path, $"`{value.ToString().Replace('|', ' ')}`")],
        _ => [],
    };

    private static string Called(JsonNode? entry, int number) =>
        entry is JsonObject members && members.Where(member => member.Value?.GetValueKind() == System.Text.Json.JsonValueKind.String
            && !member.Key.EndsWith("signature", StringComparison.OrdinalIgnoreCase)).Select(member => member.Value!.ToString()) is var words && words.Any()
            ? string.Join(' ', words) : number.ToString(CultureInfo.InvariantCulture);

    private static SuiteRun[] Read(string path, Dictionary<string, string> variables)
    {
        if (YamlTemplate.LoadUnfilled<SuiteFile>(path).Runs is not { Count: > 0 } entries)
            throw new OmniFusionException($"{path} names no runs.");
        List<SuiteRun> runs = [];
        foreach (SuiteEntry? entry in entries)
        {
            string name = YamlTemplate.Fill(path, entry?.Name ?? "", variables);
            if (name.Trim('.').Length == 0 || name.AsSpan().ContainsAny("/\\") || entry is not { Command.Length: > 0 })
                throw new OmniFusionException($"{path}: every run has a name, which becomes a file's, and a command.");
            if (runs.Any(run => run.Name == name))
                throw new OmniFusionException($"{path}: two runs have the same name.");
            // What a value holds stays one word, whatever stands in it.
            runs.Add(new SuiteRun(
                name, [.. CommandLineParser.SplitCommandLine(entry.Command).Select(word => YamlTemplate.Fill(path, word, variables))]));
        }
        return [.. runs];
    }

    /// <summary>One evaluation.</summary>
    private sealed record SuiteRun(string Name, string[] Words)
    {
        internal string Command => string.Join(' ', Words.Select(
            word => word.Length == 0 || word.Contains(' ', StringComparison.Ordinal) ? $"\"{word}\"" : word));
    }

    /// <summary>The file.</summary>
    private sealed class SuiteFile
    {
        public List<SuiteEntry?> Runs { get; set; } = [];
    }

    /// <summary>An evaluation in it.</summary>
    private sealed class SuiteEntry
    {
        public string Name { get; set; } = "";

        public string Command { get; set; } = "";
    }
}
