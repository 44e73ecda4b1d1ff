using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OmniFusion.Training.Data;

/// <summary>What a pack was made from; its seed, text and voices decide every sample.</summary>
internal sealed record SpeechPackHeader(int SampleRate, long Seed, int Lines, string TextSha256, string[] Voices)
{
    public static string HashText(IEnumerable<string> lines)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string line in lines)
            hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>The index file of a pack, laid out as <see cref="SpeechPack"/> says.</summary>
internal static class SpeechPackIndex
{
    public const int RecordSize = 20;
    private const int MaxHeaderSize = 1 << 20;
    private const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "OFSPEECH"u8;

    public static string PathFor(string packPath) => packPath + ".index";

    public static byte[] EncodeHeader(SpeechPackHeader header) => PackHeader.Encode(Magic, Version, header);

    public static byte[] EncodeItem(SpeechPackItem item, int voice)
    {
        byte[] record = new byte[RecordSize];
        BinaryPrimitives.WriteInt64LittleEndian(record, item.FirstSample);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(8), item.SampleCount);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(12), item.TextIndex);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(16), checked((ushort)item.Copy));
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(18), checked((ushort)voice));
        return record;
    }

    /// <summary>Reads the header and every whole record whose samples are in the pack, and where the last record ends.</summary>
    public static (SpeechPackHeader Header, List<SpeechPackItem> Items, long EndOfRecords) Read(string packPath)
    {
        string path = PathFor(packPath);
        SpeechPackHeader header;
        int at;
        byte[] bytes;
        long samples;
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            (header, at) = PackHeader.Read<SpeechPackHeader>(
                path, "the index of a speech pack", stream.SafeFileHandle, Magic, Version, MaxHeaderSize, IsComplete);
            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            // After the index, whose every record had its samples written first.
            samples = new FileInfo(packPath).Length / sizeof(short);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot read the speech pack {packPath}: {error.Message}", error);
        }

        List<SpeechPackItem> items = [];
        long end = 0;
        for (; at + RecordSize <= bytes.Length; at += RecordSize)
        {
            ReadOnlySpan<byte> record = bytes.AsSpan(at, RecordSize);
            long first = BinaryPrimitives.ReadInt64LittleEndian(record);
            int count = BinaryPrimitives.ReadInt32LittleEndian(record[8..]);
            int line = BinaryPrimitives.ReadInt32LittleEndian(record[12..]);
            int copy = BinaryPrimitives.ReadUInt16LittleEndian(record[16..]);
            int voice = BinaryPrimitives.ReadUInt16LittleEndian(record[18..]);
            bool inOrder = first == end && count >= 0 && copy == items.Count / header.Lines && line == items.Count % header.Lines;
            if (!inOrder || voice >= header.Voices.Length)
                throw new OmniFusionException($"The index {path} is damaged at item {items.Count}.");
            if (count > samples - first)
                break;
            items.Add(new SpeechPackItem(line, copy, header.Voices[voice], first, count));
            end = first + count;
        }

        return (header, items, at);
    }

    private static bool IsComplete(SpeechPackHeader header) =>
        header is { SampleRate: SpeechPack.SampleRate, Lines: > 0, TextSha256: not null, Voices: not null } && !header.Voices.Contains(null!);
}
