using System.Numerics;

namespace OmniFusion.Media;

/// <summary>
/// Bicubic resizing with the arithmetic of Pillow's <c>Image.resize</c>: a = -0.5, the support widened when shrinking
/// (antialiasing), 22-bit fixed-point weights, the first pass rounded to 8 bits before the second. As in Pillow 13 the horizontal pass is
/// the first one, unless the height shrinks, and by more than the width.
/// </summary>
public static class BicubicResize
{
    // 8 bits of value, and 2 spare for overshoot, leave 22 of 32 for the weights.
    private const int PrecisionBits = 32 - 8 - 2;

    private const int Half = 1 << (PrecisionBits - 1);

    /// <summary>Resizes a picture; the same picture comes back when it already has the size.</summary>
    /// <param name="image">The source.</param>
    /// <param name="width">Width of the result in pixels.</param>
    /// <param name="height">Height of the result in pixels.</param>
    /// <exception cref="OmniFusionException">The result is empty or larger than <see cref="RgbImage.MaxPixels"/>.</exception>
    public static RgbImage Resize(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (width <= 0 || height <= 0 || (long)width * height > RgbImage.MaxPixels
            || (long)Math.Max(width, image.Width) * Math.Max(height, image.Height) * 3 > Array.MaxLength)
            throw new OmniFusionException($"An image of {image.Width} x {image.Height} pixels cannot be resized to {width} x {height}.");
        bool columnsFirst = height < image.Height && (long)height * image.Width < (long)width * image.Height;
        return columnsFirst ? ResizeRows(ResizeColumns(image, height), width) : ResizeColumns(ResizeRows(image, width), height);
    }

    private static RgbImage ResizeRows(RgbImage image, int width)
    {
        if (width == image.Width)
            return image;
        Weights weights = new(image.Width, width);
        byte[] result = new byte[width * image.Height * 3];
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> row = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
            Span<byte> target = result.AsSpan(y * width * 3, width * 3);
            for (int x = 0; x < width; x++)
            {
                ReadOnlySpan<int> taps = weights.Of(x, out int start);
                ReadOnlySpan<byte> source = row.Slice(start * 3, taps.Length * 3);
                int r = Half, g = Half, b = Half;
                for (int k = 0, at = 0; k < taps.Length && at + 2 < source.Length; k++, at += 3)
                {
                    int weight = taps[k];
                    r += source[at] * weight;
                    g += source[at + 1] * weight;
                    b += source[at + 2] * weight;
                }
                Span<byte> pixel = target.Slice(x * 3, 3);
                (pixel[0], pixel[1], pixel[2]) = (ToByte(r), ToByte(g), ToByte(b));
            }
        }
        return new RgbImage(width, image.Height, result);
    }

    private static RgbImage ResizeColumns(RgbImage image, int height)
    {
        if (height == image.Height)
            return image;
        Weights weights = new(image.Height, height);
        int rowBytes = image.Width * 3;
        byte[] result = new byte[height * rowBytes];
        int[] sums = new int[rowBytes];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<int> taps = weights.Of(y, out int start);
            sums.AsSpan().Fill(Half);
            for (int k = 0; k < taps.Length; k++)
                AddRow(sums, image.Pixels.AsSpan((start + k) * rowBytes, rowBytes), taps[k]);
            Span<byte> target = result.AsSpan(y * rowBytes, rowBytes);
            for (int i = 0; i < target.Length; i++)
                target[i] = ToByte(sums[i]);
        }
        return new RgbImage(image.Width, height, result);
    }

    private static void AddRow(Span<int> sums, ReadOnlySpan<byte> row, int weight)
    {
        int i = 0;
        for (; i <= row.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(row[i..]), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(low, out Vector<uint> first, out Vector<uint> second);
            Vector.Widen(high, out Vector<uint> third, out Vector<uint> fourth);
            Add(sums[i..], first, weight);
            Add(sums[(i + Vector<int>.Count)..], second, weight);
            Add(sums[(i + 2 * Vector<int>.Count)..], third, weight);
            Add(sums[(i + 3 * Vector<int>.Count)..], fourth, weight);
        }
        for (; i < row.Length; i++)
            sums[i] += row[i] * weight;
    }

    private static void Add(Span<int> sums, Vector<uint> values, int weight) =>
        (new Vector<int>(sums) + values.As<uint, int>() * weight).CopyTo(sums);

    private static byte ToByte(int sum) => (byte)Math.Clamp(sum >> PrecisionBits, 0, 255);

    /// <summary>For each pixel of the result along one axis: the first source pixel it looks at, and the weights from there on.</summary>
    private sealed class Weights
    {
        private const double Support = 2;

        private readonly int[] _starts;
        private readonly int[] _counts;
        private readonly int[] _taps;
        private readonly int _stride;

        public Weights(int sourceSize, int size)
        {
            double scale = (double)sourceSize / size, filterScale = Math.Max(1, scale), support = Support * filterScale;
            _stride = (int)Math.Ceiling(support) * 2 + 1;
            (_starts, _counts, _taps) = (new int[size], new int[size], new int[size * _stride]);
            double[] weights = new double[_stride];
            for (int i = 0; i < size; i++)
            {
                double center = (i + 0.5) * scale;
                int start = Math.Max(0, (int)(center - support + 0.5)), count = Math.Min(sourceSize, (int)(center + support + 0.5)) - start;
                double total = 0;
                for (int k = 0; k < count; k++)
                    total += weights[k] = Cubic((k + start - center + 0.5) * (1 / filterScale));
                for (int k = 0; k < count; k++)
                {
                    double fixedPoint = (total != 0 ? weights[k] / total : weights[k]) * (1 << PrecisionBits);
                    _taps[i * _stride + k] = (int)(fixedPoint < 0 ? fixedPoint - 0.5 : fixedPoint + 0.5);
                }
                (_starts[i], _counts[i]) = (start, count);
            }
        }

        public ReadOnlySpan<int> Of(int index, out int start)
        {
            start = _starts[index];
            return _taps.AsSpan(index * _stride, _counts[index]);
        }

        // Keys' cubic convolution kernel.
        private static double Cubic(double x)
        {
            const double a = -0.5;
            x = Math.Abs(x);
            return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < Support ? (((x - 5) * x + 8) * x - 4) * a : 0;
        }
    }
}
