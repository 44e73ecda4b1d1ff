using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

public class AudioResamplerTests
{
    [Theory]
    [InlineData("resample_stereo44k")]
    [InlineData("resample_tone24k_s24")]
    [InlineData("resample_tone8k_f32")]
    public void Equals_the_published_resampler(string name)
    {
        Golden golden = Golden.Load(name);
        float[] actual = AudioFile.ReadMono16k(Golden.Media(golden.Json.GetProperty("source").GetString()!));
        float[] expected = golden.Floats("mono16k");
        Assert.Equal(expected.Length, actual.Length);
        double ratio = SignalToError(expected, actual);
        Assert.True(ratio > 60, $"signal-to-error ratio {ratio:F1} dB");
    }

    private static double SignalToError(float[] expected, float[] actual)
    {
        double signal = 0, error = 0;
        for (int i = 160; i < expected.Length - 160; i++)
        {
            signal += (double)expected[i] * expected[i];
            error += Math.Pow(expected[i] - actual[i], 2);
        }

        return 10 * Math.Log10(signal / error);
    }
}
