using System.Numerics;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>Where and how a pictogram stands in a picture.</summary>
/// <param name="X">Its centre from the left, in pixels.</param>
/// <param name="Y">Its centre from the top, in pixels.</param>
/// <param name="Size">Its side in pixels.</param>
/// <param name="Tilt">Its rotation in radians, clockwise.</param>
/// <param name="Mirror">Whether left and right are swapped.</param>
internal readonly record struct PictogramPlace(float X, float Y, float Size, double Tilt, bool Mirror);

/// <summary>Lays a scaled and rotated pictogram over a picture.</summary>
internal static class PictogramPainter
{
    // Beyond this many source pixels a picture's pixel, one bilinear sample would miss some: four are averaged.
    private const float CoarseStep = 1.2f;

    // The bitmap with a transparent frame, so that a sample at its border needs no test.
    private const int Frame = 1, Stride = Pictogram.Side + 2 * Frame;

    public static void Paint(RgbImage image, ReadOnlySpan<byte> pictogram, PictogramPlace place, float contrast, float brightness)
    {
        Span<Vector4> source = stackalloc Vector4[Stride * Stride];
        Prepare(pictogram, contrast, brightness, source);
        (float sin, float cos) = ((float)Math.Sin(place.Tilt), (float)Math.Cos(place.Tilt));
        float reach = place.Size / 2 * (Math.Abs(sin) + Math.Abs(cos)) + 1;
        (int left, int right) = Range(place.X, reach, image.Width);
        (int top, int bottom) = Range(place.Y, reach, image.Height);

        // Between two neighbouring pixels of the picture, and from the pictogram's centre, in pixels of the source.
        float step = Pictogram.Side / place.Size, flip = place.Mirror ? -1 : 1;
        Vector2 alongX = new(cos * step * flip, -sin * step), alongY = new(sin * step * flip, cos * step);
        Vector2 middle = new(Stride / 2f - 0.5f);
        int samples = step > CoarseStep ? 2 : 1;
        float weight = 1f / (samples * samples);
        for (int y = top; y < bottom; y++)
        {
            Span<byte> row = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
            for (int x = left; x < right; x++)
            {
                Vector4 sum = default;
                for (int i = 0; i < samples; i++)
                {
                    for (int j = 0; j < samples; j++)
                    {
                        float dx = x + (i + 0.5f) / samples - place.X, dy = y + (j + 0.5f) / samples - place.Y;
                        sum += Sample(source, middle + alongX * dx + alongY * dy);
                    }
                }
                if (sum.W == 0)
                    continue;
                sum *= weight;
                float rest = 1 - sum.W;
                Span<byte> pixel = row.Slice(x * 3, 3);
                pixel[0] = (byte)(sum.X + pixel[0] * rest + 0.5f);
                pixel[1] = (byte)(sum.Y + pixel[1] * rest + 0.5f);
                pixel[2] = (byte)(sum.Z + pixel[2] * rest + 0.5f);
            }
        }
    }

    private static (int First, int End) Range(float centre, float reach, int size) =>
        (Math.Max(0, (int)(centre - reach)), Math.Min(size, (int)(centre + reach) + 1));

    // Colours are multiplied by alpha, so that the hidden colour of transparent pixels does not bleed into the edges.
    private static void Prepare(ReadOnlySpan<byte> pictogram, float contrast, float brightness, Span<Vector4> source)
    {
        source.Clear();
        Vector4 shift = new(128 + brightness - 128 * contrast);
        for (int y = 0; y < Pictogram.Side; y++)
        {
            ReadOnlySpan<byte> pixels = pictogram.Slice(y * Pictogram.Side * 4, Pictogram.Side * 4);
            Span<Vector4> row = source.Slice((y + Frame) * Stride + Frame, Pictogram.Side);
            for (int x = 0; x < row.Length; x++)
            {
                ReadOnlySpan<byte> pixel = pixels.Slice(x * 4, 4);
                if (pixel[3] == 0)
                    continue;
                float alpha = pixel[3] / 255f;
                Vector4 colour = new Vector4(pixel[0], pixel[1], pixel[2], 0) * contrast + shift;
                row[x] = Vector4.Clamp(colour, Vector4.Zero, new Vector4(255)) * alpha;
                row[x].W = alpha;
            }
        }
    }

    private static Vector4 Sample(ReadOnlySpan<Vector4> source, Vector2 at)
    {
        if (!(at.X >= 0 && at.Y >= 0 && at.X < Stride - 1 && at.Y < Stride - 1))
            return default;
        int x = (int)at.X, y = (int)at.Y;
        ReadOnlySpan<Vector4> corners = source.Slice(y * Stride + x, Stride + 2);
        Vector4 upper = Vector4.Lerp(corners[0], corners[1], at.X - x);
        Vector4 lower = Vector4.Lerp(corners[Stride], corners[Stride + 1], at.X - x);
        return Vector4.Lerp(upper, lower, at.Y - y);
    }
}
