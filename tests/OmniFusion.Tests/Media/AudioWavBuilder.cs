using System.Buffers.Binary;

namespace OmniFusion.Tests.Media;

/// <summary>WAV files byte by byte, right or wrong as a test wants them.</summary>
internal sealed class AudioWavBuilder
{
    public string Magic { get; init; } = "RIFF";

    public int Tag { get; init; } = 1;

    public int Channels { get; init; } = 1;

    public uint Rate { get; init; } = 16000;

    public int Bits { get; init; } = 16;

    public int? BytesPerFrame { get; init; }

    public byte[] Data { get; init; } = [];

    public uint? DataSize { get; init; }

    public uint? RiffSize { get; init; }

    public ulong? LongDataSize { get; init; }

    public bool Extensible { get; init; }

    public bool DataFirst { get; init; }

    /// <summary>Puts chunks nobody asked for, with odd sizes, before, between and behind.</summary>
    public bool Strangers { get; init; }

    public byte[] Build()
    {
        List<byte> body = [.. "WAVE"u8];
        if (LongDataSize is ulong size)
            Chunk(body, "ds64", [.. Bytes(0UL), .. Bytes(size), .. Bytes(0UL), 0, 0, 0, 0]);
        Stranger(body);
        if (!DataFirst)
            Chunk(body, "fmt ", Format());
        Stranger(body);
        Chunk(body, "data", Data, DataSize);
        Stranger(body);
        if (DataFirst)
            Chunk(body, "fmt ", Format());
        byte[] head = new byte[8];
        System.Text.Encoding.ASCII.GetBytes(Magic, head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), RiffSize ?? (uint)body.Count);
        return [.. head, .. body];
    }

    public static byte[] Pcm(int bytes, params int[] samples) =>
        [.. samples.SelectMany(s => BitConverter.GetBytes(bytes == 1 ? s + 128 : s).Take(bytes))];

    private byte[] Format()
    {
        byte[] format = new byte[Extensible ? 40 : 16];
        BinaryPrimitives.WriteUInt16LittleEndian(format, (ushort)(Extensible ? 0xFFFE : Tag));
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(2), (ushort)Channels);
        BinaryPrimitives.WriteUInt32LittleEndian(format.AsSpan(4), Rate);
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(12), (ushort)(BytesPerFrame ?? Channels * ((Bits + 7) / 8)));
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(14), (ushort)Bits);
        if (Extensible)
        {
            format[16] = 22;
            BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(18), (ushort)Bits);
            BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(24), (ushort)Tag);
            new byte[] { 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71 }.CopyTo(format, 26);
        }

        return format;
    }

    private void Stranger(List<byte> body)
    {
        if (Strangers)
            Chunk(body, "LIST", [1, 2, 3]);
    }

    private static void Chunk(List<byte> body, string id, byte[] content, uint? size = null)
    {
        body.AddRange(System.Text.Encoding.ASCII.GetBytes(id));
        body.AddRange(BitConverter.GetBytes(size ?? (uint)content.Length));
        body.AddRange(content);
        if (content.Length % 2 != 0)
            body.Add(0);
    }

    private static byte[] Bytes(ulong value) => BitConverter.GetBytes(value);
}
