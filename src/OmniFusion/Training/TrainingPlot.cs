using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;

namespace OmniFusion.Training;

/// <summary>Draws the log of a training: the losses above, the quality on the validation set below.</summary>
internal static class TrainingPlot
{
    private static readonly string[] Losses = ["loss", "ctc", "decoder", "speech_loss", "text_loss"];

    internal static void Write(string logPath, string svgPath, string title)
    {
        Dictionary<string, List<(double X, double Y)>> losses = [], quality = [];
        foreach (string line in File.ReadLines(logPath))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            double step = entry.RootElement.GetProperty("step").GetDouble();
            if (entry.RootElement.TryGetProperty("evaluation", out JsonElement evaluation))
                foreach (JsonProperty figure in evaluation.EnumerateObject())
                    Add(quality, figure.Name, step, figure.Value.GetDouble());
            else
                foreach (string name in Losses)
                    if (entry.RootElement.TryGetProperty(name, out JsonElement loss))
                        // Losses of speech and text steps are sums over the steps of their kind since the last line.
                        Add(losses, name, step, loss.GetDouble() / (entry.RootElement.TryGetProperty(name.Replace("_loss", "_steps"), out JsonElement steps) && name.EndsWith("_loss") ? steps.GetDouble() : 1));
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
