using OmniFusion.Tests.Checkpoints;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public class TrainingPlotTests
{
    [Fact]
    public void ADamagedLineOfTheLogIsNamed()
    {
        using TemporaryFolder folder = new();
        string log = folder.Write("log.jsonl", "{\"step\":1,\"loss\":2}\n{\"step\":");
        string message = Assert.Throws<OmniFusionException>(() => TrainingPlot.Write(log, folder["log.svg"], "made")).Message;
        Assert.Equal($"Line 2 of {log} is not JSON.", message);
        Assert.False(File.Exists(folder["log.svg"]));
    }
}
