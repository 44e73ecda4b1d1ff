using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public class VoiceAugmentationTests
{
    [Fact]
    public void A_reading_depends_on_the_seed_alone_and_stays_finite()
    {
        float[] tone = [.. Enumerable.Range(0, 16000).Select(i => 0.3f * MathF.Sin(2 * MathF.PI * 300 * i / 16000))];
        HashSet<int> lengths = [];
        for (int seed = 0; seed < 40; seed++)
        {
            float[] voice = VoiceAugmentation.Apply([.. tone], new Random(seed));
            Assert.Equal(voice, VoiceAugmentation.Apply([.. tone], new Random(seed)));
            Assert.All(voice, sample => Assert.True(MathF.Abs(sample) < 4));
            Assert.InRange(voice.Length, 16000 / 1.25, 16000 / 0.83);
            lengths.Add(voice.Length);
        }
        Assert.True(lengths.Count > 5, "speeds are drawn");
    }

    [Fact]
    public void A_faster_reading_is_higher()
    {
        float[] tone = [.. Enumerable.Range(0, 16000).Select(i => MathF.Sin(2 * MathF.PI * 300 * i / 16000))];
        for (int seed = 0; seed < 10; seed++)
        {
            float[] voice = VoiceAugmentation.Apply([.. tone], new Random(seed));
            int crossings = Enumerable.Range(1, voice.Length - 1).Count(i => voice[i - 1] < 0 && voice[i] >= 0);
            // The whole tone has 300 periods, however long it takes; filters move at most the ends.
            Assert.InRange(crossings, 297, 303);
        }
    }
}
