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
        Assert.True(ratio > 100, $"signal-to-error ratio {ratio:F1} dB");
    }

    [Fact]
    public void Blocks_give_the_whole_sound_bit_by_bit() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(
        ArbMap.Default.ArbFor<(int Rate, PositiveInt Length, PositiveInt[] Blocks)>(), input =>
        {
            int[] rates = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000];
            int rate = rates[(int)((uint)input.Rate % rates.Length)];
            float[] samples = Tone(rate, 440, input.Length.Get * 977 % 30000);
            ArrayBufferWriter<float> output = new();
            Resampler resampler = new(rate);
            for (int sound = 0; sound < 2; sound++)
            {
                output.ResetWrittenCount();
                for (int at = 0, i = 0; at < samples.Length; i++)
                {
                    int block = input.Blocks.Length == 0 ? 1000 : Math.Max(1, input.Blocks[i % input.Blocks.Length].Get * 331 % 20000);
                    resampler.Push(samples.AsSpan(at, Math.Min(block, samples.Length - at)), output);
                    at += block;
                }

                resampler.Flush(output);
                Assert.Equal(Resampler.Resample(samples, rate), output.WrittenSpan.ToArray());
            }
        }));

    [Theory]
    [InlineData(8000)]
    [InlineData(11025)]
    [InlineData(12345)]
    [InlineData(22050)]
    [InlineData(48000)]
    [InlineData(96000)]
    public void A_tone_of_the_pass_band_keeps_its_height_and_its_time(int rate)
    {
        double frequency = 0.45 * Math.Min(rate, 16000) * 0.98;
        float[] actual = Resampler.Resample(Tone(rate, frequency, rate / 4), rate);
        float[] expected = Tone(16000, frequency, actual.Length);
        Assert.Equal((rate / 4 * 16000L + rate - 1) / rate, actual.Length);
        double ratio = SignalToError(expected, actual, 400);
        Assert.True(ratio > 90, $"signal-to-error ratio {ratio:F1} dB");
    }

    [Theory]
    [InlineData(24000, 8100)]
    [InlineData(48000, 8100)]
    [InlineData(48000, 15000)]
    [InlineData(44100, 21000)]
    public void What_16_kHz_cannot_hold_is_gone(int rate, double frequency)
    {
        float[] actual = Resampler.Resample(Tone(rate, frequency, rate / 4), rate);
        Assert.All(actual[400..^400], x => Assert.InRange(x, -3e-6f, 3e-6f));
    }

    [Theory]
    [InlineData(8000)]
    [InlineData(44100)]
    public void A_constant_stays(int rate)
    {
        float[] samples = new float[rate / 4];
        Array.Fill(samples, 0.25f);
        Assert.All(Resampler.Resample(samples, rate)[400..^400], x => Assert.Equal(0.25f, x, 1e-6f));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(441)]
    public void Any_length_works(int length)
    {
        Assert.Equal((length * 16000 + 44099) / 44100, Resampler.Resample(Tone(44100, 440, length), 44100).Length);
        Assert.Equal(Tone(16000, 440, length), Resampler.Resample(Tone(16000, 440, length), 16000));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-16000)]
    [InlineData(int.MaxValue)]
    public void An_unusable_rate_is_named(int rate) =>
        Assert.Contains($" {rate} ", Assert.Throws<OmniFusionException>(() => new Resampler(rate)).Message);

    private static float[] Tone(int rate, double frequency, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * frequency * i / rate + 0.3)))];

    private static double SignalToError(float[] expected, float[] actual, int margin = 160)
    {
        double signal = 0, error = 0;
        for (int i = margin; i < expected.Length - margin; i++)
        {
            signal += (double)expected[i] * expected[i];
            error += Math.Pow(expected[i] - actual[i], 2);
        }

        return 10 * Math.Log10(signal / error);
    }
}
