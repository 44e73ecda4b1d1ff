using System.Buffers.Binary;
using System.Text.Json;

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
}
