using System.Globalization;
using System.Text;
using static OmniFusion.Evaluation.SvgPage;

namespace OmniFusion.Evaluation;

/// <summary>
/// A line chart as an SVG text: panels stacked under one title, each with its series, axes and legend. Its colours follow the reader's
/// light or dark setting. Calls are chained: <c>new SvgPlot("Training").Panel("step", "loss").Line("train", points).ToSvg()</c>.
/// </summary>
/// <param name="title">Stands above the panels.</param>
public sealed class SvgPlot(string title)
{
    private const int Left = 72, Right = 24, PanelTop = 34, PanelBottom = 50, CharWidth = 7, MaxMarkedPoints = 40;
    private const double Largest = 1e300;

    private readonly List<PanelContent> _panels = [];

    /// <summary>The width of the picture in pixels.</summary>
    public int Width { get; init; } = 760;

    /// <summary>The height of the plotting area of one panel in pixels.</summary>
    public int PanelHeight { get; init; } = 240;

    /// <summary>Starts a panel below those before it.</summary>
    public SvgPlot Panel(string xLabel, string yLabel)
    {
        _panels.Add(new PanelContent(xLabel, yLabel, []));
        return this;
    }

    /// <summary>Adds a series to the panel last started.</summary>
    /// <param name="name">Its name in the legend.</param>
    /// <param name="points">In the order in which they are joined; one that is not finite interrupts the line.</param>
    /// <exception cref="OmniFusionException">No panel was started.</exception>
    public SvgPlot Line(string name, IEnumerable<(double X, double Y)> points)
    {
        if (_panels.Count == 0)
            throw new OmniFusionException($"The plot {title} has no panel for the line {name}.");
        _panels[^1].Lines.Add((name, [.. points]));
        return this;
    }

    /// <summary>The picture.</summary>
    /// <exception cref="OmniFusionException">The size is too small or too large to draw.</exception>
    public string ToSvg()
    {
        if (Width is < 200 or > 10_000 || PanelHeight is < 60 or > 10_000)
            throw new OmniFusionException($"The plot {title} cannot be {Width} pixels wide with panels {PanelHeight} pixels high.");
        int height = Top + _panels.Sum(p => PanelTop + LegendHeight(p) + PanelHeight + PanelBottom);
        StringBuilder svg = Open(title, Width, height);
        double y = Top;
        foreach (PanelContent panel in _panels)
        {
            y = Legend(svg, panel, y) + PanelTop;
            Draw(svg, panel, y);
            y += PanelHeight + PanelBottom;
        }
        return svg.Append("</svg>\n").ToString();
    }

    private void Draw(StringBuilder svg, PanelContent panel, double top)
    {
        (double X, double Y)[] all = [.. panel.Lines.SelectMany(l => l.Points).Where(IsDrawable)];
        SvgAxis horizontal = SvgAxis.Of(all.Select(p => p.X), pad: false), vertical = SvgAxis.Of(all.Select(p => p.Y), pad: true);
        double width = Width - Left - Right, bottom = top + PanelHeight;
        double X(double value) => Left + width * horizontal.Position(value);
        double Y(double value) => bottom - PanelHeight * vertical.Position(value);

        foreach (double tick in vertical.Ticks())
        {
            Stroke(svg, "grid", Left, Y(tick), Left + width, Y(tick));
            Write(svg, "soft", Left - 8, Y(tick) + 4, "end", vertical.Label(tick));
        }
        foreach (double tick in horizontal.Ticks())
        {
            Stroke(svg, "axis", X(tick), bottom, X(tick), bottom + 5);
            Write(svg, "soft", X(tick), bottom + 19, "middle", horizontal.Label(tick));
        }
        Stroke(svg, "axis", Left, bottom, Left + width, bottom);
        Write(svg, "ink", Left + width / 2, bottom + 39, "middle", panel.XLabel);
        Write(svg, "ink", Left - 60, top - 12, "start", panel.YLabel);

        for (int i = 0; i < panel.Lines.Count; i++)
        {
            (double X, double Y)[] points = panel.Lines[i].Points;
            StringBuilder path = new(), marks = new();
            bool pen = false;
            foreach ((double X, double Y) point in points)
            {
                bool drawable = IsDrawable(point);
                if (drawable)
                {
                    path.Append(CultureInfo.InvariantCulture, $"{(pen ? 'L' : 'M')}{X(point.X):0.##} {Y(point.Y):0.##}");
                    if (points.Length <= MaxMarkedPoints)
                        marks.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(point.X):0.##}\" cy=\"{Y(point.Y):0.##}\" r=\"3\"/>");
                }
                pen = drawable;
            }
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"{path}\" fill=\"none\" stroke=\"{Color(i)}\" stroke-width=\"2\" ");
            svg.Append(CultureInfo.InvariantCulture, $"stroke-linejoin=\"round\"{Dashes(i)}/><g fill=\"{Color(i)}\">{marks}</g>\n");
        }
    }

    private double Legend(StringBuilder svg, PanelContent panel, double top)
    {
        foreach ((int line, double x, int row) in LegendPlaces(panel))
        {
            double y = top + row * 20 + 12;
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{x:0.##} {y - 4:0.##}h22\" stroke=\"{Color(line)}\" ");
            svg.Append(CultureInfo.InvariantCulture, $"stroke-width=\"3\"{Dashes(line)}/>");
            Write(svg, "ink", x + 28, y, "start", panel.Lines[line].Name);
        }
        return top + LegendHeight(panel);
    }

    private int LegendHeight(PanelContent panel) => panel.Lines.Count == 0 ? 0 : 20 * (LegendPlaces(panel).Last().Row + 1);

    private IEnumerable<(int Line, double X, int Row)> LegendPlaces(PanelContent panel)
    {
        double x = Left;
        int row = 0;
        for (int i = 0; i < panel.Lines.Count; i++)
        {
            double width = 48 + CharWidth * panel.Lines[i].Name.Length;
            if (x > Left && x + width > Width - Right)
                (x, row) = (Left, row + 1);
            yield return (i, x, row);
            x += width;
        }
    }

    private static string Dashes(int line) => line < Colors ? "" : " stroke-dasharray=\"6 4\"";

    private static bool IsDrawable((double X, double Y) point) => Math.Abs(point.X) < Largest && Math.Abs(point.Y) < Largest;

    private sealed record PanelContent(string XLabel, string YLabel, List<(string Name, (double X, double Y)[] Points)> Lines);
}
