using OmniFusion.Checkpoints;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class TowerTests
{
    private static readonly ImageGrid s_grid = new(1, 8, 8);

    [Fact]
    public void A_frozen_tower_is_not_recorded()
    {
        (VisionTower tower, Weights weights, Compute c, Tensor patches) = Learning();
        Assert.True(tower.Forward(c, patches, [s_grid]).RequiresGrad);
        foreach (Tensor weight in weights.Taken.Values)
            weight.Freeze();
        Assert.False(tower.Forward(c, patches, [s_grid]).RequiresGrad);
    }

    [Fact]
    public void A_tower_that_learns_hands_its_first_matrix_a_gradient()
    {
        (VisionTower tower, Weights weights, Compute c, Tensor patches) = Learning();
        for (int i = 0; i < patches.Count; i++)
            patches.Span[i] = MathF.Sin(i);
        Tensor tokens = tower.Forward(c, patches, [s_grid]);
        c.Backward(c.CrossEntropy(tokens, Enumerable.Repeat(0, tokens.Rows).ToArray()));
        Assert.True(weights.Taken["thinker.visual.patch_embed.proj.weight"].Grad!.Span.ContainsAnyExcept(0f));
    }

    [Fact]
    public void What_the_towers_need_on_the_way_is_given_back()
    {
        ThinkerInput[] inputs = TinyModels.Inputs("thinker_audio_image");
        Compute c = new();
        ThinkerBatch batch = TinyModels.Thinker.Prepare(inputs);
        Tensor embedded = TinyModels.Thinker.Embed(c, inputs, batch);
        Assert.Equal(new Shape(batch.Ids.Length, TinyModels.Thinker.HiddenSize), embedded.Shape);
        Assert.Equal(1, c.Arena.Position.Tensors);

        c.Arena.Reset();
        TinyModels.Thinker.AudioTower.EncodeChunks(
            c, Tensor.Zeros(new Shape(20, TinyModels.Config.AudioConfig.NumMelBins)), new Segments(20));
        Assert.Equal(1, c.Arena.Position.Tensors);
    }

    private static (VisionTower Tower, Weights Weights, Compute Compute, Tensor Patches) Learning()
    {
        Weights weights = new Weights(Checkpoint.Open(Golden.Tiny("omni")), trainable: true).Under("thinker.visual");
        VisionTower tower = new(TinyModels.Config.VisionConfig!, weights);
        return (tower, weights, new Compute() { Tape = new Tape() }, Tensor.Zeros(new Shape(s_grid.Patches, tower.PatchLength)));
    }
}
