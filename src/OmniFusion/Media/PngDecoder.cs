using System.IO.Compression;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace OmniFusion.Media;

/// <summary>
/// PNG to RGB or RGBA: every colour type, depth and interlacing of the specification (third edition). In RGB, transparency of any kind is
/// laid over white; samples of 16 bits keep their high byte.
/// </summary>
internal static class PngDecoder
{
    // Deflate cannot shrink data further than 258 bytes to 2 bits.
    private const int MaxDeflateRatio = 1032;

    // Adam7: first column, first row, column step, row step of each pass.
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    private static readonly (int X, int Y, int StepX, int StepY)[] NotInterlaced = [(0, 0, 1, 1)];

    /// <summary>Decodes a whole file; <paramref name="name"/> is how error messages call it.</summary>
    /// <exception cref="OmniFusionException">The data is not a PNG image, is damaged, or is too large.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, string name, CancellationToken cancellation = default)
    {
        (int width, int height, byte[] pixels) = Decode(file, name, PngPixels.Rgb, cancellation);
        return new RgbImage(width, height, pixels);
    }

    /// <summary>
    /// Decodes a whole file with its transparency: [height, width, 4] bytes of red, green, blue and alpha, the colours not multiplied by it.
    /// </summary>
    /// <exception cref="OmniFusionException">The data is not a PNG image, is damaged, or is too large.</exception>
    public static (int Width, int Height, byte[] Pixels) DecodeRgba(ReadOnlySpan<byte> file, string name) =>
        Decode(file, name, PngPixels.Rgba, CancellationToken.None);

    private static (int Width, int Height, byte[] Pixels) Decode(
        ReadOnlySpan<byte> file, string name, int channels, CancellationToken cancellation)
    {
        PngChunks png = PngChunks.Read(file, name);
        (int X, int Y, int StepX, int StepY)[] passes = png.Interlaced ? Adam7 : NotInterlaced;
        long expected = 0;
        foreach ((int x, int y, int stepX, int stepY) in passes)
        {
            (int width, int height) = (CountSteps(png.Width, x, stepX), CountSteps(png.Height, y, stepY));
            expected += width == 0 ? 0 : height * (1L + RowBytes(png, width));
        }
        Span<byte> data = Inflate(png, expected, cancellation);

        // Only now, when all the data has been seen, is the header believed.
        byte[] decoded = new byte[png.Width * png.Height * channels];
        PngPixels pixels = new(png, decoded, channels);
        int bytesPerPixel = Math.Max(1, png.SamplesPerPixel * png.Depth / 8);
        foreach ((int x, int y, int stepX, int stepY) in passes)
        {
            (int width, int height) = (CountSteps(png.Width, x, stepX), CountSteps(png.Height, y, stepY));
            if (width == 0)
                continue;
            int rowBytes = (int)RowBytes(png, width);
            Span<byte> above = new byte[rowBytes];
            for (int row = 0; row < height; row++)
            {
                cancellation.ThrowIfCancellationRequested();
                Span<byte> line = data.Slice(1, rowBytes);
                if (!TryUnfilter(data[0], line, above, bytesPerPixel))
                    throw png.Bad($"a row uses filter {data[0]}, which does not exist");
                pixels.Put(line, width, (y + row * stepY) * png.Width + x, stepX);
                above = line;
                data = data[(rowBytes + 1)..];
            }
        }
        return (png.Width, png.Height, decoded);
    }

    private static int CountSteps(int size, int first, int step) => first >= size ? 0 : (size - first - 1) / step + 1;

    private static long RowBytes(PngChunks png, int width) => ((long)width * png.SamplesPerPixel * png.Depth + 7) / 8;

    private static Span<byte> Inflate(PngChunks png, long expected, CancellationToken cancellation)
    {
        if (expected > (long)MaxDeflateRatio * png.Compressed.Length || expected > Array.MaxLength)
            throw png.Bad(
                $"its header says {png.Width} x {png.Height} pixels, far more than its {png.Compressed.Length} bytes of data can hold");
        MemoryMarshal.TryGetArray(png.Compressed, out ArraySegment<byte> compressed);
        using MemoryStream source = new(compressed.Array!, compressed.Offset, compressed.Count);
        using ZLibStream zlib = new(source, CompressionMode.Decompress);

        // One byte more than expected, to find out when there is too much; and never more room than twice what has come.
        byte[] data = new byte[Math.Min(expected + 1, 1 << 16)];
        int filled = 0;
        try
        {
            while (filled <= expected)
            {
                cancellation.ThrowIfCancellationRequested();
                if (filled == data.Length)
                    Array.Resize(ref data, (int)Math.Min(expected + 1, data.Length * 2L));
                int count = zlib.Read(data, filled, Math.Min(data.Length - filled, 1 << 20));
                if (count == 0)
                    break;
                filled += count;
            }
        }
        // What is read is in memory: the second is zlib that is asked for a dictionary.
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new OmniFusionException(png.Bad("its compressed data is damaged").Message, error);
        }
        string amount = filled < expected ? "less" : "more";
        if (filled != expected)
            throw png.Bad($"its data holds {amount} than the {png.Width} x {png.Height} pixels of its header");
        return data.AsSpan(0, filled);
    }

    // Section 9.2: each byte was predicted from the bytes one pixel to the left, above, and above left.
    private static bool TryUnfilter(byte filter, Span<byte> line, ReadOnlySpan<byte> above, int bytesPerPixel)
    {
        switch (filter)
        {
            case 0:
                return true;
            case 1:
                for (int i = bytesPerPixel; i < line.Length; i++)
                    line[i] += line[i - bytesPerPixel];
                return true;
            case 2:
                TensorPrimitives.Add(line, above, line);
                return true;
            case 3:
                for (int i = 0; i < line.Length; i++)
                    line[i] += (byte)(((i < bytesPerPixel ? 0 : line[i - bytesPerPixel]) + above[i]) >> 1);
                return true;
            case 4:
                int head = Math.Min(bytesPerPixel, line.Length);
                TensorPrimitives.Add(line[..head], above[..head], line[..head]);
                for (int i = bytesPerPixel; i < line.Length; i++)
                    line[i] += (byte)PngFormat.Paeth(line[i - bytesPerPixel], above[i], above[i - bytesPerPixel]);
                return true;
            default:
                return false;
        }
    }
}
