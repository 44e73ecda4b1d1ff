using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>Many pictures of one size, each with a text, in one file that can be read while it grows.</summary>
/// <remarks>
/// <para>
/// The file, all numbers little-endian: the 8 bytes <c>OFPICTUR</c>; a 32-bit version, 1; the 32-bit size of a JSON header; the header,
/// <c>{"width", "height", "seed", "textSha256"}</c>; then one record per picture: [height, width, 3] bytes of red, green and blue, the 16-bit
/// number of bytes of the text, and the text in UTF-8, filled up with zeros to 254 bytes. Every whole record is good, whatever moment a writer
/// is stopped at.
/// </para>
/// <para>Reading is safe from several threads at once.</para>
/// </remarks>
public sealed class PicturePack : IDisposable
{
    /// <summary>The longest text of a picture in bytes of UTF-8.</summary>
    public const int MaxTextBytes = 254;

    private const int MaxHeaderSize = 1 << 16, MaxSide = 4096;
    private const uint Version = 1;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly PicturePackHeader _header;
    private readonly long _firstRecord;

    private PicturePack(string path, SafeFileHandle file)
    {
        (_path, _file) = (path, file);
        (_header, _firstRecord) = ReadHeader(path, file);
        string[] texts = new string[(RandomAccess.GetLength(file) - _firstRecord) / _header.RecordSize];
        byte[] text = new byte[2 + MaxTextBytes];
        for (int i = 0; i < texts.Length; i++)
        {
            ReadFully(text, _firstRecord + i * _header.RecordSize + _header.PixelBytes);
            int length = BinaryPrimitives.ReadUInt16LittleEndian(text);
            if (length > MaxTextBytes)
                throw new OmniFusionException($"The pictures {path} are damaged at picture {i}.");
            texts[i] = Encoding.UTF8.GetString(text, 2, length);
        }
        Texts = texts;
    }

    /// <summary>Number of pictures.</summary>
    public int Count => Texts.Count;

    /// <summary>Pixels in a row.</summary>
    public int Width => _header.Width;

    /// <summary>Rows.</summary>
    public int Height => _header.Height;

    /// <summary>The text of each picture.</summary>
    public IReadOnlyList<string> Texts { get; }

    private static ReadOnlySpan<byte> Magic => "OFPICTUR"u8;

    /// <summary>Opens the pack as far as it is written.</summary>
    /// <exception cref="OmniFusionException">The file is missing, damaged, or no pack of pictures.</exception>
    public static PicturePack Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return new PicturePack(path, file);
        }
        catch (Exception error)
        {
            file?.Dispose();
            if (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
                throw new OmniFusionException($"Cannot read the pictures {path}: {error.Message}", error);
            throw;
        }
    }

    /// <summary>Reads a picture.</summary>
    /// <param name="index">Its position, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such picture.</exception>
    /// <exception cref="OmniFusionException">The file cannot be read.</exception>
    public RgbImage Read(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        byte[] pixels = new byte[_header.PixelBytes];
        ReadFully(pixels, _firstRecord + index * _header.RecordSize);
        return new RgbImage(Width, Height, pixels);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    internal static byte[] EncodeHeader(PicturePackHeader header) => PackHeader.Encode(Magic, Version, header);

    internal static byte[] EncodeRecord(PicturePackHeader header, ReadOnlySpan<byte> pixels, string text)
    {
        byte[] record = new byte[header.RecordSize];
        pixels.CopyTo(record);
        int length = Encoding.UTF8.GetBytes(text, record.AsSpan(header.PixelBytes + 2));
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(header.PixelBytes), (ushort)length);
        return record;
    }

    internal static (PicturePackHeader Header, int FirstRecord) ReadHeader(string path, SafeFileHandle file) =>
        PackHeader.Read<PicturePackHeader>(path, "a pack of pictures", file, Magic, Version, MaxHeaderSize, header =>
            header is { Width: > 0 and <= MaxSide, Height: > 0 and <= MaxSide, TextSha256: not null });

    private void ReadFully(Span<byte> target, long offset)
    {
        try
        {
            while (target.Length > 0)
            {
                int count = RandomAccess.Read(_file, target, offset);
                if (count == 0)
                    throw new EndOfStreamException("it became shorter.");
                target = target[count..];
                offset += count;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            throw new OmniFusionException($"Cannot read the pictures {_path}: {error.Message}", error);
        }
    }
}

/// <summary>What a pack of pictures was made from; its seed and texts decide every picture.</summary>
internal sealed record PicturePackHeader(int Width, int Height, long Seed, string TextSha256)
{
    internal int PixelBytes => Width * Height * 3;

    internal int RecordSize => PixelBytes + 2 + PicturePack.MaxTextBytes;
}
