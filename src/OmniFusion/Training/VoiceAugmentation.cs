using System.Numerics.Tensors;
using OmniFusion.Media;

namespace OmniFusion.Training;

/// <summary>
/// Makes new voices of the few that synthesizers have: a reading is played faster or slower, which moves pitch and formants with it
/// (Ko et al. 2015), and goes through a filter of its own, as another mouth or microphone would be; some are spoken in a room, some
/// over a line that carries no high tones.
/// </summary>
internal static class VoiceAugmentation
{
    // Played at 0.84 to 1.24 of the recorded speed, in steps for which the resampler keeps its filters.
    private const int SlowestRate = 13_440, FastestRate = 19_840, RateStep = 640;

    /// <summary>A new waveform, 16 kHz like the old one.</summary>
    internal static float[] Apply(float[] samples, Random random)
    {
        int rate = SlowestRate + RateStep * random.Next((FastestRate - SlowestRate) / RateStep + 1);
        float[] voice = rate == AudioFile.ModelRate ? samples : Resampler.Resample(samples, rate, AudioFile.ModelRate);
        for (int filter = 0; filter < 2; filter++)
        {
            double frequency = 200 * Math.Pow(30, random.NextDouble()), width = 0.4 + random.NextDouble(), decibels = 20 * random.NextDouble() - 10;
            Peak(voice, frequency, width, decibels);
        }
        if (random.NextDouble() < 0.3)
            Reverberate(voice, random);
        if (random.NextDouble() < 0.15)
            LowPass(voice, 2500 + 4500 * random.NextDouble());
        return voice;
    }

    // A room as a few dozen echoes within 30 to 250 ms, fading by 40 dB over that time, together 20 to 2 dB below the voice:
    // enough to smear one sound into the next, and far cheaper than to convolve with a measured one.
    private static void Reverberate(float[] voice, Random random)
    {
        const int Echoes = 24;
        int span = (int)(AudioFile.ModelRate * (0.03 + 0.22 * random.NextDouble()));
        double loudness = Math.Pow(10, -(2 + 18 * random.NextDouble()) / 20);
        (int Delay, double Gain)[] echoes = new (int, double)[Echoes];
        double power = 0;
        foreach (ref (int Delay, double Gain) echo in echoes.AsSpan())
        {
            double when = random.NextDouble();
            echo = (1 + (int)(span * when), (random.NextDouble() < 0.5 ? -1 : 1) * Math.Pow(10, -2 * when));
            power += echo.Gain * echo.Gain;
        }
        float[] direct = [.. voice];
        foreach ((int delay, double gain) in echoes)
        {
            if (delay < voice.Length)
            {
                Span<float> late = voice.AsSpan(delay);
                TensorPrimitives.MultiplyAdd(direct.AsSpan(0, late.Length), (float)(gain * loudness / Math.Sqrt(power)), late, late);
            }
        }
    }

    // A peaking second-order filter (R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients").
    private static void Peak(Span<float> samples, double frequency, double q, double decibels)
    {
        double a = Math.Pow(10, decibels / 40), w = 2 * Math.PI * frequency / AudioFile.ModelRate, alpha = Math.Sin(w) / (2 * q);
        double scale = 1 / (1 + alpha / a), b1 = -2 * Math.Cos(w) * scale;
        Filter(samples, (1 + alpha * a) * scale, b1, (1 - alpha * a) * scale, b1, (1 - alpha / a) * scale);
    }

    // Two second-order low-pass filters in a row (the same source), 24 dB an octave.
    private static void LowPass(Span<float> samples, double frequency)
    {
        double w = 2 * Math.PI * frequency / AudioFile.ModelRate, alpha = Math.Sin(w) / Math.Sqrt(2), scale = 1 / (1 + alpha);
        double b = (1 - Math.Cos(w)) / 2 * scale;
        for (int stage = 0; stage < 2; stage++)
            Filter(samples, b, 2 * b, b, -2 * Math.Cos(w) * scale, (1 - alpha) * scale);
    }

    // y[t] = b0 x[t] + b1 x[t-1] + b2 x[t-2] - a1 y[t-1] - a2 y[t-2], in place.
    private static void Filter(Span<float> samples, double b0, double b1, double b2, double a1, double a2)
    {
        (float feed, float feed1, float feed2, float back1, float back2) = ((float)b0, (float)b1, (float)b2, (float)a1, (float)a2);
        float first = 0, second = 0;
        foreach (ref float sample in samples)
        {
            float x = sample, y = feed * x + first;
            first = feed1 * x - back1 * y + second;
            second = feed2 * x - back2 * y;
            sample = y;
        }
    }
}
