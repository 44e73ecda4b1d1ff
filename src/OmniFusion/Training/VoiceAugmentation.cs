using OmniFusion.Media;

namespace OmniFusion.Training;

/// <summary>
/// Makes new voices of the few that synthesizers have: a reading is played faster or slower, which moves pitch and formants with it
/// (Ko et al. 2015), and goes through a filter of its own, as another mouth or microphone would be.
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
        return voice;
    }

    // A peaking second-order filter in place (R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients").
    private static void Peak(Span<float> samples, double frequency, double q, double decibels)
    {
        double a = Math.Pow(10, decibels / 40), w = 2 * Math.PI * frequency / AudioFile.ModelRate, alpha = Math.Sin(w) / (2 * q);
        double scale = 1 / (1 + alpha / a);
        float b0 = (float)((1 + alpha * a) * scale), b1 = (float)(-2 * Math.Cos(w) * scale), b2 = (float)((1 - alpha * a) * scale);
        float a2 = (float)((1 - alpha / a) * scale), first = 0, second = 0;
        foreach (ref float sample in samples)
        {
            float x = sample, y = b0 * x + first;
            // The filter's first feedback and feed-forward coefficients are the same.
            first = b1 * (x - y) + second;
            second = b2 * x - a2 * y;
            sample = y;
        }
    }
}
