using OmniFusion.Checkpoints;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public sealed class FrozenTranslatorTests(TinyTraining tiny) : IClassFixture<TinyTraining>
{
    [Fact]
    public void ATranslatorWhoseTokenizerEndsATextInAnotherWayIsRefused()
    {
        tiny.MakeParts();
        Assert.Equal(2, FrozenTranslator.Open(tiny["translator"]).End);
        ModelFolder.Copy(tiny["translator"], tiny["other"], _ => true);
        string config = tiny["other/config.json"];
        (MistralConfig.Load(config) with { EosTokenIds = [7, 2] }).Save(config);
        string message = Assert.Throws<OmniFusionException>(() => FrozenTranslator.Open(tiny["other"])).Message;
        Assert.Contains($"{tiny["other"]} ends a text with token 2, but config.json with 7, 2", message, StringComparison.Ordinal);
        Assert.Throws<OmniFusionException>(() => TrainingStages.Open(tiny.Recipe("fusion", "otherwise", $"translator: {tiny["other"]}")));
    }
}
