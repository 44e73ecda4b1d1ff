using System.Xml.Linq;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class QualityLatencyCurveTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("omnifusion-curves-").FullName, "curves.jsonl");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public void Only_points_that_none_beats_count()
    {
        QualityLatencyCurve curve = new([(3, 20), (1, 10), (2, 9), (2, 18), (4, 19), (double.NaN, 90), (1, 5)]);
        Assert.Equal([(1, 10), (2, 18), (3, 20)], curve.Points);
    }

    [Theory]
    [InlineData(10, 1.0)]
    [InlineData(14, 1.5)]
    [InlineData(19, 2.5)]
    [InlineData(9.6, 1.0)]
    [InlineData(20.5, 3.0)]
    [InlineData(9.4, null)]
    [InlineData(20.6, null)]
    public void Latency_at_a_quality_is_interpolated(double quality, double? expected) =>
        Assert.Equal(expected, new QualityLatencyCurve([(1, 10), (2, 18), (3, 20)]).LatencyAt(quality));

    [Fact]
    public void Lead_is_taken_where_both_are()
    {
        QualityLatencyCurve fused = new([(1, 10), (2, 18)]), cascade = new([(2, 14), (4, 18.4), (5, 25)]);
        IReadOnlyList<Lead> leads = fused.LeadOver(cascade);
        Assert.Equal([14, 18, 18.4], leads.Select(lead => lead.Quality));
        Assert.Equal(2 - 1.5, leads[0].Seconds, 1e-9);
        Assert.Equal(2 + 2 * 4 / 4.4 - 2, leads[1].Seconds, 1e-9);
        Assert.Equal(4 - 2, leads[2].Seconds, 1e-9);
        Assert.Equal(-leads[1].Seconds, cascade.LeadOver(fused)[1].Seconds, 1e-9);
        Assert.Empty(fused.LeadOver(new QualityLatencyCurve([(1, 30)])));
        Assert.Empty(fused.LeadOver(new QualityLatencyCurve([])));
    }

    [Fact]
    public void A_stopped_sweep_goes_on_where_it_was()
    {
        CurveFile file = CurveFile.Open(_path);
        Assert.Empty(file.Points);
        file.Add(Point("fused", "wait-k:1", 1.5));
        file.Add(Point("cascade", "wait-k:1", null));
        File.AppendAllText(_path, "{\"setting\": {\"set\": \"se");
        CurveFile again = CurveFile.Open(_path);
        Assert.Equal(file.Points, again.Points);
        Assert.NotNull(again.Find(Point("fused", "wait-k:1", 0).Setting));
        Assert.Null(again.Find(Point("fused", "wait-k:3", 0).Setting));
        Assert.Null(again.Find(Point("fused", "wait-k:1", 0).Setting with { Threads = 1 }));
        again.Add(Point("fused", "wait-k:3", 2));
        Assert.Equal(3, CurveFile.Open(_path).Points.Count);
    }

    [Fact]
    public void A_whole_point_at_the_end_needs_no_line_break()
    {
        CurveFile file = CurveFile.Open(_path);
        file.Add(Point("fused", "wait-k:1", 1.5));
        file.Add(Point("cascade", "wait-k:1", null));
        File.WriteAllText(_path, File.ReadAllText(_path).TrimEnd());
        CurveFile again = CurveFile.Open(_path);
        Assert.Equal(file.Points, again.Points);
        again.Add(Point("fused", "wait-k:3", 2));
        Assert.Equal(3, CurveFile.Open(_path).Points.Count);
    }

    [Theory]
    [InlineData("nonsense\n")]
    [InlineData("{}\n")]
    [InlineData("null\n")]
    [InlineData("{\"setting\": 3}\n")]
    public void A_damaged_file_is_named(string content)
    {
        File.WriteAllText(_path, content);
        Assert.Contains("Line 1", Assert.Throws<OmniFusionException>(() => CurveFile.Open(_path)).Message);
    }

    [Fact]
    public void The_picture_has_a_line_for_each_system_and_policy()
    {
        XElement svg = XDocument.Parse(CurvePlot.Draw("talks",
        [
            Point("fused", "wait-k:1", 1), Point("fused", "wait-k:3", 2), Point("cascade", "wait-k:1", 3),
            Point("cascade", "hold-n:2", null),
        ])).Root!;
        string[] labels = [.. svg.Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value)];
        Assert.Equal(2, labels.Count(label => label == "fused wait-k"));
        Assert.Contains("cascade hold-n", labels);
        Assert.Contains("StreamLAAL, computation-aware (s)", labels);
        Assert.Equal(2 * 3 + 1, svg.Descendants().Count(e => e.Name.LocalName == "circle"));
    }

    private static CurvePoint Point(string system, string policy, double? aware) => new(
        new CurveSetting("set", "de", "nano", system, policy, 0.5, 2),
        new SimultaneousScores
        {
            Recordings = 1, Sentences = 2, AudioSeconds = 3, Bleu = 10, BleuSignature = "b", ChrF = 20, ChrFSignature = "c",
            NormalizedErasure = 0, StreamLaal = new LatencyPair(1, aware), Words = WordLatencies.Of([1, 2, 3]),
        });
}
