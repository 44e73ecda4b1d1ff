using System.Runtime.Intrinsics;

namespace OmniFusion.Media;

/// <summary>
/// The triangular filters of the slaney mel scale with slaney (constant energy) normalisation, 0 to 8000 Hz, kept without their zeros.
/// Source: <c>mel_filter_bank</c> of transformers 4.56, as WhisperFeatureExtractor calls it.
/// </summary>
internal sealed class LogMelFilters
{
    private const double TopFrequency = 8000;
    private const double LinearTop = 1000, LinearStep = 200.0 / 3, LogStart = 15;
    private static readonly double LogStep = Math.Log(6.4) / 27;

    private readonly (int FirstBin, float[] Weights)[] _filters;

    public LogMelFilters(int sampleRate, int spectrumBins, int count)
    {
        double top = ToMel(TopFrequency);
        double[] corners = [.. Enumerable.Range(0, count + 2).Select(i => ToHertz(top * i / (count + 1)))];
        double[] bins = [.. Enumerable.Range(0, spectrumBins).Select(i => sampleRate / 2 * (double)i / (spectrumBins - 1))];
        _filters = new (int, float[])[count];
        for (int i = 0; i < count; i++)
        {
            (double low, double peak, double high) = (corners[i], corners[i + 1], corners[i + 2]);
            float[] weights = [.. bins.Select(f => (float)(Math.Max(0, Math.Min((f - low) / (peak - low), (high - f) / (high - peak)))
                * (2 / (high - low))))];
            int first = Math.Max(0, Array.FindIndex(weights, w => w != 0)), last = Array.FindLastIndex(weights, w => w != 0);
            _filters[i] = (first, last < 0 ? [] : weights[first..(last + 1)]);
        }
    }

    /// <summary>The energy of one mel band.</summary>
    public Vector256<float> Apply(int band, ReadOnlySpan<Vector256<float>> power)
    {
        (int first, float[] weights) = _filters[band];
        Vector256<float> sum = default;
        ReadOnlySpan<Vector256<float>> part = power.Slice(first, weights.Length);
        for (int i = 0; i < weights.Length; i++)
            sum += part[i] * weights[i];
        return sum;
    }

    private static double ToMel(double hertz) =>
        hertz < LinearTop ? hertz / LinearStep : LogStart + Math.Log(hertz / LinearTop) / LogStep;

    private static double ToHertz(double mel) =>
        mel < LogStart ? mel * LinearStep : LinearTop * Math.Exp((mel - LogStart) * LogStep);
}
