using System.CommandLine;
using System.Globalization;
using OmniFusion.Instruments;
using OmniFusion.Training;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion analyze layers RECIPE</c>: what the model comes to with other hidden states.</summary>
internal static class AnalyzeLayersCommand
{
    internal static Command Create()
    {
        Argument<string> recipe = new("RECIPE") { Description = "The YAML file of a fusion; only its layers and its output are replaced" };
        Option<string[]> layers = new("--layers")
        {
            Description = "Numbers of hidden states to fuse, such as 0,2,4; once for each set to compare", HelpName = "N,N,...",
        };
        Option<int?> steps = Options.Whole("--steps", "Steps of each training (default: the recipe's)", 1, int.MaxValue);
        Option<string[]> set = new("--set")
        {
            Description = "NAME=VALUE for ${NAME} in the recipe, such as the folder of the data", HelpName = "NAME=VALUE",
        };
        Option<string?> output = new("--output")
        {
            Description = "Folder for results.jsonl, layers.svg and the trainings, which go on there if they were stopped "
                + "(default: the recipe's output with .layers behind it)",
            HelpName = "DIR",
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object a set" };
        Command command = new("layers", "Trains a fusion for each set of hidden states and compares their quality.")
        {
            recipe, layers, steps, set, output, json,
        };
        command.SetAction((arguments, cancellation) => Task.Run(() =>
        {
            int[][] sets = [.. (arguments.GetValue(layers) ?? []).Select(Parse)];
            if (sets.Length == 0)
                throw new UsageException("--layers is missing: name the hidden states of each set, such as --layers 0,2,4 --layers 4.");
            Recipe read = Recipe.Load(arguments.GetValue(recipe)!, TrainCommand.Variables(arguments.GetValue(set) ?? []));
            LayerStudy study = new(read, arguments.GetValue(output) ?? read.Output.TrimEnd('/') + ".layers", arguments.GetValue(steps));
            IReadOnlyList<LayerResult> results = study.Run(sets, Print, cancellation);
            Console.Out.WriteLine(
                arguments.GetValue(json) ? string.Join(Environment.NewLine, results.Select(JsonOutput.Line)) : Show(results));
            return 0;
        }));
        return command;
    }

    private static void Print(IReadOnlyList<int> layers, TrainingProgress progress) =>
        Console.Error.WriteLine($"layers {string.Join(",", layers)}: {TrainCommand.Line(progress)}");

    private static int[] Parse(string text) => [.. text.Split(',').Select(number =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer
            : throw new UsageException($"--layers takes numbers of hidden states such as 0,2,4, not '{text}'."))];

    private static string Show(IReadOnlyList<LayerResult> results)
    {
        string[] figures = [.. results.SelectMany(result => result.Quality.Keys).Distinct()];
        string[][] rows = [.. results.Select(result => (string[])
        [
            string.Join(",", result.Layers),
            .. figures.Select(figure => result.Quality.TryGetValue(figure, out double value) ? Number(value, "0.00") : ""),
            Number(result.Loss, "0.0000"), Number(result.Seconds, "0"),
        ])];
        return string.Join(Environment.NewLine, TextTable.Lines([["layers", .. figures, "loss", "seconds"], .. rows]));
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
