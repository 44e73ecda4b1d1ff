namespace OmniFusion.Media;

/// <summary>A picture of 8-bit red, green and blue, without transparency.</summary>
public sealed class RgbImage
{
    /// <summary>
    /// The most pixels a picture may have, read or computed: 178,956,970 (2 x (2^30 / 4 / 3)),
    /// the count at which Pillow speaks of a decompression bomb.
    /// </summary>
    public const int MaxPixels = 178_956_970;

    /// <summary>Wraps pixels without copying them.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="pixels">[height, width, 3] bytes, rows from the top.</param>
    /// <exception cref="ArgumentException">A side is not positive, or the array has another length.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.Length != (long)width * height * 3)
            throw new ArgumentException(
                $"{width} x {height} pixels need {(long)width * height * 3} bytes, not {pixels.Length}.", nameof(pixels));
        (Width, Height, Pixels) = (width, height, pixels);
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3] bytes: red, green, blue, rows from the top.</summary>
    public byte[] Pixels { get; }
}
