namespace OmniFusion.Evaluation;

/// <summary>Draws BLEU against latency: without computation above, with it below, a line for each system and kind of policy.</summary>
public static class CurvePlot
{
    /// <summary>The picture as SVG.</summary>
    /// <param name="title">Stands above it.</param>
    /// <param name="points">Of one test set.</param>
    public static string Draw(string title, IReadOnlyList<CurvePoint> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        string metric = points.Any(point => point.Scores.StreamLaal is not null) ? "StreamLAAL" : "LAAL";
        bool manyThreads = points.Select(point => point.Setting.Threads).Distinct().Count() > 1;
        SvgPlot plot = new(title) { PanelHeight = 320 };
        foreach (bool aware in new[] { false, true })
        {
            plot.Panel($"{metric}{(aware ? ", computation-aware" : "")} (s)", "BLEU");
            foreach (IGrouping<(string System, string Family, int Threads), CurvePoint> line in points
                .GroupBy(point => (point.Setting.System, point.Setting.Family, point.Setting.Threads)))
            {
                string threads = manyThreads ? $", {line.Key.Threads} thread{(line.Key.Threads == 1 ? "" : "s")}" : "";
                plot.Line($"{line.Key.System} {line.Key.Family}{threads}", line
                    .Where(point => point.Latency(aware) is not null)
                    .Select(point => (point.Latency(aware)!.Value, point.Scores.Bleu)).Order());
            }
        }
        return plot.ToSvg();
    }
}
