using System.Globalization;
using System.Text;
using static OmniFusion.Evaluation.SvgPage;

namespace OmniFusion.Evaluation;

/// <summary>
/// A bar chart as an SVG text, the sibling of <see cref="SvgPlot"/>: panels stacked under one title, in each groups of bars, one colour
/// for each series. Calls are chained: <c>new SvgBars("Gates").Panel("mean").Bar("audio", "layer 0", 0.3, 0.1).ToSvg()</c>.
/// </summary>
/// <param name="title">Stands above the panels.</param>
public sealed class SvgBars(string title)
{
    private const int Width = 760, PanelHeight = 220, Left = 72, Right = 24, PanelTop = 34, LegendRow = 20, CharWidth = 7;

    private readonly List<(string Label, List<SvgBar> Bars)> _panels = [];

    /// <summary>Starts a panel below those before it.</summary>
    public SvgBars Panel(string yLabel)
    {
        _panels.Add((yLabel, []));
        return this;
    }

    /// <summary>Adds a bar to the panel last started.</summary>
    /// <param name="group">Bars of a group stand together; groups stand in the order in which they first appear.</param>
    /// <param name="series">Bars of a series have one colour.</param>
    /// <param name="value">Height of the bar; one that is not finite leaves its place empty.</param>
    /// <param name="spread">Half of the line that shows how far values lie from it, down to zero at most; 0: no line.</param>
    /// <exception cref="OmniFusionException">No panel was started.</exception>
    public SvgBars Bar(string group, string series, double value, double spread = 0)
    {
        if (_panels.Count == 0)
            throw new OmniFusionException($"The chart {title} has no panel for the bar {series} of {group}.");
        _panels[^1].Bars.Add(new SvgBar(group, series, value, double.IsFinite(spread) ? spread : 0));
        return this;
    }

    /// <summary>The picture.</summary>
    public string ToSvg()
    {
        double height = Top + _panels.Sum(panel => PanelTop + LegendHeight(panel.Bars) + PanelHeight + LabelHeight(panel.Bars));
        StringBuilder svg = Open(title, Width, height);
        double y = Top;
        foreach ((string label, List<SvgBar> bars) in _panels)
        {
            Legend(svg, bars, y);
            y += LegendHeight(bars) + PanelTop;
            Draw(svg, label, bars, y);
            y += PanelHeight + LabelHeight(bars);
        }
        return svg.Append("</svg>\n").ToString();
    }

    private static void Draw(StringBuilder svg, string label, List<SvgBar> bars, double top)
    {
        string[] groups = Groups(bars), series = Series(bars);
        SvgAxis axis = SvgAxis.Of(bars.Where(bar => double.IsFinite(bar.Value))
            .SelectMany(bar => new[] { bar.Value + bar.Spread, bar.Low }).Append(0), pad: true);
        double bottom = top + PanelHeight, slot = Slot(groups), width = 0.8 * slot / Math.Max(1, series.Length);
        double Y(double value) => bottom - PanelHeight * axis.Position(Math.Clamp(value, axis.Low, axis.High));
        foreach (double tick in axis.Ticks())
        {
            Stroke(svg, "grid", Left, Y(tick), Width - Right, Y(tick));
            Write(svg, "soft", Left - 8, Y(tick) + 4, "end", axis.Label(tick));
        }
        Write(svg, "ink", Left - 60, top - 12, "start", label);
        foreach (SvgBar bar in bars.Where(bar => double.IsFinite(bar.Value)))
        {
            int color = Array.IndexOf(series, bar.Series);
            double x = Left + slot * (Array.IndexOf(groups, bar.Group) + 0.1) + width * color, y = Y(bar.Value), zero = Y(0);
            Box(svg, x, Math.Min(y, zero), 0.9 * width, Math.Abs(zero - y), Color(color));
            if (bar.Spread > 0)
                Stroke(svg, "axis", x + 0.45 * width, Y(bar.Low), x + 0.45 * width, Y(bar.Value + bar.Spread));
        }
        Stroke(svg, "axis", Left, Y(0), Width - Right, Y(0));
        for (int i = 0; i < groups.Length; i++)
        {
            double x = Left + slot * (i + 0.5), y = bottom + 19;
            string turn = string.Create(CultureInfo.InvariantCulture, $"transform=\"rotate(-40 {x:0.##} {y:0.##})\"");
            Write(svg, "ink", x, y, IsCrowded(groups) ? "end" : "middle", groups[i], IsCrowded(groups) ? turn : "");
        }
    }

    private static void Legend(StringBuilder svg, List<SvgBar> bars, double top)
    {
        foreach ((string name, int color, double x, int row) in LegendPlaces(bars))
        {
            Box(svg, x, top + row * LegendRow + 2, 14, 12, Color(color));
            Write(svg, "ink", x + 20, top + row * LegendRow + 12, "start", name);
        }
    }

    private static int LegendHeight(List<SvgBar> bars) => bars.Count == 0 ? 0 : LegendRow * (LegendPlaces(bars).Last().Row + 1);

    private static IEnumerable<(string Name, int Color, double X, int Row)> LegendPlaces(List<SvgBar> bars)
    {
        double x = Left;
        int row = 0, color = 0;
        foreach (string name in Series(bars))
        {
            double width = 40 + CharWidth * name.Length;
            if (x > Left && x + width > Width - Right)
                (x, row) = (Left, row + 1);
            yield return (name, color++, x, row);
            x += width;
        }
    }

    // Names that do not fit under their bars are turned.
    private static double LabelHeight(List<SvgBar> bars) =>
        IsCrowded(Groups(bars)) ? 36 + 0.65 * CharWidth * Groups(bars).Max(name => name.Length) : 36;

    private static bool IsCrowded(string[] groups) => groups.Length > 0 && groups.Max(name => name.Length) * CharWidth > Slot(groups);

    private static double Slot(string[] groups) => (Width - Left - Right) / (double)Math.Max(1, groups.Length);

    private static string[] Groups(List<SvgBar> bars) => [.. bars.Select(bar => bar.Group).Distinct()];

    private static string[] Series(List<SvgBar> bars) => [.. bars.Select(bar => bar.Series).Distinct()];

    private readonly record struct SvgBar(string Group, string Series, double Value, double Spread)
    {
        public double Low => Value < 0 ? Value - Spread : Math.Max(0, Value - Spread);
    }
}
