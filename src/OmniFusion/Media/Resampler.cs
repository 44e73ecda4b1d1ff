using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OmniFusion.Media;

/// <summary>
/// Changes the sample rate of one channel: a linear-phase windowed sinc, as a polyphase filter over the exact rational ratio. Pass band,
/// stop band and attenuation are those of the soxr library's HQ recipe, which the published system uses (flat to 0.9136 of the lower
/// Nyquist frequency, closed at Nyquist, 20-bit accuracy). Blocks go in and come out as they are ready; how the sound is cut into
/// blocks changes no bit of the result.
/// </summary>
public sealed class Resampler
{
    /// <summary>The lowest rate accepted, in samples per second.</summary>
    public const int MinRate = 4000;

    /// <summary>The highest rate accepted, in samples per second.</summary>
    public const int MaxRate = 192000;

    private const int PieceSamples = 1 << 14;

    // Every usual rate has fewer (11025 to 16000 Hz: 640); a strange one takes tens of megabytes, which go when its sound is done.
    private const int MostCachedPhases = 1000;

    private static readonly ConcurrentDictionary<(int Up, int Down), Filter> Filters = new();

    private readonly Filter? _filter;
    private readonly float[] _window;
    private int _held;
    private long _windowStart;
    private long _pushed;
    private long _produced;

    /// <summary>Prepares one sound's conversion; the filter of a usual ratio is computed once per process.</summary>
    /// <param name="fromRate">Samples per second that go in.</param>
    /// <param name="toRate">Samples per second that come out.</param>
    /// <exception cref="OmniFusionException">A rate is below <see cref="MinRate"/> or above <see cref="MaxRate"/>.</exception>
    public Resampler(int fromRate, int toRate = AudioFile.ModelRate)
    {
        foreach (int rate in (ReadOnlySpan<int>)[fromRate, toRate])
            if (rate is < MinRate or > MaxRate)
                throw new OmniFusionException($"A sample rate of {rate} is not usable: it must be {MinRate} to {MaxRate}.");
        int divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(fromRate, toRate);
        (Up, Down) = (toRate / divisor, fromRate / divisor);
        if (Up != Down)
            _filter = Up > MostCachedPhases
                ? new Filter(Up, Down)
                : Filters.GetOrAdd((Up, Down), static ratio => new Filter(ratio.Up, ratio.Down));
        _window = new float[(_filter?.Taps ?? 0) + PieceSamples];
        Reset();
    }

    private int Up { get; }

    private int Down { get; }

    /// <summary>How many samples come out of <paramref name="inputLength"/> in all: the ratio, rounded up.</summary>
    public long OutputLength(long inputLength) => (inputLength * Up + Down - 1) / Down;

    /// <summary>Converts a whole sound.</summary>
    /// <returns><see cref="OutputLength"/> samples; the first is at the time of the first input sample.</returns>
    /// <exception cref="OmniFusionException">A rate is not usable.</exception>
    public static float[] Resample(ReadOnlySpan<float> samples, int fromRate, int toRate = AudioFile.ModelRate)
    {
        Resampler resampler = new(fromRate, toRate);
        AudioSamples output = new("The sound", resampler.OutputLength(samples.Length));
        resampler.Push(samples, output);
        resampler.Flush(output);
        return output.ToArray();
    }

    /// <summary>Takes the next samples and writes every output sample that no later input can change.</summary>
    public void Push(ReadOnlySpan<float> samples, IBufferWriter<float> output)
    {
        _pushed += samples.Length;
        if (_filter is null)
            output.Write(samples);
        else
            Convert(samples, output, long.MaxValue);
    }

    /// <summary>Ends the sound: writes the rest, as if silence followed. The next push begins a new sound.</summary>
    public void Flush(IBufferWriter<float> output)
    {
        if (_filter is not null)
        {
            long total = OutputLength(_pushed);
            ReadOnlySpan<float> silence = new float[_filter.Taps];
            while (_produced < total)
                Convert(silence, output, total);
        }

        Reset();
    }

    // The window begins with the half filter of silence that lies before the sound.
    private void Reset()
    {
        (_pushed, _produced) = (0, 0);
        _held = _filter is null ? 0 : _filter.Taps / 2 - 1;
        _windowStart = -_held;
        Array.Clear(_window);
    }

    private void Convert(ReadOnlySpan<float> samples, IBufferWriter<float> output, long end)
    {
        while (!samples.IsEmpty)
        {
            int take = Math.Min(samples.Length, _window.Length - _held);
            samples[..take].CopyTo(_window.AsSpan(_held));
            samples = samples[take..];
            _held += take;
            Produce(output, end);
        }
    }

    private void Produce(IBufferWriter<float> output, long end)
    {
        int taps = _filter!.Taps;

        // Output k rests on the input up to floor(k * Down / Up) + taps / 2, all of which must be here.
        long reached = Math.Max(0, _windowStart + _held - taps / 2);
        int ready = (int)(Math.Min(end, OutputLength(reached)) - _produced);
        if (ready > 0)
        {
            Span<float> target = output.GetSpan(ready);
            for (int i = 0; i < ready; i++, _produced++)
            {
                (long whole, long phase) = Math.DivRem(_produced * Down, Up);
                target[i] = _filter.Apply(_window.AsSpan((int)(whole - taps / 2 + 1 - _windowStart), taps), (int)phase);
            }

            output.Advance(ready);
        }

        long next = Math.Min(_held, _produced * Down / Up - taps / 2 + 1 - _windowStart);
        _window.AsSpan((int)next, _held - (int)next).CopyTo(_window);
        _windowStart += next;
        _held -= (int)next;
    }

    /// <summary>The taps of every phase, side by side: [phase][tap].</summary>
    private sealed class Filter
    {
        // soxr HQ: 20 bits; its pass band ends where the roll-off to Nyquist begins (soxr.c, soxr_quality_spec), 0.9136 for 120.4 dB.
        private const double Attenuation = 126.4;
        private const double PassBand = 0.9136;

        private readonly float[] _taps;

        public Filter(int up, int down)
        {
            // Frequencies in units of the input's Nyquist frequency.
            double nyquist = Math.Min(1.0, (double)up / down);
            double width = (1 - PassBand) * nyquist, cutoff = nyquist - width / 2;
            double half = (Attenuation - 7.95) / (2.285 * Math.PI * width) / 2;
            double beta = 0.1102 * (Attenuation - 8.7), scale = 1 / Bessel(beta);
            int lanes = Vector256<float>.Count * 2;
            Taps = ((int)Math.Ceiling(2 * half) + 2 + lanes - 1) / lanes * lanes;
            _taps = new float[checked(up * Taps)];
            double[] phaseTaps = new double[Taps];
            for (int phase = 0; phase < up; phase++)
            {
                double sum = 0;
                for (int i = 0; i < Taps; i++)
                {
                    double distance = i - Taps / 2 + 1 - (double)phase / up, place = distance / half;
                    double angle = Math.PI * cutoff * distance;
                    double sinc = distance == 0 ? 1 : Math.Sin(angle) / angle;
                    phaseTaps[i] = Math.Abs(place) >= 1 ? 0 : sinc * Bessel(beta * Math.Sqrt(1 - place * place)) * scale;
                    sum += phaseTaps[i];
                }

                for (int i = 0; i < Taps; i++)
                    _taps[phase * Taps + i] = (float)(phaseTaps[i] / sum);
            }
        }

        public int Taps { get; }

        public float Apply(ReadOnlySpan<float> samples, int phase)
        {
            ref float x = ref MemoryMarshal.GetReference(samples), h = ref _taps[phase * Taps];
            Vector256<float> even = default, odd = default;
            for (int i = 0; i < Taps; i += 2 * Vector256<float>.Count)
            {
                int j = i + Vector256<float>.Count;
                even = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref x, (nuint)i), Vector256.LoadUnsafe(ref h, (nuint)i), even);
                odd = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref x, (nuint)j), Vector256.LoadUnsafe(ref h, (nuint)j), odd);
            }

            return Vector256.Sum(even + odd);
        }

        // The modified Bessel function of order 0, by its power series.
        private static double Bessel(double x)
        {
            double sum = 1, term = 1;
            for (int k = 1; term > 1e-17 * sum; k++)
            {
                term *= x / (2 * k) * (x / (2 * k));
                sum += term;
            }

            return sum;
        }
    }
}
