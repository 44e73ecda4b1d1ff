using System.Text.Json.Nodes;
using OmniFusion.Models;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public sealed class PooledTrainingTests(TinyTraining tiny) : IClassFixture<TinyTraining>
{
    [Fact]
    public void AFusionOfFewerRowsIsTrainedLikeEveryOther()
    {
        tiny.MakeParts();
        Recipe recipe = tiny.Recipe("fusion", "pooled", "fusion_mode: pooled\ntext_every: 0\nsteps: 14");
        double[] losses = [.. tiny.Train(recipe).Where(line => line.ContainsKey("fused_loss")).Select(line => Loss(line))];
        Assert.True(losses[^3..].Average() < losses[..3].Average(), string.Join(", ", losses));
        Assert.Equal("pooled", OmniFusionModel.Load(recipe.Output).Parts.Fusion.Mode);

        static double Loss(JsonObject line) => line["fused_loss"]!.GetValue<double>() / line["fused_steps"]!.GetValue<double>();
    }
}
