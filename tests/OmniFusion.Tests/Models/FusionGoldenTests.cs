using OmniFusion.Checkpoints;
using OmniFusion.Models.Fusion;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class FusionGoldenTests
{
    [Theory]
    [InlineData("mid")]
    [InlineData("last")]
    [InlineData("weighted")]
    [InlineData("concat")]
    [InlineData("attention")]
    [InlineData("gated")]
    public void Every_mode_makes_the_published_states(string mode)
    {
        Golden golden = Golden.Load("fusion_modes");
        int width = golden.Shape("h_first")[^1];
        string prefix = $"weight.{mode}.";
        Weights weights = new(Checkpoint.Of(golden.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => (name[prefix.Length..], Tensor.From(golden.Floats(name), new Shape(golden.Shape(name)))))));
        Tensor[] hidden = [.. new[] { "h_first", "h_mid", "h_last" }.Select(name =>
            Tensor.From(golden.Floats(name), new Shape(golden.Floats(name).Length / width, width)))];
        FusionLayer fusion = FusionLayer.Create(mode, width, weights);
        int[] selected = fusion.Selected(layers: 5);
        int[] all = [0, 3, 5];

        FusedStates fused = fusion.Forward(new Compute(), [.. selected.Select(number => hidden[Array.IndexOf(all, number)])]);

        TinyModels.AssertClose(golden.Floats($"out.{mode}"), fused.States.Span, 1e-5f, mode);
    }

    [Theory]
    [InlineData(float.NaN, 2)]
    [InlineData(1, float.NaN)]
    [InlineData(1, 3)]
    public void What_is_far_off_or_no_number_is_not_close(float first, float second) => Assert.ThrowsAny<Exception>(() =>
        TinyModels.AssertClose([1, 2], [first, second], 1e-3f, "two numbers"));

    [Fact]
    public void An_unknown_mode_is_named() =>
        Assert.Contains("'sum'", Assert.Throws<OmniFusionException>(() =>
            FusionLayer.Create("sum", 4, new Weights(Checkpoint.Of([])))).Message, StringComparison.Ordinal);
}
