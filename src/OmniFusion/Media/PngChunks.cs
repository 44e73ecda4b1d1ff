using System.Buffers.Binary;
using System.Text;

namespace OmniFusion.Media;

/// <summary>The checked chunks of a PNG file that make the picture: header, palette, transparency and compressed data.</summary>
internal sealed class PngChunks
{
    private readonly string _name;
    private readonly MemoryStream _compressed = new();
    private bool _dataEnded;

    private PngChunks(string name) => _name = name;

    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Bits of a sample: 1, 2, 4, 8 or 16.</summary>
    public int Depth { get; private set; }

    public PngColour Colour { get; private set; }

    public bool Interlaced { get; private set; }

    /// <summary>Red, green, blue of each entry; empty without a PLTE chunk.</summary>
    public byte[] Palette { get; private set; } = [];

    /// <summary>The tRNS chunk: an alpha for each palette entry, or 16-bit samples of the one transparent colour; or null.</summary>
    public byte[]? Transparency { get; private set; }

    /// <summary>The zlib stream of all IDAT chunks.</summary>
    public ReadOnlyMemory<byte> Compressed => _compressed.GetBuffer().AsMemory(0, (int)_compressed.Length);

    public int SamplesPerPixel => Colour switch
    {
        PngColour.Gray or PngColour.Palette => 1,
        PngColour.GrayAlpha => 2,
        PngColour.Rgb => 3,
        _ => 4,
    };

    /// <summary>Walks a whole file; <paramref name="name"/> is how error messages call it.</summary>
    public static PngChunks Read(ReadOnlySpan<byte> file, string name)
    {
        PngChunks chunks = new(name);
        if (!file.StartsWith(PngFormat.Signature))
            throw chunks.Bad("it does not begin with the PNG signature");
        ReadOnlySpan<byte> rest = file[PngFormat.Signature.Length..];
        for (bool first = true; ; first = false)
        {
            if (rest.Length < 12)
                throw chunks.Bad("the file is cut short");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - 12)
                throw chunks.Bad("the file is cut short");
            ReadOnlySpan<byte> typeAndData = rest.Slice(4, 4 + (int)length);
            rest = rest[(8 + (int)length)..];
            if (PngFormat.Crc(typeAndData) != BinaryPrimitives.ReadUInt32BigEndian(rest))
                throw chunks.Bad($"the checksum of chunk {Printable(typeAndData[..4])} is wrong");
            rest = rest[4..];
            if (typeAndData.StartsWith("IEND"u8))
                break;
            chunks.Take(typeAndData[..4], typeAndData[4..], first);
        }
        if (chunks._compressed.Length == 0)
            throw chunks.Bad("it has no image data (IDAT)");
        if (chunks.Colour == PngColour.Palette && chunks.Palette.Length == 0)
            throw chunks.Bad("its palette (PLTE) is missing");
        return chunks;
    }

    public OmniFusionException Bad(string what) => new($"The PNG image {_name} cannot be read: {what}.");

    private void Take(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data, bool first)
    {
        bool isHeader = type.SequenceEqual("IHDR"u8), isData = type.SequenceEqual("IDAT"u8);
        if (isHeader != first)
            throw Bad(first ? "its header (IHDR) is missing" : "it has a second header (IHDR)");
        if (isHeader)
            TakeHeader(data);
        else if (isData)
            TakeData(data);
        else if (type.SequenceEqual("PLTE"u8))
            TakePalette(data);
        else if (type.SequenceEqual("tRNS"u8))
            TakeTransparency(data);
        else if ((type[0] & 0x20) == 0)
            throw Bad($"chunk {Printable(type)} is not known and marked as necessary");
        _dataEnded |= !isData && _compressed.Length > 0;
    }

    private void TakeHeader(ReadOnlySpan<byte> data)
    {
        if (data.Length != 13)
            throw Bad($"its header has {data.Length} bytes instead of 13");
        uint width = BinaryPrimitives.ReadUInt32BigEndian(data), height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        if (width == 0 || height == 0 || width > int.MaxValue || height > int.MaxValue)
            throw Bad($"its header says {width} x {height} pixels");
        if ((ulong)width * height > RgbImage.MaxPixels)
            throw Bad($"its header says {width} x {height} pixels, more than the limit of {RgbImage.MaxPixels}");
        (Width, Height, Depth, Colour) = ((int)width, (int)height, data[8], (PngColour)data[9]);
        bool allowed = Colour switch
        {
            PngColour.Gray => Depth is 1 or 2 or 4 or 8 or 16,
            PngColour.Palette => Depth is 1 or 2 or 4 or 8,
            PngColour.Rgb or PngColour.GrayAlpha or PngColour.Rgba => Depth is 8 or 16,
            _ => false,
        };
        if (!allowed)
            throw Bad($"colour type {data[9]} with {Depth} bits does not exist");
        if (data[10] != 0 || data[11] != 0 || data[12] > 1)
            throw Bad($"compression {data[10]}, filter method {data[11]}, interlace {data[12]} do not exist");
        Interlaced = data[12] == 1;
    }

    private void TakePalette(ReadOnlySpan<byte> data)
    {
        if (Palette.Length > 0 || _compressed.Length > 0 || data.Length is 0 or > 768 || data.Length % 3 != 0)
            throw Bad("its palette (PLTE) is damaged or in the wrong place");
        Palette = data.ToArray();
    }

    private void TakeTransparency(ReadOnlySpan<byte> data)
    {
        bool fits = Colour switch
        {
            PngColour.Gray => data.Length == 2,
            PngColour.Rgb => data.Length == 6,
            PngColour.Palette => data.Length <= Palette.Length / 3,
            _ => true,
        };
        if (!fits || Transparency is not null || _compressed.Length > 0)
            throw Bad("its transparency (tRNS) is damaged or in the wrong place");
        Transparency = data.ToArray();
    }

    private void TakeData(ReadOnlySpan<byte> data)
    {
        if (_dataEnded)
            throw Bad("its image data (IDAT) is interrupted by other chunks");
        _compressed.Write(data);
    }

    private static string Printable(ReadOnlySpan<byte> type)
    {
        foreach (byte letter in type)
            if (!char.IsAsciiLetter((char)letter))
                return "0x" + Convert.ToHexString(type);
        return Encoding.ASCII.GetString(type);
    }
}
