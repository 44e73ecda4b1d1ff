using System.Buffers;
using System.Globalization;

namespace OmniFusion.Media;

/// <summary>Sound from files. What a file is, its content says, not its name.</summary>
public static class AudioFile
{
    /// <summary>The rate the models listen at, in samples per second.</summary>
    public const int ModelRate = 16000;

    private const int BlockSamples = 1 << 14;

    /// <summary>
    /// Reads a WAV file at its own rate, as the mean of its channels: PCM of 8 to 32 bits, floating point of 32 or 64 bits, A-law and
    /// mu-law; sizes left open by streaming writers are taken as "to the end of the file".
    /// </summary>
    /// <exception cref="OmniFusionException">
    /// The file is missing, not WAV, truncated, empty, or holds values that are no sound; the sentence names it.
    /// </exception>
    public static Waveform Read(string path)
    {
        using FileStream file = Open(path);
        return Guard(path, () =>
        {
            WavReader reader = new(file, path);
            return new Waveform(Heard(path, Collect(reader, path, reader.Format.SampleRate, default)), reader.Format.SampleRate);
        });
    }

    /// <summary>
    /// Reads any recording as the models want it: the mean of its channels at 16000 samples per second. WAV needs nothing else; other
    /// formats (MP3, FLAC, Ogg, video, ...) are decoded by the program <c>ffmpeg</c>, their first sound track. What comes through a pipe is WAV.
    /// </summary>
    /// <exception cref="OmniFusionException">
    /// The file is missing, unreadable, truncated or empty, or needs ffmpeg and that is not on the PATH or fails; the sentence names it.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static float[] ReadMono16k(string path, CancellationToken cancellation = default) =>
        ReadMono16k(path, AudioFfmpeg.Executable, cancellation);

    /// <summary>Reads a recording as the models want it, if it is not longer than they take; a longer one is not read to its end.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxSeconds">The longest that is taken.</param>
    /// <param name="cancellation">Checked between blocks.</param>
    /// <inheritdoc cref="ReadMono16k(string, CancellationToken)"/>
    public static float[] ReadMono16k(string path, double maxSeconds, CancellationToken cancellation = default) =>
        ReadMono16k(path, AudioFfmpeg.Executable, cancellation, maxSeconds);

    /// <summary>Reads WAV from a stream, such as the standard input, as the models want it, if it is not longer than they take.</summary>
    /// <param name="stream">At its start.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="maxSeconds">The longest that is taken.</param>
    /// <param name="cancellation">Checked between blocks.</param>
    /// <exception cref="OmniFusionException">The stream is not WAV, or is truncated, empty or too long.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static float[] ReadMono16k(Stream stream, string name, double maxSeconds, CancellationToken cancellation = default) =>
        Guard(name, () => Heard(name, Collect(new WavReader(stream, name), name, ModelRate, cancellation, maxSeconds)));

    /// <summary>
    /// Reads a recording as the models want it, block by block, so that a long one needs no memory; see
    /// <see cref="ReadMono16k(string, CancellationToken)"/>.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="next">Takes each block, whose memory is used again when it returns.</param>
    /// <param name="cancellation">Checked between blocks.</param>
    /// <inheritdoc cref="ReadMono16k(string, CancellationToken)"/>
    public static void StreamMono16k(string path, Action<ReadOnlyMemory<float>> next, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(next);
        using FileStream file = Open(path);
        Guard(path, () =>
        {
            long samples = ReaderOf(file, path) is { } reader ? Forward(reader, next, cancellation)
                : AudioFfmpeg.Decode(path, AudioFfmpeg.Executable, decoded => Forward(decoded, next, cancellation), cancellation);
            return samples > 0 ? samples : throw Empty(path);
        });
    }

    internal static float[] ReadMono16k(
        string path, string ffmpeg, CancellationToken cancellation, double maxSeconds = double.PositiveInfinity)
    {
        using FileStream file = Open(path);
        return Guard(path, () =>
        {
            return Heard(path, ReaderOf(file, path) is { } reader ? Collect(reader, path, ModelRate, cancellation, maxSeconds)
                : AudioFfmpeg.Decode(path, ffmpeg, decoded => Collect(decoded, path, ModelRate, cancellation, maxSeconds), cancellation));
        });
    }

    private static FileStream Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            throw new OmniFusionException($"{path} is a folder, not a sound file.");
        if (!File.Exists(path))
            throw new OmniFusionException($"{(path == "" ? "The empty path" : path)} does not exist.");
        return Guard(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read));
    }

    // Null where the file is for ffmpeg, which is given its name: a pipe could not be read a second time.
    private static WavReader? ReaderOf(FileStream file, string path)
    {
        if (!file.CanSeek)
            return new WavReader(file, path);
        Span<byte> head = stackalloc byte[12];
        int got = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (got == 0)
            throw new OmniFusionException($"{path} is empty.");
        file.Seek(0, SeekOrigin.Begin);
        return WavReader.IsWav(head[..got]) && new WavReader(file, path) is { Format.Coding: not WavCoding.Other } reader ? reader : null;
    }

    private static float[] Collect(
        WavReader reader, string path, int rate, CancellationToken cancellation, double maxSeconds = double.PositiveInfinity)
    {
        Resampler resampler = new(reader.Format.SampleRate, rate);
        if (reader.FrameCount > maxSeconds * reader.Format.SampleRate)
            throw TooLong(path, maxSeconds);
        AudioSamples samples = new(path, reader.FrameCount is long frames ? resampler.OutputLength(frames) : 0);
        float[] block = new float[BlockSamples];
        while (reader.Read(block) is int count and > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            resampler.Push(block.AsSpan(0, count), samples);
            if (samples.Count > maxSeconds * rate)
                throw TooLong(path, maxSeconds);
        }

        cancellation.ThrowIfCancellationRequested();
        resampler.Flush(samples);
        return samples.ToArray();
    }

    private static long Forward(WavReader reader, Action<ReadOnlyMemory<float>> next, CancellationToken cancellation)
    {
        Resampler resampler = new(reader.Format.SampleRate, ModelRate);
        ArrayBufferWriter<float> ready = new(BlockSamples);
        float[] block = new float[BlockSamples];
        long samples = 0;
        int count;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            count = reader.Read(block);
            if (count > 0)
                resampler.Push(block.AsSpan(0, count), ready);
            else
                resampler.Flush(ready);
            samples += ready.WrittenCount;
            if (ready.WrittenCount > 0)
                next(ready.WrittenMemory);
            ready.ResetWrittenCount();
        }
        while (count > 0);
        return samples;
    }

    // Said only where ffmpeg, if it was needed, has not failed: then it knows why there is nothing.
    private static float[] Heard(string path, float[] samples) => samples.Length > 0 ? samples : throw Empty(path);

    private static OmniFusionException Empty(string path) => new($"{path} holds no sound: it has 0 samples.");

    private static OmniFusionException TooLong(string path, double maxSeconds) =>
        new(string.Create(CultureInfo.InvariantCulture,
            $"{path} is too long: the model takes at most {maxSeconds} seconds in one recording."));

    private static T Guard<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
