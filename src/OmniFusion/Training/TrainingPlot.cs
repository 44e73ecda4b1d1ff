using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;

namespace OmniFusion.Training;

/// <summary>Draws the log of a training: the losses above, the quality on the validation set below.</summary>
internal static class TrainingPlot
{
    private static readonly string[] s_means = ["loss", "ctc", "decoder"];

    // Not every step of a fusion has them: the log holds their sums, and of how many steps.
    private static readonly (string Sum, string Steps)[] s_sums = [("fused_loss", "fused_steps"), ("text_loss", "text_steps")];

    /// <summary>Reads a log and writes its picture.</summary>
    internal static void Write(string logPath, string svgPath, string title)
    {
        Dictionary<string, List<(double X, double Y)>> losses = [], quality = [];
        foreach (string line in File.ReadLines(logPath))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            JsonElement figures = entry.RootElement;
            double step = figures.GetProperty("step").GetDouble();
            if (figures.TryGetProperty("evaluation", out JsonElement evaluation))
            {
                foreach (JsonProperty figure in evaluation.EnumerateObject())
                    Add(quality, figure.Name, step, figure.Value.GetDouble());
                continue;
            }
            foreach (string name in s_means.Where(name => figures.TryGetProperty(name, out _)))
                Add(losses, name, step, figures.GetProperty(name).GetDouble());
            foreach ((string sum, string steps) in s_sums.Where(item => figures.TryGetProperty(item.Sum, out _)))
                Add(losses, sum, step, figures.GetProperty(sum).GetDouble() / figures.GetProperty(steps).GetDouble());
        }
        SvgPlot plot = new SvgPlot(title).Panel("step", "loss");
        foreach ((string name, List<(double, double)> points) in losses)
            plot.Line(name, points);
        plot.Panel("step", "validation");
        foreach ((string name, List<(double, double)> points) in quality)
            plot.Line(name, points);
        AtomicFile.WriteText(svgPath, plot.ToSvg());
    }

    private static void Add(Dictionary<string, List<(double X, double Y)>> series, string name, double step, double value)
    {
        if (!series.TryGetValue(name, out List<(double X, double Y)>? points))
            series[name] = points = [];
        points.Add((step, value));
    }
}
