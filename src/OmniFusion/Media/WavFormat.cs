using System.Buffers.Binary;

namespace OmniFusion.Media;

/// <summary>The <c>fmt </c> chunk of a WAV file, checked: plain WAVEFORMAT or WAVE_FORMAT_EXTENSIBLE.</summary>
internal readonly record struct WavFormat(WavCoding Coding, int Channels, int SampleRate, int BytesPerSample)
{
    private const int ExtensibleTag = 0xFFFE;
    private const int LongestUsed = 40;
    private const int MaxChannels = 64;

    // The tail of every sub-format GUID that stands for a plain format tag.
    private static ReadOnlySpan<byte> TagGuidTail => [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    public int BytesPerFrame => Channels * BytesPerSample;

    /// <summary>How many bytes of a chunk of this size hold anything of use.</summary>
    public static int UsedBytes(long chunkSize) => (int)Math.Min(chunkSize, LongestUsed);

    /// <summary>Reads the chunk's first bytes; a header that contradicts itself is an error that names the file.</summary>
    public static WavFormat Parse(ReadOnlySpan<byte> chunk, string name)
    {
        if (chunk.Length < 16)
            throw new OmniFusionException($"{name} is not a usable WAV file: its format chunk holds {chunk.Length} bytes instead of 16.");
        int tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        int channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
        uint rate = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
        int bytesPerFrame = BinaryPrimitives.ReadUInt16LittleEndian(chunk[12..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
        if (tag == ExtensibleTag)
        {
            if (chunk.Length < LongestUsed)
                throw new OmniFusionException($"{name} is not a usable WAV file: its extensible format chunk is too short.");
            tag = chunk[26..40].SequenceEqual(TagGuidTail) ? BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]) : 0;
        }

        if (channels is 0 or > MaxChannels)
            throw new OmniFusionException($"{name} is not a usable WAV file: its header claims {channels} channels.");
        if (rate is < Resampler.MinRate or > Resampler.MaxRate)
            throw new OmniFusionException($"{name} is not a usable WAV file: its header claims {rate} samples per second "
                + $"(usable are {Resampler.MinRate} to {Resampler.MaxRate}).");

        int bytes = (bits + 7) / 8;
        WavCoding coding = (tag, bytes) switch
        {
            (1, >= 1 and <= 4) => WavCoding.Pcm,
            (3, 4 or 8) when bits % 32 == 0 => WavCoding.Float,
            (6, 1) => WavCoding.ALaw,
            (7, 1) => WavCoding.MuLaw,
            (1 or 3 or 6 or 7, _) => throw new OmniFusionException(
                $"{name} is not a usable WAV file: its header claims samples of {bits} bits."),
            _ => WavCoding.Other,
        };
        if (coding != WavCoding.Other && bytesPerFrame != channels * bytes)
            throw new OmniFusionException($"{name} is not a usable WAV file: its header claims {bytesPerFrame} bytes "
                + $"for {channels} samples of {bits} bits.");
        return new WavFormat(coding, channels, (int)rate, bytes);
    }
}
