using System.Buffers.Binary;
using System.IO.Compression;

namespace OmniFusion.Media;

/// <summary>Writes 8-bit RGB pictures as PNG.</summary>
public static class PngWriter
{
    /// <summary>Writes a file, under another name first and then renamed, so that a broken-off write never leaves half a picture.</summary>
    /// <exception cref="OmniFusionException">The file cannot be written.</exception>
    public static void Write(string path, RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(image);
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllBytes(temporary, Encode(image));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
            throw new OmniFusionException($"The image {path} cannot be written: {error.Message}", error);
        }
    }

    /// <summary>The bytes of the PNG file.</summary>
    internal static byte[] Encode(RgbImage image)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        (header[8], header[9]) = (8, (byte)PngColour.Rgb);
        using MemoryStream file = new();
        file.Write(PngFormat.Signature);
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "IDAT"u8, Compress(image));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>Appends a chunk: length, type, data, checksum.</summary>
    internal static void WriteChunk(Stream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        byte[] chunk = new byte[data.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), PngFormat.Crc(chunk.AsSpan(4, data.Length + 4)));
        file.Write(chunk);
    }

    private static ReadOnlySpan<byte> Compress(RgbImage image)
    {
        const byte paethFilter = 4;
        using MemoryStream compressed = new();
        using (ZLibStream zlib = new(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            int rowBytes = image.Width * 3;
            byte[] filtered = new byte[rowBytes + 1];
            filtered[0] = paethFilter;
            ReadOnlySpan<byte> above = new byte[rowBytes];
            for (int y = 0; y < image.Height; y++)
            {
                ReadOnlySpan<byte> line = image.Pixels.AsSpan(y * rowBytes, rowBytes);
                for (int i = 0; i < rowBytes; i++)
                    filtered[i + 1] = (byte)(line[i] - (i < 3 ? above[i] : PngFormat.Paeth(line[i - 3], above[i], above[i - 3])));
                zlib.Write(filtered);
                above = line;
            }
        }
        return compressed.GetBuffer().AsSpan(0, (int)compressed.Length);
    }
}
