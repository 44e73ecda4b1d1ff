using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class AblatedFusionTests
{
    [Theory]
    [InlineData("weighted")]
    [InlineData("attention")]
    [InlineData("gated")]
    public void The_gates_of_the_others_are_scaled_to_one(string mode)
    {
        (FusionLayer fusion, Tensor[] states) = Load(mode);
        Compute c = new();
        Tensor gates = fusion.Forward(c, states).Gates!;
        for (int without = 0; without < 3; without++)
        {
            FusedStates left = new AblatedFusion(fusion, without).Forward(c, states);
            for (int row = 0; row < states[0].Rows; row++)
            {
                Span<float> before = gates.Row(gates.Rows == 1 ? 0 : row), after = left.Gates!.Row(gates.Rows == 1 ? 0 : row);
                float rest = 1 - before[without];
                for (int column = 0; column < states[0].Columns; column++)
                {
                    float expected = 0;
                    for (int i = 0; i < 3; i++)
                    {
                        Assert.Equal(i == without ? 0 : before[i] / rest, after[i], 1e-5f);
                        expected += after[i] * states[i].Row(row)[column];
                    }
                    Assert.Equal(expected, left.States.Row(row)[column], 1e-5f);
                }
            }
        }
        GC.KeepAlive(c);
    }

    [Fact]
    public void A_layer_without_gates_sees_zeros()
    {
        (FusionLayer fusion, Tensor[] states) = Load("concat");
        Tensor zeros = Tensor.Zeros(states[1].Shape);
        Compute c = new();
        Assert.Equal(fusion.Forward(c, [states[0], zeros, states[2]]).States.Span.ToArray(),
            new AblatedFusion(fusion, 1).Forward(c, states).States.Span.ToArray());
        GC.KeepAlive(c);
    }

    [Fact]
    public void A_layer_with_gates_that_does_more_than_mix_sees_zeros()
    {
        Tensor one = Tensor.From([1, 2], new Shape(1, 2)), two = Tensor.From([3, 6], new Shape(1, 2));
        Compute c = new();
        FusedStates left = new AblatedFusion(new SquaringFusion(), 1).Forward(c, [one, two, two]);
        Assert.Equal([1 + 9, 4 + 36], left.States.Span.ToArray());
        GC.KeepAlive(c);
    }

    [Fact]
    public void A_gate_that_was_all_on_the_missing_state_is_shared()
    {
        Tensor one = Tensor.From([1, 2], new Shape(1, 2)), two = Tensor.From([3, 6], new Shape(1, 2));
        Weights weights = new(Checkpoint.Of([("alpha", Tensor.From([500, -500, -500], new Shape(3)))]));
        Compute c = new();
        FusedStates left = new AblatedFusion(FusionLayer.Create("weighted", 2, weights), 0).Forward(c, [one, one, two]);
        Assert.Equal([2, 4], left.States.Span.ToArray());
        GC.KeepAlive(c);
    }

    [Fact]
    public void What_cannot_be_left_out_is_told()
    {
        (FusionLayer gated, _) = Load("gated");
        Assert.Contains("state 3", Assert.Throws<OmniFusionException>(() => new AblatedFusion(gated, 3)).Message, StringComparison.Ordinal);
        Assert.Throws<OmniFusionException>(() => new AblatedFusion(gated, -1));
        Assert.Contains("single", Assert.Throws<OmniFusionException>(() => new AblatedFusion(Load("mid").Fusion, 0)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_a_state_is_another_model_and_leaves_the_first_as_it_is()
    {
        TranslationRequest request = new() { Audio = Golden.Media("bat.wav"), TargetLanguage = "de" };
        double before = (await TinyModels.Model.ScoreAsync(request, ["a"]))[0].LogProbability;
        OmniFusionModel less = TinyModels.Model.With(new AblatedFusion(TinyModels.Model.Parts.Fusion, 0));
        Assert.NotEqual(before, (await less.ScoreAsync(request, ["a"]))[0].LogProbability, 1e-4);
        Assert.Equal(before, (await TinyModels.Model.ScoreAsync(request, ["a"]))[0].LogProbability, 1e-9);
    }

    // The sum of squares: no sum of states by gates.
    private sealed class SquaringFusion : FusionLayer
    {
        public override string Mode => "squaring";

        public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
        {
            Tensor sum = Tensor.Zeros(states[0].Shape);
            foreach (Tensor state in states)
                for (int i = 0; i < sum.Span.Length; i++)
                    sum.Span[i] += state.Span[i] * state.Span[i];
            return new FusedStates(sum, Tensor.From([1f / 3, 1f / 3, 1f / 3], new Shape(1, 3)));
        }
    }

    private static (FusionLayer Fusion, Tensor[] States) Load(string mode)
    {
        Golden golden = Golden.Load("fusion_modes");
        int width = golden.Shape("h_first")[^1];
        string prefix = $"weight.{mode}.";
        Weights weights = new(Checkpoint.Of(golden.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => (name[prefix.Length..], Tensor.From(golden.Floats(name), new Shape(golden.Shape(name)))))));
        return (FusionLayer.Create(mode, width, weights), [.. new[] { "h_first", "h_mid", "h_last" }.Select(name =>
            Tensor.From(golden.Floats(name), new Shape(golden.Floats(name).Length / width, width)))]);
    }
}
