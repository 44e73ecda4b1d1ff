using System.Buffers.Binary;

namespace OmniFusion.Media;

/// <summary>
/// Reads the sound of a RIFF, RF64 or BW64 WAVE stream in blocks, as the mean of its channels. It believes no size before the file
/// has shown the bytes, so a lying header neither allocates memory nor cuts a streamed recording.
/// </summary>
internal sealed class WavReader
{
    private const int BlockBytes = 1 << 16;
    private const uint Unknown = 0xFFFFFFFF;

    // A larger value cannot be sound: even 32-bit integers stored as floats stay below. It keeps every power finite.
    private const float Loudest = 4294967296f;

    private static readonly float[] ALawTable = Table(ALaw);
    private static readonly float[] MuLawTable = Table(MuLaw);

    private readonly Stream _stream;
    private readonly string _name;
    private readonly long? _length;
    private readonly byte[] _bytes;
    private readonly float[] _interleaved;
    private readonly long? _dataBytes;
    private readonly bool _toEnd;
    private long _position;
    private long _dataRead;
    private long _framesRead;

    /// <summary>Reads the header.</summary>
    /// <param name="stream">At its start; a file or a pipe.</param>
    /// <param name="name">The file's name for messages.</param>
    /// <exception cref="OmniFusionException">The stream is not WAV, is cut short or contradicts itself.</exception>
    public WavReader(Stream stream, string name)
    {
        (_stream, _name) = (stream, name);
        _length = stream.CanSeek ? stream.Length : null;
        Span<byte> head = stackalloc byte[12];
        int got = Fill(head);
        if (got < head.Length || !IsWav(head))
            throw new OmniFusionException(got == 0 ? $"{name} is empty." : $"{name} is not a WAV file.");
        if (head.StartsWith("RIFX"u8))
            throw new OmniFusionException($"{name} is a WAV file of big-endian numbers (RIFX), which cannot be read.");

        uint riffSize = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        ulong longDataSize = 0;
        WavFormat? format = null;
        long dataStart = -1;
        Span<byte> body = stackalloc byte[WavFormat.UsedBytes(long.MaxValue)];
        while ((format is null || dataStart < 0) && Fill(head[..8]) == 8)
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            ReadOnlySpan<byte> id = head[..4];
            int used = 0;
            if (id.SequenceEqual("fmt "u8))
            {
                used = Fill(body[..WavFormat.UsedBytes(size)]);
                format = WavFormat.Parse(body[..used], name);
            }
            else if (id.SequenceEqual("ds64"u8))
            {
                used = Fill(body[..(int)Math.Min(size, 16)]);
                longDataSize = used == 16 ? BinaryPrimitives.ReadUInt64LittleEndian(body[8..]) : 0;
            }
            else if (id.SequenceEqual("data"u8))
            {
                dataStart = _position;
                (_dataBytes, _toEnd) = DataSize(size, longDataSize, riffSize);
                if (format is not null)
                    break;
                if (!stream.CanSeek || _toEnd)
                    throw new OmniFusionException($"{name} is not a usable WAV file: its data comes without a format.");
                Skip(_dataBytes!.Value + (_dataBytes.Value & 1));
                continue;
            }

            Skip(size + (size & 1L) - used);
        }

        Format = format ?? throw new OmniFusionException($"{name} is not a usable WAV file: it has no format chunk.");
        if (dataStart < 0)
            throw new OmniFusionException($"{name} is not a usable WAV file: it has no data chunk.");
        if (_position != dataStart)
            _position = stream.Seek(dataStart, SeekOrigin.Begin);
        _bytes = new byte[Math.Max(1, BlockBytes / Math.Max(1, Format.BytesPerFrame)) * Math.Max(1, Format.BytesPerFrame)];
        _interleaved = new float[_bytes.Length / Math.Max(1, Format.BytesPerSample)];
    }

    /// <summary>The header's facts; a <see cref="WavCoding.Other"/> file cannot be read here.</summary>
    public WavFormat Format { get; }

    /// <summary>Samples per channel that the file truly holds; null where only the end of the stream tells.</summary>
    public long? FrameCount => Format.Coding == WavCoding.Other || _length is null ? null : _dataBytes / Format.BytesPerFrame;

    /// <summary>Whether a file that begins with these 12 bytes calls itself WAV.</summary>
    public static bool IsWav(ReadOnlySpan<byte> head) => head.Length >= 12 && head[8..12].SequenceEqual("WAVE"u8)
        && (head[..4].SequenceEqual("RIFF"u8) || head[..4].SequenceEqual("RIFX"u8) || head[..4].SequenceEqual("RF64"u8)
            || head[..4].SequenceEqual("BW64"u8));

    /// <summary>Reads on: the mean of the channels, sample by sample.</summary>
    /// <returns>How many samples were written; 0 only at the end of the data.</returns>
    /// <exception cref="OmniFusionException">The file ends before its data, or a sample is no finite number.</exception>
    public int Read(Span<float> mono)
    {
        if (Format.Coding == WavCoding.Other)
            throw new OmniFusionException($"{_name} is a WAV file with a compression that cannot be read here.");
        int frames = Math.Min(mono.Length, _bytes.Length / Format.BytesPerFrame);
        long wanted = (long)frames * Format.BytesPerFrame;
        if (_dataBytes is long all)
            wanted = Math.Min(wanted, (all - _dataRead) / Format.BytesPerFrame * Format.BytesPerFrame);
        int got = Fill(_bytes.AsSpan(0, (int)wanted));
        if (got < wanted && !_toEnd)
            throw Truncated(_dataBytes ?? 0, _dataRead + got);
        _dataRead += got;
        frames = got / Format.BytesPerFrame;
        Decode(_bytes.AsSpan(0, frames * Format.BytesPerFrame));
        Mix(mono[..frames]);
        _framesRead += frames;
        return frames;
    }

    // Writers to a pipe cannot know the size: they leave 0, all ones, or about 2 GiB (SoX, arecord) there.
    private (long? Bytes, bool ToEnd) DataSize(uint size, ulong longSize, uint riffSize)
    {
        long? left = _length - _position;
        bool isLong = size == Unknown && longSize is not (0 or ulong.MaxValue or Unknown);
        ulong declared = isLong ? longSize : size;
        bool riffEndsHere = riffSize == Unknown || 8 + (long)riffSize <= _position;
        bool placeholder = !isLong && (size is >= 0xFFFFFF00 or (>= 0x7FFFF000 and <= 0x80000000) || (size == 0 && riffEndsHere));
        if (placeholder && (left is null || size == 0 || size > left))
            return (left, true);
        if (left is not null && declared > (ulong)left)
            throw Truncated(declared, left.Value);
        return ((long)Math.Min(declared, long.MaxValue), false);
    }

    private OmniFusionException Truncated<T>(T declared, long found) =>
        new($"{_name} is truncated: it announces {declared} bytes of sound and holds {found}.");

    private int Fill(Span<byte> target)
    {
        int got = _stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
        _position += got;
        return got;
    }

    private void Skip(long bytes)
    {
        if (_length is long length)
        {
            _position = _stream.Seek(Math.Min(_position + bytes, length), SeekOrigin.Begin);
            return;
        }

        Span<byte> waste = stackalloc byte[512];
        while (bytes > 0 && Fill(waste[..(int)Math.Min(bytes, waste.Length)]) is int got and > 0)
            bytes -= got;
    }

    private void Decode(ReadOnlySpan<byte> raw)
    {
        Span<float> samples = _interleaved.AsSpan(0, raw.Length / Format.BytesPerSample);
        switch (Format.Coding, Format.BytesPerSample)
        {
            case (WavCoding.Pcm, 1):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (raw[i] - 128) / 128f;
                break;
            case (WavCoding.Pcm, 2):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt16LittleEndian(raw[(2 * i)..]) / 32768f;
                break;
            case (WavCoding.Pcm, 3):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = ((sbyte)raw[3 * i + 2] << 16 | raw[3 * i + 1] << 8 | raw[3 * i]) / 8388608f;
                break;
            case (WavCoding.Pcm, 4):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt32LittleEndian(raw[(4 * i)..]) / 2147483648f;
                break;
            case (WavCoding.Float, 4):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = Checked(BinaryPrimitives.ReadSingleLittleEndian(raw[(4 * i)..]), i);
                break;
            case (WavCoding.Float, 8):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = Checked((float)BinaryPrimitives.ReadDoubleLittleEndian(raw[(8 * i)..]), i);
                break;
            default:
                float[] table = Format.Coding == WavCoding.ALaw ? ALawTable : MuLawTable;
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = table[raw[i]];
                break;
        }
    }

    private float Checked(float value, int index) => MathF.Abs(value) <= Loudest ? value : throw new OmniFusionException(
        $"{_name} holds the value {value} at sample {_framesRead + index / Format.Channels}: that is no sound.");

    private void Mix(Span<float> mono)
    {
        int channels = Format.Channels;
        ReadOnlySpan<float> samples = _interleaved;
        if (channels == 1)
        {
            samples[..mono.Length].CopyTo(mono);
            return;
        }

        for (int i = 0; i < mono.Length; i++)
        {
            float sum = 0;
            foreach (float sample in samples.Slice(i * channels, channels))
                sum += sample;
            mono[i] = sum / channels;
        }
    }

    private static float[] Table(Func<int, int> decode) => [.. Enumerable.Range(0, 256).Select(code => decode(code) / 32768f)];

    // ITU-T G.711: sign, three bits of exponent, four of mantissa; A-law inverts every other bit, mu-law all of them.
    private static int ALaw(int code)
    {
        code ^= 0x55;
        int exponent = code >> 4 & 7, mantissa = (code & 15) << 4;
        int magnitude = exponent == 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
        return (code & 0x80) != 0 ? magnitude : -magnitude;
    }

    private static int MuLaw(int code)
    {
        code = ~code;
        int magnitude = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84;
        return (code & 0x80) != 0 ? -magnitude : magnitude;
    }
}
