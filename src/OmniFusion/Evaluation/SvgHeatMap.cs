using System.Globalization;
using System.Text;
using static OmniFusion.Evaluation.SvgPage;

namespace OmniFusion.Evaluation;

/// <summary>
/// Values as colours, as an SVG text, the sibling of <see cref="SvgPlot"/>: panels stacked under one title, all with one scale from the
/// smallest value (dark) to the largest (bright), which stands above them.
/// </summary>
/// <param name="title">Stands above the panels.</param>
public sealed class SvgHeatMap(string title)
{
    private const int Width = 760, Left = 110, Right = 24, PanelTop = 40, PanelBottom = 44, ScaleHeight = 34;
    private const int RowHeight = 26, LargestCell = 28;

    // Matplotlib's viridis at five places; brightness grows evenly, so that it reads in grey as well.
    private static readonly (int R, int G, int B)[] s_scale = [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)];

    private readonly List<HeatPanel> _panels = [];

    /// <summary>Adds a panel whose columns are moments: a row for each series, as wide as the picture.</summary>
    /// <param name="label">Stands above it.</param>
    /// <param name="rows">Name of each row.</param>
    /// <param name="values">[rows, columns]; what is not finite stays empty.</param>
    /// <param name="xLabel">Unit of the columns.</param>
    /// <param name="perColumn">How much of the unit a column is.</param>
    /// <exception cref="OmniFusionException">The names do not fit the values.</exception>
    public SvgHeatMap Time(string label, IReadOnlyList<string> rows, double[,] values, string xLabel, double perColumn)
    {
        if (rows.Count != values.GetLength(0))
            throw new OmniFusionException($"The heat map {title} has {rows.Count} names for {values.GetLength(0)} rows.");
        double cell = (Width - Left - Right) / (double)Math.Max(1, values.GetLength(1));
        _panels.Add(new HeatPanel(label, rows, values, cell, RowHeight, xLabel, perColumn));
        return this;
    }

    /// <summary>Adds a panel that is a picture: square cells.</summary>
    /// <param name="label">Stands above it.</param>
    /// <param name="values">[height, width]; what is not finite stays empty.</param>
    public SvgHeatMap Space(string label, double[,] values)
    {
        double cell = Math.Min(LargestCell, (Width - Left - Right) / (double)Math.Max(1, values.GetLength(1)));
        _panels.Add(new HeatPanel(label, [], values, cell, cell, "", 0));
        return this;
    }

    /// <summary>The picture.</summary>
    public string ToSvg()
    {
        double height = Top + ScaleHeight + _panels.Sum(panel => PanelTop + panel.Height + PanelBottom);
        StringBuilder svg = Open(title, Width, height);
        double[] all = [.. _panels.SelectMany(panel => panel.Values.Cast<double>()).Where(double.IsFinite).DefaultIfEmpty(0)];
        double low = all.Min(), high = all.Max();
        Scale(svg, low, high);
        double y = Top + ScaleHeight;
        foreach (HeatPanel panel in _panels)
        {
            y += PanelTop;
            Draw(svg, panel, y, low, high);
            y += panel.Height + PanelBottom;
        }
        return svg.Append("</svg>\n").ToString();
    }

    private static void Scale(StringBuilder svg, double low, double high)
    {
        const int Steps = 40, Step = 5;
        for (int i = 0; i < Steps; i++)
            Box(svg, Left + i * Step, Top, Step, 14, Shade(i / (Steps - 1.0)));
        Write(svg, "soft", Left - 8, Top + 12, "end", low.ToString("0.###", CultureInfo.InvariantCulture));
        Write(svg, "soft", Left + Steps * Step + 8, Top + 12, "start", high.ToString("0.###", CultureInfo.InvariantCulture));
    }

    private static void Draw(StringBuilder svg, HeatPanel panel, double top, double low, double high)
    {
        Write(svg, "ink", Left, top - 10, "start", panel.Label);
        (int rows, int columns) = (panel.Values.GetLength(0), panel.Values.GetLength(1));
        for (int row = 0; row < rows; row++)
        {
            if (panel.Rows.Count > 0)
                Write(svg, "ink", Left - 8, top + (row + 0.65) * panel.CellHeight, "end", panel.Rows[row]);
            for (int column = 0; column < columns; column++)
                if (double.IsFinite(panel.Values[row, column]))
                    Box(svg, Left + column * panel.CellWidth, top + row * panel.CellHeight, panel.CellWidth, panel.CellHeight,
                        Shade(high > low ? (panel.Values[row, column] - low) / (high - low) : 0));
        }
        if (panel.XLabel.Length == 0 || columns == 0)
            return;
        SvgAxis axis = SvgAxis.Of([0, columns * panel.PerColumn], pad: false);
        double bottom = top + panel.Height, width = columns * panel.CellWidth;
        foreach (double tick in axis.Ticks())
        {
            double x = Left + width * axis.Position(tick);
            Stroke(svg, "axis", x, bottom, x, bottom + 5);
            Write(svg, "soft", x, bottom + 18, "middle", axis.Label(tick));
        }
        Write(svg, "ink", Left + width / 2, bottom + 34, "middle", panel.XLabel);
    }

    private static string Shade(double share)
    {
        double place = share * (s_scale.Length - 1);
        int lower = Math.Clamp((int)place, 0, s_scale.Length - 2);
        double t = Math.Clamp(place - lower, 0, 1);
        (int R, int G, int B) a = s_scale[lower], b = s_scale[lower + 1];
        int Mix(int from, int to) => (int)Math.Round(from + t * (to - from));
        return $"#{Mix(a.R, b.R):x2}{Mix(a.G, b.G):x2}{Mix(a.B, b.B):x2}";
    }

    private sealed record HeatPanel(
        string Label, IReadOnlyList<string> Rows, double[,] Values, double CellWidth, double CellHeight, string XLabel, double PerColumn)
    {
        public double Height => Values.GetLength(0) * CellHeight;
    }
}
