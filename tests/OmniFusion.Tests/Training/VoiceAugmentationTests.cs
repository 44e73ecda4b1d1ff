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

    [Fact]
    public void Some_readings_have_a_room_and_some_no_high_tones()
    {
        float[] click = new float[16000];
        click[4000] = 1;
        int rooms = 0, dull = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            float[] heard = VoiceAugmentation.Apply([.. click], new Random(seed));
            int direct = Array.IndexOf(heard, heard.Max());
            // The filters ring for some milliseconds, a room for at least thirty.
            if (heard.Skip(direct + 320).Any(sample => MathF.Abs(sample) > 0.002f))
                rooms++;
            // The click's spectrum at 6 kHz, which the slowest reading still has.
            double real = 0, imaginary = 0;
            for (int i = 0; i < heard.Length; i++)
            {
                real += heard[i] * Math.Cos(2 * Math.PI * 6000 * i / 16000);
                imaginary += heard[i] * Math.Sin(2 * Math.PI * 6000 * i / 16000);
            }
            if (real * real + imaginary * imaginary < 0.04)
                dull++;
        }
        Assert.InRange(rooms / 400.0, 0.2, 0.4);
        Assert.InRange(dull / 400.0, 0.03, 0.15);
    }
}
