using FsCheck;
using FsCheck.Fluent;
using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

public class AudioLogMelTests
{
    private static readonly LogMel Whisper = new();

    [Theory]
    [InlineData("logmel_bat")]
    [InlineData("logmel_speaker")]
    public void Equals_the_published_feature_extractor(string name)
    {
        Golden golden = Golden.Load(name);
        float[] samples = AudioFile.ReadMono16k(Golden.Media(golden.Json.GetProperty("source").GetString()!));
        int frames = golden.Json.GetProperty("frames").GetInt32();
        Assert.Equal(frames, Whisper.FrameCount(samples.Length));
        float[] actual = Whisper.Compute(samples), expected = golden.Floats("logmel");
        float worst = 0;
        for (int t = 0; t < frames; t++)
            for (int bin = 0; bin < Whisper.Bins; bin++)
                worst = Math.Max(worst, Math.Abs(actual[t * Whisper.Bins + bin] - expected[bin * frames + t]));
        Assert.True(worst < 1e-4, $"worst difference {worst}");
    }

    [Fact]
    public void Streaming_then_normalising_is_the_whole_sound_bit_by_bit() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(40),
        Prop.ForAll(ArbMap.Default.ArbFor<(int Seed, PositiveInt Length, PositiveInt[] Blocks)>(), input =>
        {
            float[] samples = Noise(input.Seed, input.Length.Get * 97 % 20000);
            float[] expected = Whisper.Compute(samples);
            StreamingLogMel stream = new(Whisper);
            List<float> raw = [];
            int at = 0;
            for (int i = 0; at < samples.Length; i++)
            {
                int block = input.Blocks.Length == 0 ? 1600 : input.Blocks[i % input.Blocks.Length].Get * 37 % 3000;
                block = Math.Min(Math.Max(block, 1), samples.Length - at);
                float[] rows = new float[stream.FramesAfter(block) * Whisper.Bins];
                Assert.Equal(rows.Length, stream.Push(samples.AsSpan(at, block), rows) * Whisper.Bins);
                raw.AddRange(rows);
                at += block;
            }

            float[] last = new float[stream.FramesLeft * Whisper.Bins];
            Assert.Equal(last.Length, stream.Finish(last) * Whisper.Bins);
            float[] actual = [.. raw, .. last];
            LogMel.Normalize(actual, stream.Max);
            Assert.Equal(expected, actual);
        }));

    [Theory]
    [InlineData(400, 160, 16000)]
    [InlineData(512, 128, 16000)]
    [InlineData(80, 80, 8000)]
    public void Equals_the_definition_computed_in_double(int nFft, int hop, int rate)
    {
        LogMel mel = new(rate, nFft, hop, 40);
        float[] samples = Noise(nFft, 5 * nFft + 33);
        float[] actual = mel.Compute(samples);
        double[] expected = Definition(samples, nFft, hop, rate, 40);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < actual.Length; i++)
            Assert.Equal(expected[i], actual[i], 2e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(160)]
    [InlineData(161)]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(16000)]
    public void Silence_is_finite_and_even(int samples)
    {
        float[] frames = Whisper.Compute(new float[samples]);
        Assert.Equal((samples + 159) / 160 * 128, frames.Length);
        Assert.All(frames, x => Assert.Equal(-1.5f, x));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(150)]
    [InlineData(201)]
    public void A_sound_shorter_than_a_window_follows_the_definition(int length)
    {
        float[] samples = Noise(length, length), actual = Whisper.Compute(samples);
        double[] expected = Definition(samples, 400, 160, 16000, 128);
        for (int i = 0; i < actual.Length; i++)
            Assert.Equal(expected[i], actual[i], 5e-5);
    }

    [Fact]
    public void No_sound_has_no_frames() => Assert.Empty(Whisper.Compute([]));

    [Fact]
    public void More_than_300_seconds_is_not_cut()
    {
        const int Seconds = 302;
        float[] samples = new float[Seconds * 16000];
        Noise(1, 8000).CopyTo(samples, samples.Length - 8000);
        float[] frames = Whisper.Compute(samples);
        Assert.Equal(Seconds * 100 * 128, frames.Length);
        Assert.True(frames[^(128 * 20)] > frames[0]);
    }

    [Fact]
    public void What_comes_after_the_last_frame_still_counts_for_the_loudest_value()
    {
        // The click lies in the last hop, where the window of the last frame is weak and that of the frame after it strong.
        float[] samples = new float[1600];
        samples[1599] = 1;
        double[] expected = Definition(samples, 400, 160, 16000, 128);
        float[] actual = Whisper.Compute(samples);
        for (int i = 0; i < actual.Length; i++)
            Assert.Equal(expected[i], actual[i], 5e-5);
        double[] raw = Definition(samples, 400, 160, 16000, 128, raw: true);
        Assert.True(raw[..actual.Length].Max() < raw.Max() - 0.5);
    }

    [Fact]
    public void Settings_come_from_the_preprocessor_config()
    {
        LogMel mel = LogMel.FromConfig(Path.Combine(Golden.Tiny("omni"), "preprocessor_config.json"));
        Assert.Equal((16000, 400, 160, 128), (mel.SamplingRate, mel.WindowLength, mel.HopLength, mel.Bins));
    }

    [Theory]
    [InlineData(16000, 401, 160, 128, "n_fft")]
    [InlineData(16000, 0, 160, 128, "n_fft")]
    [InlineData(16000, int.MaxValue, 160, 128, "n_fft")]
    [InlineData(16000, 400, 0, 128, "hop_length")]
    [InlineData(16000, 400, 401, 128, "hop_length")]
    [InlineData(16000, 400, 160, 0, "feature_size")]
    [InlineData(16000, 400, 160, int.MaxValue, "feature_size")]
    [InlineData(0, 400, 160, 128, "sampling_rate")]
    public void Unusable_settings_are_named(int rate, int nFft, int hop, int bins, string setting) =>
        Assert.StartsWith(setting, Assert.Throws<OmniFusionException>(() => new LogMel(rate, nFft, hop, bins)).Message);

    [Theory]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"sampling_rate\": 16000, \"n_fft\": 400.5, \"hop_length\": 160, \"feature_size\": 128}")]
    [InlineData("{\"sampling_rate\": 16000, \"n_fft\"")]
    public void A_broken_config_is_named(string json)
    {
        using AudioTestFolder folder = new();
        string path = folder.Write("preprocessor_config.json", System.Text.Encoding.UTF8.GetBytes(json));
        Assert.Contains(path, Assert.Throws<OmniFusionException>(() => LogMel.FromConfig(path)).Message);
    }

    [Fact]
    public void A_finished_stream_takes_nothing_more()
    {
        StreamingLogMel stream = new(Whisper);
        stream.Finish([]);
        Assert.Throws<InvalidOperationException>(() => stream.Push(new float[10], []));
        Assert.Throws<ArgumentException>(() => new StreamingLogMel(Whisper).Push(new float[1000], []));
        Assert.Throws<ArgumentException>(() => Whisper.Compute(new float[1000], new float[5]));
    }

    private static float[] Noise(int seed, int length)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)];
    }

    // Straight from the formulas, with a DFT by its sum; only the window has single precision, as in the published computation.
    private static double[] Definition(float[] samples, int nFft, int hop, int rate, int bands, bool raw = false)
    {
        int pad = nFft / 2, frames = (samples.Length + hop - 1) / hop, all = (samples.Length + pad + hop - 1) / hop;
        double At(int i) => Math.Abs(i) < samples.Length ? samples[Math.Abs(i)] : 0;
        double Hertz(double mel) => mel < 15 ? mel * 200 / 3 : 1000 * Math.Exp((mel - 15) * Math.Log(6.4) / 27);
        double top = 15 + Math.Log(8) * 27 / Math.Log(6.4);
        double[] log = new double[all * bands];
        float[] window = [.. Enumerable.Range(0, nFft).Select(i => MathF.Cos(i * (float)(2 * Math.PI / nFft)) * -0.5f + 0.5f)];
        for (int t = 0; t < all; t++)
        {
            double[] power = new double[pad + 1];
            for (int k = 0; k <= pad; k++)
            {
                double re = 0, im = 0;
                for (int i = 0; i < nFft; i++)
                {
                    double x = At(t * hop - pad + i) * window[i];
                    re += x * Math.Cos(2 * Math.PI * i * k / nFft);
                    im += x * Math.Sin(2 * Math.PI * i * k / nFft);
                }

                power[k] = re * re + im * im;
            }

            for (int band = 0; band < bands; band++)
            {
                double low = Hertz(top * band / (bands + 1)), peak = Hertz(top * (band + 1) / (bands + 1));
                double high = Hertz(top * (band + 2) / (bands + 1));
                double energy = 0;
                for (int k = 0; k <= pad; k++)
                {
                    double f = (double)rate * k / nFft;
                    energy += power[k] * Math.Max(0, Math.Min((f - low) / (peak - low), (high - f) / (high - peak))) * 2 / (high - low);
                }

                log[t * bands + band] = Math.Log10(Math.Max(energy, 1e-10));
            }
        }

        double floor = log.Max() - 8;
        return raw ? log : [.. log.Take(frames * bands).Select(x => (Math.Max(x, floor) + 4) / 4)];
    }
}
