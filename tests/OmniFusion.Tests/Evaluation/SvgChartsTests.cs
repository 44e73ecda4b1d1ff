using System.Globalization;
using System.Xml.Linq;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class SvgChartsTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Bars_are_as_high_as_their_values()
    {
        XElement svg = XDocument.Parse(new SvgBars("a < b").Panel("y").Bar("one", "x", 2).Bar("one", "z", 4, 0.5).Bar("two", "x", 1)
            .Bar("two", "z", double.NaN).ToSvg()).Root!;
        // After the page and a box in the legend for each series.
        double[] heights = [.. svg.Elements(s_svg + "rect").Skip(3)
            .Select(bar => double.Parse(bar.Attribute("height")!.Value, CultureInfo.InvariantCulture))];
        Assert.Equal(3, heights.Length);
        Assert.Equal(heights[0] * 2, heights[1], 0.1);
        Assert.Equal(heights[0] / 2, heights[2], 0.1);
        Assert.Equal(["one", "two"], svg.Elements(s_svg + "text").Select(text => text.Value).Where(text => text is "one" or "two"));
    }

    [Fact]
    public void A_heat_map_is_dark_where_values_are_small()
    {
        XElement svg = XDocument.Parse(new SvgHeatMap("t")
            .Time("gates", ["a", "b"], new double[,] { { 0, 0.25 }, { 0.5, double.NaN } }, "seconds", 0.04)
            .Space("image", new double[,] { { 0.1 } }).ToSvg()).Root!;
        string[] colors = [.. svg.Elements(s_svg + "rect").Skip(41).Select(box => box.Attribute("fill")!.Value)];
        Assert.Equal(4, colors.Length);
        Assert.Equal(("#440154", "#21918c", "#fde725"), (colors[0], colors[1], colors[2]));
    }

    [Fact]
    public void Empty_charts_are_pictures_too()
    {
        Assert.NotNull(XDocument.Parse(new SvgBars("").Panel("y").ToSvg()).Root);
        Assert.NotNull(XDocument.Parse(new SvgHeatMap("")
            .Space("s", new double[0, 0]).Time("t", [], new double[0, 0], "x", 1).ToSvg()).Root);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        Assert.Throws<OmniFusionException>(() => new SvgBars("t").Bar("g", "s", 1));
        Assert.Throws<OmniFusionException>(() => new SvgHeatMap("t").Time("l", ["a"], new double[2, 2], "x", 1));
    }
}
