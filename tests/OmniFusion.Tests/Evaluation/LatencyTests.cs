using System.Text.Json;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class LatencyTests
{
    private static readonly Golden s_golden = Golden.Load("latency_metrics");

    [Theory]
    [InlineData(LatencyMetric.AL)]
    [InlineData(LatencyMetric.LAAL)]
    [InlineData(LatencyMetric.AP)]
    [InlineData(LatencyMetric.DAL)]
    [InlineData(LatencyMetric.ATD)]
    [InlineData(LatencyMetric.YAAL)]
    [InlineData(LatencyMetric.LongYAAL)]
    public void Equals_the_published_latencies(LatencyMetric metric)
    {
        IReadOnlyList<LatencyInstance> instances = Instances();
        foreach (bool computationAware in new[] { false, true })
        {
            JsonElement expected = s_golden.Json.GetProperty("scores").GetProperty(metric + (computationAware ? "_CA" : ""));
            LatencyScore score = Latency.Compute(instances, metric, computationAware);
            Assert.Equal(expected.GetProperty("mean").GetDouble(), score.Mean, 1e-6);
            JsonElement[] each = [.. expected.GetProperty("per_instance").EnumerateArray()];
            Assert.Equal(each.Length, score.PerInstance.Count);
            for (int i = 0; i < each.Length; i++)
            {
                Assert.Equal(each[i].ValueKind == JsonValueKind.Null, score.PerInstance[i] is null);
                if (score.PerInstance[i] is { } value)
                    Assert.Equal(each[i].GetDouble(), value, 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(LatencyMetric.StartOffset)]
    [InlineData(LatencyMetric.EndOffset)]
    [InlineData(LatencyMetric.NumChunks)]
    [InlineData(LatencyMetric.RTF)]
    public void Equals_the_published_means(LatencyMetric metric) => Assert.Equal(
        s_golden.Json.GetProperty("scores").GetProperty(metric.ToString()).GetProperty("mean").GetDouble(),
        Latency.Compute(Instances(), metric).Mean, 1e-6);

    [Fact]
    public void Sentences_without_output_are_skipped()
    {
        LatencyInstance silent = new() { SourceLength = 1000, Delays = [] };
        LatencyInstance one = new() { SourceLength = 1000, Delays = [700], Elapsed = [800] };
        LatencyScore score = Latency.Compute([silent, one], LatencyMetric.LAAL);
        Assert.Equal([null, 700.0], score.PerInstance);
        Assert.Equal(700, score.Mean);
        Assert.True(double.IsNaN(Latency.Compute([silent], LatencyMetric.LAAL).Mean));
    }

    [Fact]
    public void Characters_count_without_the_spaces_around()
    {
        LatencyInstance one = new() { SourceLength = 1000, Delays = [500], Reference = " 你好 " };
        Assert.Equal(0.25, Latency.Compute([one], LatencyMetric.AP, unit: LatencyUnit.Character).Mean, 1e-12);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        LatencyInstance good = new() { Index = 4, SourceLength = 1000, Delays = [500, 600] };
        Assert.Throws<OmniFusionException>(() => Latency.Compute([good], LatencyMetric.AL, computationAware: true));
        Assert.Throws<OmniFusionException>(() => Latency.Compute([good with { SourceLength = 0 }], LatencyMetric.AL));
        Assert.Throws<OmniFusionException>(() => Latency.Compute([good with { Delays = [double.NaN] }], LatencyMetric.AL));
        Assert.Throws<OmniFusionException>(() => Latency.Compute([good with { Delays = [600, 500] }], LatencyMetric.ATD));
        LatencyInstance empty = good with { Reference = " " };
        Assert.Throws<OmniFusionException>(() => Latency.Compute([empty], LatencyMetric.AP, unit: LatencyUnit.Character));
        Assert.Throws<OmniFusionException>(() => Latency.Compute([good], (LatencyMetric)77));
        Assert.Throws<OmniFusionException>(() => Latency.AverageLagging([], 1, 1));
        Assert.Throws<OmniFusionException>(() => Latency.AverageProportion([1], 1, 0));
        Assert.Throws<OmniFusionException>(() => Latency.DifferentiableAverageLagging([1], double.NaN));
        Assert.Throws<OmniFusionException>(() => Latency.YetAnotherAverageLagging([1], -1, 1, 1));
        Assert.Throws<OmniFusionException>(() => Latency.AverageTokenDelay([1, 2], [1]));
    }

    // Also the test of the reader: the golden's instances written as SimulEval writes them.
    private static IReadOnlyList<LatencyInstance> Instances()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllLines(path, s_golden.Json.GetProperty("instances").EnumerateArray().Select(i => JsonSerializer.Serialize(i)));
            return SimulEvalLog.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
