using System.Globalization;
using System.Xml.Linq;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class SvgPlotTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Draws_every_series_inside_the_picture()
    {
        SvgPlot plot = new SvgPlot("Training <nano> & more")
            .Panel("step", "loss")
            .Line("train", Enumerable.Range(0, 200).Select(i => (i * 100.0, 0.8 + 5 * Math.Exp(-i / 40.0) + 0.05 * Math.Sin(i))))
            .Line("development", Enumerable.Range(0, 20).Select(i => (i * 1000.0, 1.0 + 5 * Math.Exp(-i / 4.0))))
            .Panel("step", "BLEU")
            .Line("fused", Enumerable.Range(0, 20).Select(i => (i * 1000.0, 30 * (1 - Math.Exp(-i / 5.0)))))
            .Line("cascade", [(0, 21.5), (19900, 21.5)]);
        string text = plot.ToSvg();
        XElement svg = XDocument.Parse(text).Root!;
        Assert.Equal("Training <nano> & more", svg.Element(s_svg + "title")!.Value);
        XElement[] lines = [.. svg.Elements(s_svg + "path").Where(p => p.Attribute("fill") is not null)];
        Assert.Equal(4, lines.Length);
        double height = double.Parse(svg.Attribute("height")!.Value, CultureInfo.InvariantCulture);
        foreach (string point in lines.SelectMany(l => l.Attribute("d")!.Value.Split(['M', 'L'], StringSplitOptions.RemoveEmptyEntries)))
        {
            double[] xy = [.. point.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
            Assert.InRange(xy[0], 0, plot.Width);
            Assert.InRange(xy[1], 0, height);
        }
        string[] labels = [.. svg.Elements(s_svg + "text").Select(t => t.Value)];
        Assert.Contains("development", labels);
        Assert.Contains("10k", labels);
        Assert.Contains("30", labels);
    }

    [Fact]
    public void Points_that_are_no_numbers_interrupt_the_line()
    {
        (double, double)[] points = [(0, 0), (1, double.NaN), (2, 1), (3, double.PositiveInfinity), (4, 2)];
        string text = new SvgPlot("t").Panel("x", "y").Line("a", points).ToSvg();
        XElement line = XDocument.Parse(text).Root!.Elements(s_svg + "path").Single(p => p.Attribute("fill") is not null);
        string path = line.Attribute("d")!.Value;
        Assert.Equal(3, path.Count(c => c == 'M'));
        Assert.DoesNotContain("NaN", text);
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(0, 0)]
    [InlineData(1e-12, 3e-12)]
    [InlineData(-1e299, 1e299)]
    [InlineData(1e15, 1e15 + 0.25)]
    public void Any_range_has_ticks(double low, double high)
    {
        XElement svg = XDocument.Parse(new SvgPlot("t").Panel("x", "y").Line("a", [(0, low), (1, high)]).ToSvg()).Root!;
        Assert.InRange(svg.Elements(s_svg + "text").Count(t => t.Attribute("text-anchor")!.Value == "end"), 2, 20);
    }

    [Fact]
    public void Empty_plots_are_pictures_too()
    {
        Assert.NotNull(XDocument.Parse(new SvgPlot("").ToSvg()).Root);
        Assert.NotNull(XDocument.Parse(new SvgPlot("t\0").Panel("x", "y").Line("a\u0001😀", []).ToSvg()).Root);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        Assert.Throws<OmniFusionException>(() => new SvgPlot("t").Line("a", []));
        Assert.Throws<OmniFusionException>(() => new SvgPlot("t") { Width = 10 }.ToSvg());
    }
}
