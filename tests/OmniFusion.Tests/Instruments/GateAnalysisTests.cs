using System.Xml.Linq;
using OmniFusion.Instruments;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Tests.Models;
using LoadOptions = OmniFusion.Models.LoadOptions;

namespace OmniFusion.Tests.Instruments;

public sealed class GateAnalysisTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void The_gates_are_the_published_ones_and_every_token_has_its_kind()
    {
        GateMap map = Read("speaker.wav", "slide.png");
        float[] expected = Golden.Load("fused_audio_image").Floats("gates");
        TinyModels.AssertClose(expected, map.Tokens.SelectMany(token => token.Gates).ToArray(), 1e-4f, "gates");
        Assert.Equal([0, 2, 4], map.Layers);
        Assert.Equal((3, 4), (map.ImageHeight, map.ImageWidth));
        TokenGates[] images = [.. map.Tokens.Where(token => token.Kind == TokenKind.Image)];
        Assert.Equal(12, images.Length);
        Assert.All(images, token => Assert.Equal("<|IMAGE|>", token.Token));
        Assert.All(map.Tokens.Where(token => token.Kind == TokenKind.Audio), token => Assert.Equal("<|AUDIO|>", token.Token));
        Assert.Contains(map.Tokens, token => token.Kind == TokenKind.Prompt && token.Token == "<|im_start|>");

        XElement time = XDocument.Parse(GatePlots.Time(map)!).Root!, space = XDocument.Parse(GatePlots.Space(map)!).Root!;
        // Beside the page and the 40 steps of the scale: a box for each gate.
        Assert.Equal(3 * map.Tokens.Count(token => token.Kind == TokenKind.Audio) + 41, time.Elements(s_svg + "rect").Count());
        Assert.Equal(3 * 12 + 41, space.Elements(s_svg + "rect").Count());
    }

    [Fact]
    public void The_report_is_over_all_inputs_by_kind()
    {
        GateAnalysis analysis = new(TinyModels.Model);
        GateMap[] maps = [Read("bat.wav", null), Read("speaker.wav", "slide.png")];
        foreach (GateMap map in maps)
            analysis.Add(map);
        GateReport report = analysis.Report();
        Assert.Equal(["prompt", "image", "audio", "all"], report.Kinds.Select(kind => kind.Kind));
        Assert.Equal((2, "gated"), (report.Items, report.Mode));
        foreach (GateStatistics kind in report.Kinds)
        {
            TokenGates[] tokens = [.. maps.SelectMany(map => map.Tokens)
                .Where(token => kind.Kind == "all" || token.Kind.ToString().Equals(kind.Kind, StringComparison.OrdinalIgnoreCase))];
            Assert.Equal(tokens.Length, kind.Tokens);
            Assert.Equal(1, kind.Gates.Sum(gate => gate.Mean), 1e-5);
            Assert.Equal(tokens.Average(token => token.Gates[1]), kind.Gates[1].Mean, 1e-5);
            Assert.InRange(kind.Entropy.Mean, 1e-3, report.LargestEntropy);
            // The entropy of a mixture is at least the mean of the entropies.
            Assert.True(kind.EntropyOfMean >= kind.Entropy.Mean - 1e-6);
        }
        XElement chart = XDocument.Parse(GatePlots.Bars(report)).Root!;
        Assert.Contains(chart.Elements(s_svg + "text"), text => text.Value == "audio");
        Assert.Null(GatePlots.Space(maps[0]));
    }

    [Fact]
    public void A_spread_has_mean_deviation_and_quantiles()
    {
        Spread spread = Spread.Of([4, 0, 2, 1, 3]);
        Assert.Equal((2, Math.Sqrt(2)), (spread.Mean, spread.Deviation));
        Assert.Equal([0.2, 1, 2, 3, 3.8], spread.Quantiles.Select(value => Math.Round(value, 9)));
        Assert.Equal([5, 5, 5, 5, 5], Spread.Of([5]).Quantiles);
    }

    [Fact]
    public void Tokens_that_choose_different_layers_are_told_from_tokens_that_mix()
    {
        GateStatistics hard = GateStatistics.Of("audio", [new(TokenKind.Audio, "a", [1, 0]), new(TokenKind.Audio, "a", [0, 1])]);
        Assert.Equal((0, Math.Log(2)), (hard.Entropy.Mean, hard.EntropyOfMean));
        Assert.Equal(0.5, hard.Gates[0].Deviation);
        Assert.Equal(Math.Log(2), GateStatistics.Of("audio", [new(TokenKind.Audio, "a", [0.5f, 0.5f])]).Entropy.Mean, 1e-6);
    }

    [Fact]
    public void What_has_no_gates_is_said_in_a_sentence()
    {
        GateAnalysis analysis = new(TinyModels.Model);
        Assert.Contains("text alone", Assert.Throws<OmniFusionException>(() =>
            analysis.Read(new() { Text = "A bat.", TargetLanguage = "de" })).Message);
        Assert.Throws<OmniFusionException>(() => analysis.Report());
        OmniFusionModel single = OmniFusionModel.Load(Golden.Tiny("omni"), Golden.Tiny("translator"), Golden.Tiny("fusion"),
            new LoadOptions { FusionMode = "mid", Threads = 1 });
        Assert.Contains("'mid', which has no gates", Assert.Throws<OmniFusionException>(() =>
            new GateAnalysis(single).Read(new() { Audio = Golden.Media("bat.wav"), TargetLanguage = "de" })).Message);
    }

    private static GateMap Read(string audio, string? image) => new GateAnalysis(TinyModels.Model).Read(new TranslationRequest
    {
        Audio = Golden.Media(audio), Image = image is null ? null : Golden.Media(image), TargetLanguage = "Czech",
    }, new ImageSize(112, 84));
}
