using System.Buffers.Binary;

namespace OmniFusion.Media;

/// <summary>Turns the unfiltered rows of a PNG into RGB or RGBA bytes of the picture.</summary>
internal sealed class PngPixels
{
    /// <summary>Bytes of a pixel whose transparency is laid over white.</summary>
    public const int Rgb = 3;

    /// <summary>Bytes of a pixel that keeps its transparency.</summary>
    public const int Rgba = 4;

    private readonly PngChunks _png;
    private readonly byte[] _target;
    private readonly int _channels;
    private readonly int _depth;
    private readonly int _mask;

    // Brings a sample of 8 bits or fewer to 0..255; all such factors are whole.
    private readonly int _scale;

    // The one transparent colour, -1 where there is none (no sample equals it).
    private readonly (int R, int G, int B) _clear = (-1, -1, -1);

    /// <param name="png">The file's header, palette and transparency.</param>
    /// <param name="target">[height, width, channels] bytes to fill.</param>
    /// <param name="channels"><see cref="Rgb"/> or <see cref="Rgba"/>.</param>
    public PngPixels(PngChunks png, byte[] target, int channels)
    {
        (_png, _target, _channels, _depth) = (png, target, channels, png.Depth);
        _mask = (1 << _depth) - 1;
        _scale = _depth < 8 ? 255 / _mask : 1;
        if (png.Transparency is { } clear)
        {
            if (png.Colour == PngColour.Gray)
                _clear.R = Word(clear, 0) & _mask;
            else if (png.Colour == PngColour.Rgb)
                _clear = (Word(clear, 0) & _mask, Word(clear, 2) & _mask, Word(clear, 4) & _mask);
        }
    }

    /// <summary>Puts a row of <paramref name="count"/> pixels at pixel <paramref name="first"/> and every step-th after it.</summary>
    public void Put(ReadOnlySpan<byte> row, int count, int first, int step)
    {
        Span<byte> target = _target.AsSpan(first * _channels);
        for (int i = 0; i < count; i++)
        {
            Span<byte> pixel = target.Slice(i * step * _channels, _channels);
            switch (_png.Colour)
            {
                case PngColour.Gray:
                    int gray = Sample(row, i);
                    byte level = ToByte(gray);
                    Put(pixel, level, level, level, gray == _clear.R ? 0 : 255);
                    break;
                case PngColour.Rgb:
                    (int r, int g, int b) = (Sample(row, i * 3), Sample(row, i * 3 + 1), Sample(row, i * 3 + 2));
                    Put(pixel, ToByte(r), ToByte(g), ToByte(b), (r, g, b) == _clear ? 0 : 255);
                    break;
                case PngColour.Palette:
                    PutPaletteEntry(pixel, Sample(row, i));
                    break;
                case PngColour.GrayAlpha:
                    byte light = ToByte(Sample(row, i * 2));
                    Put(pixel, light, light, light, ToByte(Sample(row, i * 2 + 1)));
                    break;
                default:
                    Put(pixel, ToByte(Sample(row, i * 4)), ToByte(Sample(row, i * 4 + 1)), ToByte(Sample(row, i * 4 + 2)),
                        ToByte(Sample(row, i * 4 + 3)));
                    break;
            }
        }
    }

    private void PutPaletteEntry(Span<byte> pixel, int index)
    {
        byte[] palette = _png.Palette;
        if (index * 3 >= palette.Length)
            throw _png.Bad($"a pixel uses colour {index} of a palette of {palette.Length / 3}");
        int alpha = _png.Transparency is { } alphas && index < alphas.Length ? alphas[index] : 255;
        Put(pixel, palette[index * 3], palette[index * 3 + 1], palette[index * 3 + 2], alpha);
    }

    private int Sample(ReadOnlySpan<byte> row, int index) => _depth switch
    {
        8 => row[index],
        16 => Word(row, index * 2),
        _ => row[(int)((long)index * _depth >> 3)] >> (8 - _depth - (int)((long)index * _depth & 7)) & _mask,
    };

    private byte ToByte(int sample) => (byte)(_depth == 16 ? sample >> 8 : sample * _scale);

    private static int Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);

    private static void Put(Span<byte> pixel, byte r, byte g, byte b, int alpha)
    {
        if (pixel.Length == Rgba)
            (pixel[0], pixel[1], pixel[2], pixel[3]) = (r, g, b, (byte)alpha);
        else if (alpha == 255)
            (pixel[0], pixel[1], pixel[2]) = (r, g, b);
        else
            (pixel[0], pixel[1], pixel[2]) = (Blend(r, alpha), Blend(g, alpha), Blend(b, alpha));
    }

    // The division by 255, rounded to nearest, that Pillow's paste uses.
    private static byte Blend(int value, int alpha)
    {
        int sum = value * alpha + 255 * (255 - alpha) + 128;
        return (byte)((sum >> 8) + sum >> 8);
    }
}
