using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace OmniFusion.Training.Data;

/// <summary>How packs begin: 8 bytes that name the format, a 32-bit version, the 32-bit size of a JSON header, the header; little-endian.</summary>
internal static class PackHeader
{
    internal static byte[] Encode<T>(ReadOnlySpan<byte> magic, uint version, T header)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header, JsonSerializerOptions.Web);
        byte[] bytes = new byte[16 + json.Length];
        magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), json.Length);
        json.CopyTo(bytes, 16);
        return bytes;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="kind">What it should be, such as "a pack of pictures".</param>
    /// <param name="file">The open file.</param>
    /// <param name="magic">The 8 bytes.</param>
    /// <param name="version">The only version that can be read.</param>
    /// <param name="maxSize">Bytes of the longest JSON.</param>
    /// <param name="usable">Whether nothing is missing in it.</param>
    /// <returns>The header, and where it ends.</returns>
    /// <exception cref="OmniFusionException">The file is something else, of another version, or damaged.</exception>
    internal static (T Header, int End) Read<T>(
        string path, string kind, SafeFileHandle file, ReadOnlySpan<byte> magic, uint version, int maxSize, Predicate<T> usable) where T : class
    {
        byte[] head = new byte[16];
        if (RandomAccess.Read(file, head, 0) < head.Length || !head.AsSpan(0, 8).SequenceEqual(magic))
            throw new OmniFusionException($"{path} is not {kind}.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(8)) is var found && found != version)
            throw new OmniFusionException($"{path} is {kind} of version {found}; this program reads version {version}.");
        int size = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(12));
        if (size < 2 || size > maxSize || size > RandomAccess.GetLength(file) - head.Length)
            throw Damaged("cut off");
        byte[] json = new byte[size];
        RandomAccess.Read(file, json, head.Length);
        try
        {
            return JsonSerializer.Deserialize<T>(json, JsonSerializerOptions.Web) is { } header && usable(header)
                ? (header, head.Length + size)
                : throw Damaged("incomplete");
        }
        catch (JsonException)
        {
            throw Damaged("not JSON");
        }

        OmniFusionException Damaged(string how) => new($"{path} is damaged: its header is {how}.");
    }
}
