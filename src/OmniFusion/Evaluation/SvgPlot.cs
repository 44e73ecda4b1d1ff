using System.Globalization;
using System.Security;
using System.Text;

namespace OmniFusion.Evaluation;

/// <summary>
/// A line chart as an SVG text: panels stacked under one title, each with its series, axes and legend. Its colours follow the reader's
/// light or dark setting. Calls are chained: <c>new SvgPlot("Training").Panel("step", "loss").Line("train", points).ToSvg()</c>.
/// </summary>
/// <param name="title">Stands above the panels.</param>
public sealed class SvgPlot(string title)
{
    private const int Left = 72, Right = 24, Top = 52, PanelTop = 34, PanelBottom = 50, CharWidth = 7, MaxMarkedPoints = 40;
    private const double Largest = 1e300;

    // Okabe and Ito's colours that stand out from white as well as from black; told apart by people with any colour vision.
    private static readonly string[] s_colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

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
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{height}\" viewBox=\"0 0 {Width} {height}\" ");
        svg.Append("font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"12\">\n<style>");
        svg.Append(".paper{fill:#ffffff}.ink{fill:#24292f}.soft{fill:#57606a}.grid{stroke:#d8dee4}.axis{stroke:#8c959f}");
        svg.Append("@media(prefers-color-scheme:dark){.paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9ea7b3}.grid{stroke:#2b323b}");
        svg.Append(".axis{stroke:#6e7681}}</style>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{Escape(title)}</title><rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
        Text(svg, "ink", Width / 2.0, 32, "middle", title, "font-size=\"16\" font-weight=\"600\"");
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
        Axis horizontal = Axis.Of(all.Select(p => p.X), pad: false), vertical = Axis.Of(all.Select(p => p.Y), pad: true);
        double width = Width - Left - Right, bottom = top + PanelHeight;
        double X(double value) => Left + width * horizontal.Position(value);
        double Y(double value) => bottom - PanelHeight * vertical.Position(value);

        foreach (double tick in vertical.Ticks())
        {
            Stroke(svg, "grid", Left, Y(tick), Left + width, Y(tick));
            Text(svg, "soft", Left - 8, Y(tick) + 4, "end", vertical.Label(tick));
        }
        foreach (double tick in horizontal.Ticks())
        {
            Stroke(svg, "axis", X(tick), bottom, X(tick), bottom + 5);
            Text(svg, "soft", X(tick), bottom + 19, "middle", horizontal.Label(tick));
        }
        Stroke(svg, "axis", Left, bottom, Left + width, bottom);
        Text(svg, "ink", Left + width / 2, bottom + 39, "middle", panel.XLabel);
        Text(svg, "ink", Left - 60, top - 12, "start", panel.YLabel);

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
            Text(svg, "ink", x + 28, y, "start", panel.Lines[line].Name);
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

    private static void Stroke(StringBuilder svg, string kind, double x1, double y1, double x2, double y2) => svg.Append(
        CultureInfo.InvariantCulture, $"<path class=\"{kind}\" d=\"M{x1:0.##} {y1:0.##}L{x2:0.##} {y2:0.##}\"/>\n");

    private static void Text(StringBuilder svg, string kind, double x, double y, string anchor, string text, string style = "") =>
        svg.Append(CultureInfo.InvariantCulture,
        $"<text class=\"{kind}\" x=\"{x:0.##}\" y=\"{y:0.##}\" text-anchor=\"{anchor}\" {style}>{Escape(text)}</text>\n");

    // Control characters are not allowed in XML at all.
    private static string Escape(string text) =>
        SecurityElement.Escape(string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c)));

    private static string Color(int line) => s_colors[line % s_colors.Length];

    private static string Dashes(int line) => line < s_colors.Length ? "" : " stroke-dasharray=\"6 4\"";

    private static bool IsDrawable((double X, double Y) point) => Math.Abs(point.X) < Largest && Math.Abs(point.Y) < Largest;

    private sealed record PanelContent(string XLabel, string YLabel, List<(string Name, (double X, double Y)[] Points)> Lines);

    /// <summary>A range with round ticks.</summary>
    private readonly record struct Axis(double Low, double High, double Step)
    {
        public static Axis Of(IEnumerable<double> values, bool pad)
        {
            double low = values.DefaultIfEmpty(0).Min(), high = values.DefaultIfEmpty(1).Max();
            double size = Math.Max(Math.Abs(low), Math.Abs(high));
            if (high - low <= 1e-9 * size || high == low)
                (low, high) = (low - Math.Max(0.5, 0.1 * size), high + Math.Max(0.5, 0.1 * size));
            double step = RoundStep((high - low) / 5);
            return pad ? new Axis(Math.Floor(low / step) * step, Math.Ceiling(high / step) * step, step) : new Axis(low, high, step);
        }

        public double Position(double value) => (value - Low) / (High - Low);

        public IEnumerable<double> Ticks()
        {
            double first = Math.Ceiling(Low / Step - 1e-6);
            int count = (int)Math.Clamp(Math.Floor(High / Step + 1e-6) - first + 1, 0, 20);
            for (int i = 0; i < count; i++)
                yield return (first + i) * Step;
        }

        public string Label(double tick)
        {
            double size = Math.Max(Math.Abs(Low), Math.Abs(High));
            if (size >= 1e9 || Step < 1e-5)
                return tick.ToString("0.####e0", CultureInfo.InvariantCulture);
            (double unit, string suffix) = size >= 1e6 ? (1e6, "M") : size >= 1e4 ? (1e3, "k") : (1, "");
            int decimals = (int)Math.Max(0, Math.Ceiling(-Math.Log10(Step / unit) - 1e-9));
            return Math.Abs(tick) < Step / 2 ? "0" : (tick / unit).ToString("F" + decimals, CultureInfo.InvariantCulture) + suffix;
        }

        // 1, 2 or 5 times a power of ten.
        private static double RoundStep(double step)
        {
            double power = Math.Pow(10, Math.Floor(Math.Log10(step))), leading = step / power;
            return power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10);
        }
    }
}
