using System.Numerics.Tensors;
using System.Text.Json;

namespace OmniFusion.Media;

/// <summary>
/// Whisper's log-mel spectrogram, as Qwen2.5-Omni listens to it: Hann window, centred frames with the start reflected, 128 slaney mel
/// bands, log10, floor at 8 below the loudest value, (x + 4) / 4. After the end of the sound there is silence, whatever its length: no
/// reflection and no limit of 300 seconds. Source: WhisperFeatureExtractor of transformers 4.56. Samples must be finite. Safe to share
/// between threads.
/// </summary>
public sealed class LogMel
{
    /// <summary>log10 of the smallest energy that is told apart from silence.</summary>
    internal const float Silence = -10;

    /// <summary>What lies further than this below the loudest value is raised to there.</summary>
    internal const float DynamicRange = 8;

    /// <summary>The factor of the normalisation.</summary>
    internal const float Scale = 0.25f;

    private const int LargestSetting = 1 << 16;

    /// <summary>Prepares the tables; the defaults are those of Whisper's 128-band models.</summary>
    /// <param name="samplingRate">Samples per second.</param>
    /// <param name="nFft">Samples in a window: even, and with no prime factor but 2 and 5.</param>
    /// <param name="hopLength">Samples from one frame to the next, at most <paramref name="nFft"/>.</param>
    /// <param name="featureSize">Mel bands.</param>
    /// <exception cref="OmniFusionException">A setting cannot be used.</exception>
    public LogMel(int samplingRate = AudioFile.ModelRate, int nFft = 400, int hopLength = 160, int featureSize = 128)
    {
        if (samplingRate is < Resampler.MinRate or > Resampler.MaxRate)
            throw new OmniFusionException(
                $"sampling_rate {samplingRate} is not usable: it must be {Resampler.MinRate} to {Resampler.MaxRate}.");
        if (nFft > LargestSetting || !LogMelFourier.Supports(nFft))
            throw new OmniFusionException(
                $"n_fft {nFft} is not usable: it must be even, made of factors 2 and 5, and at most {LargestSetting}.");
        if (hopLength < 1 || hopLength > nFft)
            throw new OmniFusionException($"hop_length {hopLength} is not usable: it must be 1 to n_fft ({nFft}).");
        if (featureSize < 1 || featureSize > nFft)
            throw new OmniFusionException($"feature_size {featureSize} is not usable: it must be 1 to n_fft ({nFft}).");
        (SamplingRate, WindowLength, HopLength, Bins) = (samplingRate, nFft, hopLength, featureSize);

        // A periodic Hann window with the roundings of torch.hann_window: in quiet bands they are what the published values show.
        Window = [.. Enumerable.Range(0, nFft).Select(i => MathF.Cos(i * (float)(2 * Math.PI / nFft)) * -0.5f + 0.5f)];
        Fourier = new LogMelFourier(nFft);
        Filters = new LogMelFilters(samplingRate, nFft / 2 + 1, featureSize);
    }

    /// <summary>Samples per second.</summary>
    public int SamplingRate { get; }

    /// <summary>Samples in a window (<c>n_fft</c>).</summary>
    public int WindowLength { get; }

    /// <summary>Samples from one frame to the next.</summary>
    public int HopLength { get; }

    /// <summary>Mel bands, the length of a row.</summary>
    public int Bins { get; }

    internal float[] Window { get; }

    internal LogMelFourier Fourier { get; }

    internal LogMelFilters Filters { get; }

    /// <summary>
    /// Reads <c>sampling_rate</c>, <c>n_fft</c>, <c>hop_length</c> and <c>feature_size</c> of a <c>preprocessor_config.json</c>.
    /// </summary>
    /// <exception cref="OmniFusionException">The file cannot be read, or a setting is missing or unusable.</exception>
    public static LogMel FromConfig(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
            int Setting(string name) => document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty(name, out JsonElement value)
                && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
                ? number
                : throw new OmniFusionException($"{path} has no whole number \"{name}\".");
            return new LogMel(Setting("sampling_rate"), Setting("n_fft"), Setting("hop_length"), Setting("feature_size"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new OmniFusionException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Frames of a sound: one for every started hop.</summary>
    public int FrameCount(int samples)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(samples);
        return (int)(((long)samples + HopLength - 1) / HopLength);
    }

    /// <summary>The normalised spectrogram of a whole sound: [<see cref="FrameCount"/>][<see cref="Bins"/>], time-major.</summary>
    /// <param name="samples">The sound at <see cref="SamplingRate"/>.</param>
    public float[] Compute(ReadOnlySpan<float> samples)
    {
        float[] output = new float[FrameCount(samples.Length) * Bins];
        Compute(samples, output);
        return output;
    }

    /// <summary>Computes the normalised spectrogram of a whole sound.</summary>
    /// <param name="samples">The sound at <see cref="SamplingRate"/>.</param>
    /// <param name="output">[<see cref="FrameCount"/>][<see cref="Bins"/>], time-major.</param>
    /// <exception cref="ArgumentException"><paramref name="output"/> has another size.</exception>
    public void Compute(ReadOnlySpan<float> samples, Span<float> output)
    {
        if (output.Length != (long)FrameCount(samples.Length) * Bins)
            throw new ArgumentException($"The output must hold {FrameCount(samples.Length)} x {Bins} values.", nameof(output));
        StreamingLogMel stream = new(this);
        int frames = stream.Push(samples, output);
        stream.Finish(output[(frames * Bins)..]);
        Normalize(output, stream.Max);
    }

    /// <summary>Turns raw log10 energies into the model's input, in place: max(x, max - 8), then (x + 4) / 4.</summary>
    /// <param name="frames">Raw frames of <see cref="StreamingLogMel"/>.</param>
    /// <param name="max">The loudest value of the whole sound, <see cref="StreamingLogMel.Max"/>.</param>
    public static void Normalize(Span<float> frames, float max)
    {
        TensorPrimitives.Max(frames, max - DynamicRange, frames);
        TensorPrimitives.Add(frames, 4, frames);
        TensorPrimitives.Multiply(frames, Scale, frames);
    }
}
