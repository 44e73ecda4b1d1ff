using System.CommandLine;
using System.Globalization;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion info</c>: what a bundle, or three checkpoints, hold.</summary>
internal static class InfoCommand
{
    internal static Command Create()
    {
        Argument<string?> bundle = new("BUNDLE")
        {
            Description = "The folder with omnifusion.json (default: the model shipped with the command)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        ModelOptions model = new();
        Command command = new("info", "Tells what a model holds, and loads it to see that all of it finds its place.") { bundle };
        model.AddTo(command);
        command.Options.Add(json);
        command.SetAction(arguments =>
        {
            string? folder = arguments.GetValue(bundle);
            ModelSummary summary = ModelSummary.Of(model.Load(arguments, folder), model.Folders(arguments, folder));
            Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Indented(summary) : Show(summary));
            return 0;
        });
        return command;
    }

    private static string Show(ModelSummary summary)
    {
        List<string> lines = [summary.Bundle, ""];
        int width = summary.Parts.Max(part => part.Part.Length);
        foreach (ModelPart part in summary.Parts)
        {
            string types = string.Join(" ", part.Types);
            lines.Add($"{part.Part.PadRight(width)}  {Count(part.Parameters),8}  {Size(part.Bytes),9}  {types,-8}  {part.Sizes}".TrimEnd());
        }
        long parameters = summary.Parts.Where(part => part.Used).Sum(part => part.Parameters);
        lines.Add($"{"used in all".PadRight(width)}  {Count(parameters),8}  {Size(summary.Memory.Weights),9}");
        lines.Add("");
        lines.Add($"memory      {Size(summary.Memory.Total)}: weights {Size(summary.Memory.Weights)} (mapped from the files), "
            + $"merged with the adapter {Size(summary.Memory.Merged)}, at work on 30 s of speech about {Size(summary.Memory.Working)}, "
            + $"the runtime about {Size(summary.Memory.Runtime)}");
        lines.Add($"languages   {string.Join(" ", summary.Languages)}");
        lines.Add($"fusion      {summary.Fusion}, projection of {summary.ProjectionDepth} layers");
        lines.Add($"prompt      {summary.Prompt}");
        lines.Add($"image size  {summary.ImageSize[0]}x{summary.ImageSize[1]}");
        lines.Add(string.Create(CultureInfo.InvariantCulture,
            $"search      {summary.Generation.NumBeams} beams, no repeated {summary.Generation.NoRepeatNgramSize}-gram, length penalty "
            + $"{summary.Generation.LengthPenalty}, at most {summary.Generation.MaxNewTokens} new tokens")
            + (summary.Generation.ChainOfThought ? "; of speech with a transcript of its own (chain of thought)" : ""));
        lines.Add($"no place    {summary.Unplaced.Count switch { 0 => "none: every key found its place", 1 => "1 key", int keys => $"{keys} keys" }}");
        lines.AddRange(summary.Unplaced.Select(key => $"  {key}"));
        return string.Join(Environment.NewLine, lines);
    }

    private static string Count(long number) => Scaled(number, 1000, ["", " K", " M", " G"]);

    private static string Size(long bytes) => Scaled(bytes, 1000, [" B", " KB", " MB", " GB", " TB"]);

    private static string Scaled(double number, double step, string[] units)
    {
        int unit = 0;
        while (number >= step && unit < units.Length - 1)
            (number, unit) = (number / step, unit + 1);
        string format = unit == 0 ? "0" : number < 10 ? "0.00" : number < 100 ? "0.0" : "0";
        return number.ToString(format, CultureInfo.InvariantCulture) + units[unit];
    }
}
