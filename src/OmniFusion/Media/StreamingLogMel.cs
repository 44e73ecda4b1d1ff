using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lanes = System.Runtime.Intrinsics.Vector256<float>;

namespace OmniFusion.Media;

/// <summary>
/// The log-mel spectrogram of a sound that is still arriving: raw log10 energies, each frame as soon as nothing can change it any more,
/// and the loudest value so far. <see cref="LogMel.Normalize"/> with the final <see cref="Max"/> makes of them exactly what
/// <see cref="LogMel.Compute(ReadOnlySpan{float})"/> gives, however the sound was cut into blocks. For one sound, one thread.
/// </summary>
public sealed class StreamingLogMel
{
    private const int BufferedHops = 64;
    private static readonly float Log10Of2 = (float)Math.Log10(2);

    private readonly LogMel _settings;
    private readonly int _pad;
    private float[] _buffer;
    private readonly Lanes[] _real;
    private readonly Lanes[] _imaginary;
    private readonly Lanes[] _spareReal;
    private readonly Lanes[] _spareImaginary;
    private readonly Lanes[] _power;
    private int _held;
    private long _samples;
    private long _frames;
    private bool _begun;
    private bool _finished;

    /// <summary>Begins a sound.</summary>
    public StreamingLogMel(LogMel settings)
    {
        _settings = settings;
        _pad = settings.WindowLength / 2;
        _held = _pad;
        _buffer = new float[settings.WindowLength + BufferedHops * settings.HopLength];
        int half = settings.Fourier.Half;
        (_real, _imaginary) = (new Lanes[half], new Lanes[half]);
        (_spareReal, _spareImaginary, _power) = (new Lanes[half], new Lanes[half], new Lanes[half + 1]);
    }

    /// <summary>The loudest raw value so far; final after <see cref="Finish"/>.</summary>
    public float Max { get; private set; } = LogMel.Silence;

    /// <summary>How many frames the next push of so many samples will write.</summary>
    public int FramesAfter(int samples) => (int)(Ready(_samples + samples) - _frames);

    /// <summary>How many frames <see cref="Finish"/> will write.</summary>
    public int FramesLeft => (int)(Started(_samples) - _frames);

    /// <summary>The same sound so far, to be finished on its own: what its last frames would be if it ended here.</summary>
    /// <exception cref="InvalidOperationException">The sound is finished.</exception>
    public StreamingLogMel Fork()
    {
        if (_finished)
            throw new InvalidOperationException("The sound is finished.");
        StreamingLogMel fork = (StreamingLogMel)MemberwiseClone();
        // What else it refers to is scratch memory, and the two belong to one thread.
        fork._buffer = [.. _buffer];
        return fork;
    }

    /// <summary>Takes the next samples and writes every frame that has become final.</summary>
    /// <param name="samples">At <see cref="LogMel.SamplingRate"/>, any number.</param>
    /// <param name="rawFrames">[frames][bins], at least <see cref="FramesAfter"/> rows.</param>
    /// <returns>How many frames were written.</returns>
    /// <exception cref="ArgumentException"><paramref name="rawFrames"/> is too short.</exception>
    /// <exception cref="InvalidOperationException">The sound is finished.</exception>
    public int Push(ReadOnlySpan<float> samples, Span<float> rawFrames)
    {
        int frames = Admit(FramesAfter(samples.Length), rawFrames);
        _samples += samples.Length;
        Take(samples, rawFrames[..(frames * _settings.Bins)]);
        return frames;
    }

    /// <summary>Ends the sound and writes its last frames, which look into the silence behind it.</summary>
    /// <param name="rawFrames">[frames][bins], at least <see cref="FramesLeft"/> rows.</param>
    /// <returns>How many frames were written.</returns>
    /// <exception cref="ArgumentException"><paramref name="rawFrames"/> is too short.</exception>
    /// <exception cref="InvalidOperationException">The sound is finished already.</exception>
    public int Finish(Span<float> rawFrames)
    {
        int frames = Admit(FramesLeft, rawFrames);
        _finished = true;
        if (_samples == 0)
            return 0;

        // The frames that begin after the sound but still hear it are not part of the result, yet they count for the loudest value.
        long lastHearing = (_samples + _pad - 1) / _settings.HopLength;
        long end = Math.Max(lastHearing * _settings.HopLength + _pad, _pad + 1);
        Take(new float[end - _samples], rawFrames[..(frames * _settings.Bins)]);
        return frames;
    }

    private long Started(long samples) => (samples + _settings.HopLength - 1) / _settings.HopLength;

    // The first frame's reflection reaches one sample further than its window.
    private long Ready(long samples) => samples <= _pad ? 0 : (samples - _pad) / _settings.HopLength + 1;

    private int Admit(int frames, Span<float> rawFrames)
    {
        if (_finished)
            throw new InvalidOperationException("The sound is finished.");
        if (rawFrames.Length < (long)frames * _settings.Bins)
            throw new ArgumentException($"The output must hold {frames} x {_settings.Bins} values.", nameof(rawFrames));
        return frames;
    }

    private void Take(ReadOnlySpan<float> samples, Span<float> rawFrames)
    {
        while (!samples.IsEmpty)
        {
            int take = Math.Min(samples.Length, _buffer.Length - _held);
            samples[..take].CopyTo(_buffer.AsSpan(_held));
            samples = samples[take..];
            _held += take;
            if (!_begun && _held > 2 * _pad)
            {
                for (int i = 0; i < _pad; i++)
                    _buffer[i] = _buffer[2 * _pad - i];
                _begun = true;
            }

            if (_begun)
                rawFrames = rawFrames[ComputeReady(rawFrames)..];
        }
    }

    private int ComputeReady(Span<float> rawFrames)
    {
        int length = _settings.WindowLength, hop = _settings.HopLength, at = 0, written = 0;
        while (_held - at >= length)
        {
            int count = Math.Min(Lanes.Count, (_held - at - length) / hop + 1);
            Load(_buffer.AsSpan(at), count);
            _settings.Fourier.Power(_real, _imaginary, _spareReal, _spareImaginary, _power);
            written += Store(rawFrames[written..], count);
            at += count * hop;
            _frames += count;
        }

        _buffer.AsSpan(at, _held - at).CopyTo(_buffer);
        _held -= at;
        return written;
    }

    private void Load(ReadOnlySpan<float> samples, int count)
    {
        ReadOnlySpan<float> window = _settings.Window;
        Span<float> even = MemoryMarshal.Cast<Lanes, float>(_real.AsSpan()), odd = MemoryMarshal.Cast<Lanes, float>(_imaginary.AsSpan());
        if (count < Lanes.Count)
        {
            even.Clear();
            odd.Clear();
        }

        for (int lane = 0; lane < count; lane++)
        {
            ReadOnlySpan<float> frame = samples.Slice(lane * _settings.HopLength, window.Length);
            for (int i = 0, to = lane; i + 1 < window.Length; i += 2, to += Lanes.Count)
            {
                even[to] = frame[i] * window[i];
                odd[to] = frame[i + 1] * window[i + 1];
            }
        }
    }

    private int Store(Span<float> rawFrames, int count)
    {
        int bins = _settings.Bins, written = Math.Min(count * bins, rawFrames.Length);
        Lanes floor = Vector256.Create(1e-10f), max = Vector256.Create(LogMel.Silence);
        for (int band = 0; band < bins; band++)
        {
            Lanes energy = Vector256.Max(_settings.Filters.Apply(band, _power), floor);
            Lanes log = Vector256.Max(Vector256.Log2(energy) * Log10Of2, Vector256.Create(LogMel.Silence));
            max = Vector256.Max(max, log);
            for (int lane = 0, to = band; to < written; lane++, to += bins)
                rawFrames[to] = log[lane];
        }

        for (int lane = 0; lane < count; lane++)
            Max = Math.Max(Max, max[lane]);
        return written;
    }
}
