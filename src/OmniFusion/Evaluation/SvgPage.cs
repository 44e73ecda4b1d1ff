using System.Globalization;
using System.Security;
using System.Text;

namespace OmniFusion.Evaluation;

/// <summary>What pictures have in common: the page with its title, texts, lines, and colours that follow the reader's setting.</summary>
internal static class SvgPage
{
    /// <summary>Where the content begins, below the title.</summary>
    public const int Top = 52;

    // Okabe and Ito's colours that stand out from white as well as from black; told apart by people with any colour vision.
    private static readonly string[] s_colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

    /// <summary>Number of colours, after which they start anew.</summary>
    public static int Colors => s_colors.Length;

    /// <summary>The start of a picture; its end is <c>&lt;/svg&gt;</c>.</summary>
    public static StringBuilder Open(string title, double width, double height)
    {
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:0.##}\" height=\"{height:0.##}\" ");
        svg.Append(CultureInfo.InvariantCulture, $"viewBox=\"0 0 {width:0.##} {height:0.##}\" ");
        svg.Append("font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"12\">\n<style>");
        svg.Append(".paper{fill:#ffffff}.ink{fill:#24292f}.soft{fill:#57606a}.grid{stroke:#d8dee4}.axis{stroke:#8c959f}");
        svg.Append("@media(prefers-color-scheme:dark){.paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9ea7b3}.grid{stroke:#2b323b}");
        svg.Append(".axis{stroke:#6e7681}}</style>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{Escape(title)}</title><rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
        Write(svg, "ink", width / 2.0, 32, "middle", title, "font-size=\"16\" font-weight=\"600\"");
        return svg;
    }

    public static void Stroke(StringBuilder svg, string kind, double x1, double y1, double x2, double y2) => svg.Append(
        CultureInfo.InvariantCulture, $"<path class=\"{kind}\" d=\"M{x1:0.##} {y1:0.##}L{x2:0.##} {y2:0.##}\"/>\n");

    public static void Box(StringBuilder svg, double x, double y, double width, double height, string fill) => svg.Append(
        CultureInfo.InvariantCulture,
        $"<rect x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{width:0.##}\" height=\"{height:0.##}\" "
        + $"fill=\"{fill}\" shape-rendering=\"crispEdges\"/>\n");

    public static void Write(StringBuilder svg, string kind, double x, double y, string anchor, string text, string style = "") =>
        svg.Append(CultureInfo.InvariantCulture,
        $"<text class=\"{kind}\" x=\"{x:0.##}\" y=\"{y:0.##}\" text-anchor=\"{anchor}\" {style}>{Escape(text)}</text>\n");

    public static string Color(int line) => s_colors[line % s_colors.Length];

    // Control characters are not allowed in XML at all.
    private static string Escape(string text) =>
        SecurityElement.Escape(string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c)));
}
