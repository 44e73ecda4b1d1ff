using System.Buffers.Binary;

namespace OmniFusion.Media;

/// <summary>
/// Writes sound of one channel as a WAV file. The file appears under its name only when it is complete: it is written beside it and
/// then renamed, over an older file of that name.
/// </summary>
public static class WavWriter
{
    private const int HeaderBytes = 44;

    /// <summary>Writes 16-bit PCM; what exceeds -1 to 1 is clipped, the rest rounded to the nearest step of 1/32768.</summary>
    /// <exception cref="OmniFusionException">The file cannot be written, or a sample is not finite.</exception>
    public static void WritePcm16(string path, ReadOnlySpan<float> samples, int sampleRate) =>
        Write(path, samples, sampleRate, WavCoding.Pcm, sizeof(short), static (to, sample) => BinaryPrimitives.WriteInt16LittleEndian(
            to, (short)Math.Clamp(MathF.Round(sample * 32768f), short.MinValue, short.MaxValue)));

    /// <summary>Writes 32-bit floating point: every sample exactly as it is.</summary>
    /// <exception cref="OmniFusionException">The file cannot be written, or a sample is not finite.</exception>
    public static void WriteFloat(string path, ReadOnlySpan<float> samples, int sampleRate) =>
        Write(path, samples, sampleRate, WavCoding.Float, sizeof(float), BinaryPrimitives.WriteSingleLittleEndian);

    private static void Write(
        string path, ReadOnlySpan<float> samples, int sampleRate, WavCoding coding, int bytesPerSample, Action<Span<byte>, float> put)
    {
        using PendingFile file = new(path, samples, coding, bytesPerSample, sampleRate);
        byte[] block = new byte[1 << 16];
        for (int at = 0; at < samples.Length; at += block.Length / bytesPerSample)
        {
            int count = Math.Min(block.Length / bytesPerSample, samples.Length - at);
            for (int i = 0; i < count; i++)
                put(block.AsSpan(i * bytesPerSample), samples[at + i]);
            file.Append(block.AsSpan(0, count * bytesPerSample));
        }

        file.Complete();
    }

    private sealed class PendingFile : IDisposable
    {
        private readonly string _path;
        private readonly string _draft;
        private readonly FileStream _stream;
        private bool _complete;

        public PendingFile(string path, ReadOnlySpan<float> samples, WavCoding coding, int bytesPerSample, int sampleRate)
        {
            ArgumentException.ThrowIfNullOrEmpty(path);
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRate);
            foreach (float sample in samples)
                if (!float.IsFinite(sample))
                    throw new OmniFusionException($"{path} was not written: a sample has the value {sample}, which is no sound.");
            long dataBytes = (long)samples.Length * bytesPerSample;
            if (dataBytes > uint.MaxValue - HeaderBytes)
                throw new OmniFusionException($"{path} was not written: the sound is longer than a WAV file can hold (4 GiB).");
            (_path, _draft) = (path, $"{path}.{Guid.NewGuid():N}.tmp");
            _stream = Guard(() => new FileStream(_draft, FileMode.CreateNew, FileAccess.Write));
            Append(Header((uint)dataBytes, coding, bytesPerSample, sampleRate));
        }

        public void Append(ReadOnlySpan<byte> bytes)
        {
            try
            {
                _stream.Write(bytes);
            }
            catch (IOException e)
            {
                throw NotWritten(e);
            }
        }

        public void Complete() => _complete = Guard(() =>
        {
            _stream.Dispose();
            File.Move(_draft, _path, overwrite: true);
            return true;
        });

        public void Dispose()
        {
            if (_complete)
                return;
            try
            {
                _stream.Dispose();
                File.Delete(_draft);
            }
            catch (IOException)
            {
                // The fault that led here is the one to report.
            }
        }

        private T Guard<T>(Func<T> work)
        {
            try
            {
                return work();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                throw NotWritten(e);
            }
        }

        private OmniFusionException NotWritten(Exception cause) => new($"{_path} cannot be written: {cause.Message}", cause);

        private static byte[] Header(uint dataBytes, WavCoding coding, int bytesPerSample, int sampleRate)
        {
            byte[] header = new byte[HeaderBytes];
            Span<byte> to = header;
            "RIFF"u8.CopyTo(to);
            BinaryPrimitives.WriteUInt32LittleEndian(to[4..], HeaderBytes - 8 + dataBytes);
            "WAVEfmt "u8.CopyTo(to[8..]);
            BinaryPrimitives.WriteUInt32LittleEndian(to[16..], 16);
            BinaryPrimitives.WriteUInt16LittleEndian(to[20..], (ushort)coding);
            BinaryPrimitives.WriteUInt16LittleEndian(to[22..], 1);
            BinaryPrimitives.WriteUInt32LittleEndian(to[24..], (uint)sampleRate);
            BinaryPrimitives.WriteUInt32LittleEndian(to[28..], (uint)(sampleRate * bytesPerSample));
            BinaryPrimitives.WriteUInt16LittleEndian(to[32..], (ushort)bytesPerSample);
            BinaryPrimitives.WriteUInt16LittleEndian(to[34..], (ushort)(8 * bytesPerSample));
            "data"u8.CopyTo(to[36..]);
            BinaryPrimitives.WriteUInt32LittleEndian(to[40..], dataBytes);
            return header;
        }
    }
}
