using OmniFusion.Tests.Checkpoints;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public class NameSentencesTests
{
    [Fact]
    public void NamesForTestingAreNeverTrainedWith()
    {
        using TemporaryFolder folder = new();
        (int train, int test) = NameSentences.Write(folder.Path, 3, seed: 5);
        string[] trained = Read("names_train.terms"), tested = Read("names_test.terms");
        Assert.Equal((trained.Length, tested.Length), (train, test));
        Assert.Empty(trained.Intersect(tested));
        Assert.InRange((double)train / test, 6, 8);
        foreach (string part in new[] { "names_train.", "names_test." })
            foreach (string language in new[] { "en", "de", "fr", "cs" })
            {
                string[] lines = Read(part + language);
                Assert.All(lines.Zip(Read(part + "terms")), line => Assert.Contains(line.Second, line.First));
                Assert.DoesNotContain(lines, line => line.Contains('{', StringComparison.Ordinal));
                // No sentence of a name twice.
                Assert.Equal(lines.Length, lines.Distinct().Count());
            }
        NameSentences.Write(folder["again"], 3, seed: 5);
        Assert.Equal(Read("names_test.de"), File.ReadAllLines(folder["again/names_test.de"]));

        string[] Read(string name) => File.ReadAllLines(folder[name]);
    }
}
