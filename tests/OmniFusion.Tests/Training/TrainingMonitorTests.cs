using System.Text.Json;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public sealed class TrainingMonitorTests
{
    private static readonly MonitorLimits s_limits = new() { Patience = 3, Window = 5 };

    [Fact]
    public void AGateThatClosesIsToldOnceAndAgainWhenItClosedAgain()
    {
        // The third layer closes at line 4, opens for a line at 10, and closes again.
        double[] third = [0.3, 0.3, 0.3, 0.3, .. Enumerable.Repeat(0.005, 6), 0.02, .. Enumerable.Repeat(0.005, 5)];
        (int Line, string Warning)[] found = Warnings(third.Select(gate => Gates(0.5 - gate / 2, 0.5 - gate / 2, gate)));
        Assert.Equal([6, 13], found.Select(item => item.Line));
        Assert.All(found, item => Assert.StartsWith("gate 2 has closed", item.Warning));
    }

    [Fact]
    public void AGateThatIsLowNowAndThenIsNotTold() =>
        Assert.Empty(Warnings(Enumerable.Range(0, 40).Select(i => i % 3 == 0 ? Gates(0.7, 0.3) : Gates(0.995, 0.005))));

    [Fact]
    public void GatesThatHardenAreTold()
    {
        // Each token takes one layer alone, but not all the same one.
        TrainingFigures hard = Gates(0.5, 0.3, 0.2) with { GateEntropy = 0.04 }, soft = Gates(0.5, 0.3, 0.2) with { GateEntropy = 0.4 };
        (int line, string warning) = Assert.Single(Warnings([soft, soft, hard, hard, soft, hard, hard, hard, hard]));
        Assert.Equal(7, line);
        Assert.Contains("hardened", warning);
        Assert.Contains("3.6 %", warning);
    }

    [Fact]
    public void OneLayerAloneHasNothingToTell() =>
        Assert.Empty(Warnings(Enumerable.Repeat(Gates(1) with { GateEntropy = 0 }, 20)));

    [Fact]
    public void AKindThatIsNoLongerLearntWhileAnotherIsTold()
    {
        (int line, string warning) = Assert.Single(Warnings(Enumerable.Range(0, 40).Select(i => Losses(5 * Math.Exp(-i / 12.0), 3))));
        // Two windows and the patience.
        Assert.Equal(2 * 5 + 3 - 2, line);
        Assert.StartsWith("the loss of speech_image has stopped falling (0.0 %", warning);
        Assert.Contains("while that of speech falls (-", warning);
    }

    [Theory]
    [InlineData(12, 14)]
    [InlineData(1e9, 1e9)]
    public void LossesThatGoTogetherAreNotTold(double speech, double picture)
    {
        Random noise = new(1);
        Assert.Empty(Warnings(Enumerable.Range(0, 60).Select(i => Losses(
            5 * Math.Exp(-i / speech) * (1 + 0.002 * noise.NextDouble()), 3 * Math.Exp(-i / picture) * (1 + 0.002 * noise.NextDouble())))));
    }

    [Fact]
    public void AKindThatComesRarelyIsJudgedByItsOwnLines()
    {
        // Every other line has no picture; ten lines that have one are two windows.
        (int line, string warning) = Assert.Single(Warnings(Enumerable.Range(0, 60).Select(i => i % 2 == 0
            ? Losses(5 * Math.Exp(-i / 30.0), 3)
            : new TrainingFigures([], null, new Dictionary<string, double> { ["speech"] = 5 * Math.Exp(-i / 30.0) }))));
        Assert.Equal(2 * (10 + 3 - 2), line);
        Assert.Contains("speech_image", warning);
    }

    [Fact]
    public void ALineOfTheLogIsRead()
    {
        TrainingFigures figures = Parse("""
            {"step":40,"fused_steps":4,"gate_0":1,"gate_1":3,"gate_entropy":2,"speech_loss":30,"speech_tokens":10,"speech":7,
             "image_tokens":0,"image_loss":0}
            """)!;
        Assert.Equal([0.25, 0.75], figures.Gates);
        Assert.Equal(0.5, figures.GateEntropy);
        // Steps that only read the prefix have gates as well.
        Assert.Equal([0.25, 0.75], Parse("""{"step":40,"fused_steps":1,"gate_steps":4,"gate_0":1,"gate_1":3}""")!.Gates);
        Assert.Equal(new Dictionary<string, double> { ["speech"] = 3 }, figures.Losses);
        Assert.Empty(Parse("""{"step":4,"loss":2}""")!.Gates);
        Assert.Null(Parse("""{"step":4,"evaluation":{"wer":3}}"""));
        Assert.Null(Parse("""{"step":4,"warning":"gate 1 has closed"}"""));
    }

    private static TrainingFigures? Parse(string line)
    {
        using JsonDocument json = JsonDocument.Parse(line);
        return TrainingFigures.Of(json.RootElement);
    }

    private static (int Line, string Warning)[] Warnings(IEnumerable<TrainingFigures> lines)
    {
        TrainingMonitor monitor = new(s_limits);
        return [.. lines.SelectMany((figures, line) => monitor.Read(figures).Select(warning => (line, warning)))];
    }

    private static TrainingFigures Gates(params double[] gates) => new(gates, 0.6, new Dictionary<string, double>());

    private static TrainingFigures Losses(double speech, double picture) =>
        new([], null, new Dictionary<string, double> { ["speech"] = speech, ["speech_image"] = picture });
}
