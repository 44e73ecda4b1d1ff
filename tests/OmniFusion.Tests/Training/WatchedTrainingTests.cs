using System.Text.Json.Nodes;
using OmniFusion.Tensors;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public sealed class WatchedTrainingTests(TinyTraining tiny) : IClassFixture<TinyTraining>
{
    [Theory]
    [InlineData("fusion", "omni_fusion omni_projection translator")]
    [InlineData("recognizer", "audio_tower ctc_head model naming_head visual")]
    public void WatchingChangesNothingButTheLog(string stage, string groups)
    {
        Recipe plain = Seeing(stage, stage + "-plain"), watched = Seeing(stage, stage + "-watched", "watch_every: 2");
        JsonObject[] before = tiny.Train(plain), log = tiny.Train(watched);
        byte[] State(Recipe recipe) => File.ReadAllBytes(recipe.Output + ".work/training.safetensors");
        Assert.Equal(State(plain), State(watched));
        Assert.DoesNotContain(before, line => line.ContainsKey("gradient_cosine"));
        JsonObject[] compared = [.. log.Where(line => line.ContainsKey("gradient_cosine"))];
        Assert.NotEmpty(compared);
        Assert.All(compared, line => Assert.Equal(0, line["step"]!.GetValue<int>() % 2));
        foreach (string group in groups.Split(' '))
            Assert.All(compared, line => Assert.InRange(Number(line, "gradient_cosine_" + group), -1, 1));
        foreach (string part in new[] { "speech", "picture" })
            Assert.All(compared, line => Assert.True(Number(line, "gradient_norm_of_" + part) > 0));
        // Squares of the groups add up to that of the whole.
        Assert.All(log.Where(line => line.ContainsKey("gradient_norm")), line =>
        {
            double[] norms = [.. groups.Split(' ').Select(group => "gradient_norm_" + group)
                .Where(line.ContainsKey).Select(name => Number(line, name))];
            Assert.Equal(Number(line, "gradient_norm"), Math.Sqrt(norms.Sum(norm => norm * norm)), 1e-3 * (1 + norms.Max()));
        });
    }

    [Fact]
    public void TheLossesOfAllKindsMakeTheLoss()
    {
        JsonObject[] log = [.. tiny.Train(Seeing("fusion", "kinds", "label_smoothing: 0")).Where(line => line.ContainsKey("fused_loss"))];
        string[] kinds = ["speech", "speech_image", "text_image", "image"];
        Assert.All(log, line => Assert.Equal(Number(line, "fused_loss"),
            Present(line, "_loss").Sum() / Present(line, "_tokens").Sum(), 1e-3));
        Assert.All(kinds, kind => Assert.Contains(log, line => line.ContainsKey(kind + "_loss")));
        string plot = File.ReadAllText(tiny["kinds.work/log.svg"]);
        Assert.All(kinds.Append("entropy"), name => Assert.Contains($">{name}<", plot));

        IEnumerable<double> Present(JsonObject line, string figure) =>
            kinds.Where(kind => line.ContainsKey(kind + figure)).Select(kind => Number(line, kind + figure));
    }

    [Fact]
    public void AResumedRunWarnsWhereAnUnbrokenOneDoes()
    {
        Recipe unbroken = Seeing("fusion", "warned", "watch_every: 3"), broken = Seeing("fusion", "warned-stopped", "watch_every: 3");
        (JsonObject[] expected, List<string> told) = Warned(unbroken);
        // Every third step is of text alone, and has no gates.
        JsonObject[] warnings = [.. expected.Where(line => line.ContainsKey("warning"))];
        Assert.Equal([4, 4, 4], warnings.Select(line => line["step"]!.GetValue<int>()));
        Assert.Equal(warnings.Select(line => $"step 4: warning: {line["warning"]!.GetValue<string>()}"), told.Take(3));
        Warned(broken, until: 2);
        Assert.Equal(TinyTraining.Figures(expected), TinyTraining.Figures(Warned(broken, resume: true).Log));
        Warned(broken, resume: true);
        Assert.Equal(TinyTraining.Figures(expected), TinyTraining.Figures(TinyTraining.Log(broken)));
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0, 1, -1)]
    public void TheCosineTellsWhetherTwoPartsAgree(int first, int second, double expected)
    {
        Tensor shared = Tensor.Zeros(new Shape(1, 2)).RequireGrad(), idle = Tensor.Zeros(new Shape(2)).RequireGrad();
        Dictionary<string, double> report = [];
        Dictionary<string, Tensor> parameters = new() { ["thinker.visual.a"] = shared, ["base_model.b"] = idle };
        new GradientWatch(new Compute(), parameters).Measure(
        [
            new("speech", c => c.CrossEntropy(shared, new[] { first })), new("picture", c => c.CrossEntropy(shared, new[] { second })),
        ], report);
        Dictionary<string, double> figures = TrainingReport.Figures(report, steps: 10).ToDictionary(item => item.Name, item => item.Value);
        Assert.Equal(expected, figures["gradient_cosine"], 1e-6);
        Assert.Equal(expected, figures["gradient_cosine_visual"], 1e-6);
        Assert.Equal(0, figures["gradient_cosine_translator"]);
        Assert.Equal(Math.Sqrt(0.5), figures["gradient_norm_of_speech"], 1e-6);
        Assert.All(shared.Grad!.Span.ToArray(), value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData("watch_every: -1", "'watch_every'")]
    [InlineData("fusion_layers: [1, 1]", "'fusion_layers'")]
    [InlineData("fusion_layers: []", "'fusion_layers'")]
    [InlineData("fusion_mode: mid\nfusion_layers: [1]", "'fusion_layers'")]
    [InlineData("fusion_mode: gatd", "'fusion_mode' is 'gatd'")]
    public void ABadRecipeIsRefused(string line, string named) => Assert.Contains(
        named, Assert.Throws<OmniFusionException>(() => tiny.Recipe("fusion", "bad", line)).Message, StringComparison.Ordinal);

    private (JsonObject[] Log, List<string> Told) Warned(Recipe recipe, bool resume = false, int? until = null)
    {
        using CancellationTokenSource stop = new();
        List<string> told = [];
        Trainer trainer = new(recipe, TrainingStages.Open(recipe), recipe.Output + ".work")
        {
            Limits = new() { Patience = 3, SmallestGate = 1.1 },
        };
        trainer.Run(resume, progress =>
        {
            if (progress.Message is { } message)
                told.Add(message);
            if (progress.Step == until)
                stop.Cancel();
        }, stop.Token);
        return (TinyTraining.Log(recipe), told);
    }

    // Recipes for models that see.
    private Recipe Seeing(string stage, string output, string changes = "")
    {
        tiny.MakeParts();
        string seeing = tiny["seeing"];
        if (!Directory.Exists(seeing))
            tiny.Train(tiny.Recipe("recognizer", "seeing", $"start: {tiny["omni"]}\nsteps: 1", pictures: true));
        string start = stage == "fusion" ? $"mmfm: {seeing}" : $"start: {seeing}";
        return tiny.Recipe(stage, output, $"{start}\nsteps: 6\nbatch_seconds: 8\n{changes}", pictures: true);
    }

    private static double Number(JsonObject line, string name) => line[name]!.GetValue<double>();
}
