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
            YamlTemplate.Load<Suite>(arguments.GetValue(suite)!, TrainCommand.Variables(arguments.GetValue(set) ?? [])).Checked(arguments.GetValue(suite)!),
            arguments.GetValue(output)!, arguments.GetValue(only) ?? [], arguments.GetValue(resume), cancellation));
        return command;
    }

    private static async Task<int> Run(Suite suite, string folder, string[] only, bool resume, CancellationToken cancellation)
    {
        if (only.FirstOrDefault(name => suite.Runs.All(run => run.Name != name)) is { } unknown)
            throw new UsageException($"the suite has no run '{unknown}'; it has {string.Join(", ", suite.Runs.Select(run => run.Name))}.");
        AtomicFile.MakeFolder(folder);
        List<(SuiteRun Run, JsonNode Result)> results = [];
        foreach (SuiteRun run in suite.Runs)
        {
            cancellation.ThrowIfCancellationRequested();
            string file = Path.Combine(folder, run.Name + ".json");
            bool chosen = only.Length == 0 || only.Contains(run.Name);
            JsonNode? result = resume || !chosen ? Kept(file, run.Command) : null;
            if (result is null && !chosen)
                continue;
            if (result is null)
            {
                Console.Error.WriteLine($"{run.Name}: {run.Command}");
                result = await Result(run);
                AtomicFile.WriteText(file, JsonOutput.Indented(new JsonObject { ["command"] = run.Command, ["result"] = result }) + "\n");
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
            code = await CommandRunner.Run(CommandRunner.CreateRoot(), [.. CommandLineParser.SplitCommandLine(run.Command), "--json"]);
        }
        finally
        {
            Console.SetOut(output);
        }
        return code == 0 ? JsonNode.Parse(printed.ToString())!
            : throw new OmniFusionException($"the run '{run.Name}' failed; those before it have their results.");
    }

    private static JsonNode? Kept(string file, string command)
    {
        try
        {
            JsonNode? kept = File.Exists(file) ? JsonNode.Parse(File.ReadAllText(file)) : null;
            return (string?)kept?["command"] == command ? kept!["result"] : null;
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidOperationException)
        {
            throw new OmniFusionException($"{file} is no result of a suite; remove it to run again.", error);
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

    /// <summary>The file.</summary>
    private sealed class Suite
    {
        public List<SuiteRun> Runs { get; set; } = [];

        internal Suite Checked(string path)
        {
            if (Runs is not { Count: > 0 })
                throw new OmniFusionException($"{path} names no runs.");
            foreach (SuiteRun? run in Runs)
                if (run is not { Name.Length: > 0, Command.Length: > 0 } || run.Name.AsSpan().ContainsAny("/\\"))
                    throw new OmniFusionException($"{path}: every run has a name, which becomes a file's, and a command.");
            return Runs.Select(run => run.Name).Distinct().Count() == Runs.Count ? this
                : throw new OmniFusionException($"{path}: two runs have the same name.");
        }
    }

    /// <summary>One evaluation.</summary>
    private sealed class SuiteRun
    {
        public string Name { get; set; } = "";

        public string Command { get; set; } = "";
    }
}
