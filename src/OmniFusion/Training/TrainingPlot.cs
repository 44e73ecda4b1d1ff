using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;

namespace OmniFusion.Training;

/// <summary>
/// Draws the log of a training, a panel each: the losses, the losses by kind of example, the gates, the quality on the validation set.
/// </summary>
internal static class TrainingPlot
{
    private static readonly string[] s_means = ["loss", "ctc", "decoder"];

    // Not every step of a fusion has them: the log holds their sums, and of how many steps.
    private static readonly (string Sum, string Steps)[] s_sums = [("fused_loss", "fused_steps"), ("text_loss", "text_steps")];

    /// <summary>Reads a log and writes its picture.</summary>
    internal static void Write(string logPath, string svgPath, string title)
    {
        Dictionary<string, List<(double X, double Y)>> losses = [], kinds = [], gates = [], quality = [];
        JsonLines.Read(logPath, figures =>
        {
            double step = figures.GetProperty("step").GetDouble();
            if (figures.TryGetProperty("evaluation", out JsonElement evaluation))
            {
                foreach (JsonProperty figure in evaluation.EnumerateObject())
                    Add(quality, figure.Name, step, figure.Value.GetDouble());
                return;
            }
            foreach (string name in s_means.Where(name => figures.TryGetProperty(name, out _)))
                Add(losses, name, step, figures.GetProperty(name).GetDouble());
            foreach ((string sum, string steps) in s_sums.Where(item => figures.TryGetProperty(item.Sum, out _)))
                Add(losses, sum, step, figures.GetProperty(sum).GetDouble() / figures.GetProperty(steps).GetDouble());
            if (TrainingFigures.Of(figures) is not { } watched)
                return;
            foreach ((string kind, double loss) in watched.Losses)
                Add(kinds, kind, step, loss);
            for (int i = 0; i < watched.Gates.Count; i++)
                Add(gates, $"gate {i}", step, watched.Gates[i]);
            if (watched.GateEntropy is { } entropy)
                Add(gates, "entropy", step, entropy);
        });
        SvgPlot plot = new(title);
        Draw(plot, "loss", losses);
        if (kinds.Count > 0)
            Draw(plot, "loss per token, by kind of example", kinds);
        if (gates.Count > 0)
            Draw(plot, "mean gate, and its entropy in nats", gates);
        Draw(plot, "validation", quality);
        AtomicFile.WriteText(svgPath, plot.ToSvg());
    }

    private static void Draw(SvgPlot plot, string label, Dictionary<string, List<(double X, double Y)>> series)
    {
        plot.Panel("step", label);
        foreach ((string name, List<(double, double)> points) in series)
            plot.Line(name, points);
    }

    private static void Add(Dictionary<string, List<(double X, double Y)>> series, string name, double step, double value)
    {
        if (!series.TryGetValue(name, out List<(double X, double Y)>? points))
            series[name] = points = [];
        points.Add((step, value));
    }
}
