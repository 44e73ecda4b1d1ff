using System.Buffers.Binary;

namespace OmniFusion.Media;

/// <summary>Samples without a header, as programs pipe them: signed 16-bit little-endian, mono, 16 kHz.</summary>
public static class PcmStream
{
    private const int WaveHeader = 12;

    /// <summary>Reads to the end and hands out samples, from -1 to 1, as soon as they come.</summary>
    /// <param name="stream">Read from where it stands, and left open.</param>
    /// <param name="next">Takes samples; the memory is used again afterwards.</param>
    /// <param name="cancellation">Asked after each piece.</param>
    /// <returns>Number of samples.</returns>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OmniFusionException">It begins with the header of a WAV file.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static long Read(Stream stream, Action<ReadOnlyMemory<float>> next, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(next);
        byte[] bytes = new byte[1 << 13];
        float[] samples = new float[bytes.Length / 2];
        long all = 0;
        // Half a sample waits for its other half.
        int held = 0, got = stream.ReadAtLeast(bytes, WaveHeader, throwOnEndOfStream: false);
        if (got >= WaveHeader && bytes.AsSpan(0, 4).SequenceEqual("RIFF"u8) && bytes.AsSpan(8, 4).SequenceEqual("WAVE"u8))
            throw new OmniFusionException("The stream is a WAV file, and raw PCM is expected: 16-bit little-endian, mono, 16 kHz, without a header.");
        for (; got > 0; got = stream.Read(bytes, held, bytes.Length - held))
        {
            cancellation.ThrowIfCancellationRequested();
            int count = (held + got) / 2;
            for (int i = 0; i < count; i++)
                samples[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(2 * i)) / 32768f;
            held = (held + got) % 2;
            if (held == 1)
                bytes[0] = bytes[2 * count];
            if (count > 0)
                next(samples.AsMemory(0, count));
            all += count;
        }
        return all;
    }
}
