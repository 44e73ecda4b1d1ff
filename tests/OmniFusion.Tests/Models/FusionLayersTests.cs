using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;
using OmniFusion.Tensors;
using OmniFusion.Tests.Checkpoints;

namespace OmniFusion.Tests.Models;

public class FusionLayersTests
{
    private const int Width = 6;

    private static readonly Tensor[] s_states = [.. Enumerable.Range(0, 5).Select(state =>
        Tensor.From([.. Enumerable.Range(0, 3 * Width).Select(i => MathF.Sin(1 + i * (state + 1)))], new Shape(3, Width)))];

    [Theory]
    [InlineData("weighted", 1)]
    [InlineData("attention", 2)]
    [InlineData("gated", 1)]
    [InlineData("gated", 3)]
    [InlineData("gated", 5)]
    public void Gates_mix_any_number_of_states(string mode, int count)
    {
        int[] layers = [.. Enumerable.Range(0, count).Reverse()];
        FusionLayer fusion = FusionLayer.Create(mode, Width, Weights.FromScratch(new WeightInitializer(3, 0.5f)), layers);
        Assert.Equal(layers, fusion.Selected(4));
        Tensor[] states = [.. layers.Select(layer => s_states[layer])];
        FusedStates fused = fusion.Forward(new Compute(), states);
        Tensor gates = fused.Gates!;
        Assert.Equal(count, gates.Columns);
        for (int row = 0; row < 3; row++)
        {
            float[] own = gates.Row(gates.Rows == 1 ? 0 : row).ToArray();
            Assert.Equal(1, own.Sum(), 1e-5f);
            for (int column = 0; column < Width; column++)
                Assert.Equal(own.Select((gate, i) => gate * states[i].Row(row)[column]).Sum(), fused.States.Row(row)[column], 1e-5f);
        }
    }

    [Theory]
    [InlineData("gated", 3, "gate_layer.weight", 3, 18)]
    [InlineData("gated", 4, "gate_layer.weight", 4, 24)]
    [InlineData("concat", 4, "proj.weight", 6, 24)]
    [InlineData("weighted", 2, "alpha", 2, 2)]
    public void The_keys_stay_and_the_sizes_follow(string mode, int count, string key, int rows, int columns)
    {
        Weights weights = Weights.FromScratch(new WeightInitializer(3, 0.5f));
        FusionLayer fusion = FusionLayer.Create(mode, Width, weights.Under("omni_fusion"), [.. Enumerable.Range(0, count)]);
        Assert.Equal(new Shape(3, Width), fusion.Forward(new Compute(), s_states.AsSpan(0, count)).States.Shape);
        Tensor weight = weights.Taken["omni_fusion." + key];
        Assert.Equal((rows, columns), (weight.Shape[0], weight.Columns));
    }

    public static TheoryData<string> Modes => [.. FusionLayer.Modes];

    [Theory]
    [MemberData(nameof(Modes))]
    public void Every_mode_makes_the_layer_of_its_name(string mode) =>
        Assert.Equal(mode, FusionLayer.Create(mode, Width, Weights.FromScratch(new WeightInitializer(3, 0.5f))).Mode);

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task What_a_training_stores_translates(string mode)
    {
        int size = TinyModels.Thinker.HiddenSize;
        Weights weights = Weights.FromScratch(new WeightInitializer(3, 0.5f));
        FusionLayer.Create(mode, size, weights.Under("omni_fusion"));
        _ = new Projection(size, TinyModels.TranslatorConfig.HiddenSize, 2, weights.Under("omni_projection"));
        using TemporaryFolder folder = new();
        PeftAdapter.Of(new PeftConfig(), weights.Taken.Select(item => ("base_model.model.model." + item.Key, item.Value)))
            .Save(folder.Path, DType.BF16);
        OmniFusionModel model = OmniFusionModel.Load(
            Golden.Tiny("omni"), Golden.Tiny("translator"), folder.Path, new LoadOptions { FusionMode = mode, Threads = 1 });
        Translation found = await model.TranslateAsync(
            new() { Audio = Golden.Media("bat.wav"), TargetLanguage = "de" }, new TranslationOptions { Beams = 1, MaxNewTokens = 2 });
        Assert.NotEmpty(found.Ids);
    }

    [Theory]
    [InlineData("gated")]
    [InlineData("gated", 1, 1)]
    [InlineData("gated", -1)]
    [InlineData("concat", 0, 1, 2, 0)]
    [InlineData("mid", 1)]
    [InlineData("last", 0, 1, 2)]
    public void A_list_that_cannot_be_is_refused(string mode, params int[] layers) => Assert.Throws<OmniFusionException>(() =>
        FusionLayer.Create(mode, Width, Weights.FromScratch(new WeightInitializer(3, 0.5f)), layers));

    [Fact]
    public void A_bundle_names_its_layers()
    {
        using TemporaryFolder folder = new();
        foreach (string part in new[] { "omni", "translator", "fusion" })
            Directory.CreateDirectory(folder[part]);
        Bundle bundle = new()
        {
            Mmfm = folder["omni"], Translator = folder["translator"], Adapter = folder["fusion"], FusionLayers = [4, 0],
        };
        bundle.Save(folder.Path);
        Assert.Equal([4, 0], Bundle.Load(folder.Path).FusionLayers!);
        foreach ((string layers, string named) in new[]
        {
            ("[]", "'fusion.layers'"), ("[1,1]", "1, 1"), ("[0.5]", "'fusion.layers'"), ("3", "not a list"),
        })
        {
            string file = folder.Write("omnifusion.json", $$"""{"fusion":{"layers":{{layers}} } }""");
            string message = Assert.Throws<OmniFusionException>(() => Bundle.Load(folder.Path)).Message;
            Assert.StartsWith(file, message);
            Assert.Contains(named, message);
        }
        folder.Write("omnifusion.json", "{}");
        Assert.Null(Bundle.Load(folder.Path).FusionLayers);
    }
}
