using System.Numerics;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>Where and how a pictogram stands in a picture.</summary>
/// <param name="X">Its centre from the left, in pixels.</param>
/// <param name="Y">Its centre from the top, in pixels.</param>
/// <param name="Size">Its longer side in pixels.</param>
/// <param name="Tilt">Its rotation in radians, clockwise.</param>
/// <param name="Mirror">Whether left and right are swapped.</param>
/// <param name="Stretch">Its width by its height; the longer of them is the size.</param>
/// <param name="Warp">How its lines are bent.</param>
internal readonly record struct PictogramPlace(
    float X, float Y, float Size, double Tilt, bool Mirror, float Stretch = 1, PictogramWarp Warp = default);

/// <summary>A pictogram with waves in it: every row is shifted sideways and every column up or down, each along a sine.</summary>
/// <param name="Rows">The largest shift of a row, as a share of the pictogram's side.</param>
/// <param name="Columns">That of a column.</param>
/// <param name="Waves">Waves over a side.</param>
/// <param name="RowPhase">Where the waves of the rows begin, in radians.</param>
/// <param name="ColumnPhase">Where those of the columns begin.</param>
internal readonly record struct PictogramWarp(float Rows, float Columns, float Waves, float RowPhase, float ColumnPhase)
{
    /// <summary>The shift of each row and column, in pixels of the pictogram.</summary>
    internal void Fill(Span<float> rows, Span<float> columns)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            float along = 2 * MathF.PI * Waves * i / rows.Length;
            rows[i] = Pictogram.Side * Rows * MathF.Sin(along + RowPhase);
            columns[i] = Pictogram.Side * Columns * MathF.Sin(along + ColumnPhase);
        }
    }
}

/// <summary>How a pictogram's colours are changed.</summary>
/// <param name="Contrast">1 leaves them as they are.</param>
/// <param name="Brightness">Added, of 255.</param>
/// <param name="Saturation">0 is grey, 1 leaves them as they are.</param>
/// <param name="Hue">Turn of the colour circle in radians.</param>
/// <param name="Gamma">Power that luminance is taken to: above 1 darkens, and white and black stay.</param>
internal readonly record struct PictogramLook(float Contrast, float Brightness, float Saturation, float Hue, float Gamma = 1)
{
    // Luminance of red, green and blue (W3C Filter Effects, feColorMatrix).
    private static readonly Vector4 s_luminance = new(0.213f, 0.715f, 0.072f, 0);

    /// <summary>As drawn.</summary>
    internal static PictogramLook Plain => new(1, 0, 1, 0);

    /// <summary>How light a colour is, from 0 to 255.</summary>
    internal static float Luminance(Vector3 colour) => Vector3.Dot(colour, s_luminance.AsVector3());

    /// <summary>The changed colour, each part between 0 and 255.</summary>
    internal Vector4 Apply(Vector4 colour)
    {
        if (Saturation != 1 || Hue != 0)
        {
            // A grey part, and a difference to it that is turned about the grey axis (Rodrigues' formula).
            Vector4 grey = new(Vector4.Dot(colour, s_luminance));
            Vector3 difference = (colour - grey).AsVector3();
            (float sin, float cos) = MathF.SinCos(Hue);
            Vector3 axis = new(1 / MathF.Sqrt(3));
            Vector3 turned = difference * cos + Vector3.Cross(axis, difference) * sin + axis * (Vector3.Dot(axis, difference) * (1 - cos));
            colour = grey + new Vector4(turned * Saturation, 0);
        }
        if (Gamma != 1)
        {
            // All parts of a colour by the same factor, so that hue and saturation stay what they are.
            float luminance = Math.Clamp(Vector4.Dot(colour, s_luminance), 1, 255);
            colour *= MathF.Pow(luminance / 255, Gamma - 1);
        }
        return Vector4.Clamp(colour * Contrast + new Vector4(128 + Brightness - 128 * Contrast), Vector4.Zero, new Vector4(255));
    }
}

/// <summary>Lays a scaled and rotated pictogram over a picture.</summary>
internal static class PictogramPainter
{
    // Beyond this many source pixels a picture's pixel, one bilinear sample would miss some: four are averaged.
    private const float CoarseStep = 1.2f;

    // The bitmap with a transparent frame, so that a sample at its border needs no test.
    private const int Frame = 1, Stride = Pictogram.Side + 2 * Frame;

    public static void Paint(RgbImage image, ReadOnlySpan<byte> pictogram, PictogramPlace place, PictogramLook look)
    {
        Span<Vector4> source = stackalloc Vector4[Stride * Stride];
        Prepare(pictogram, look, source);
        Span<float> rowShifts = stackalloc float[Stride], columnShifts = stackalloc float[Stride];
        place.Warp.Fill(rowShifts, columnShifts);
        (float sin, float cos) = ((float)Math.Sin(place.Tilt), (float)Math.Cos(place.Tilt));
        float width = place.Size * Math.Min(place.Stretch, 1), height = place.Size * Math.Min(1 / place.Stretch, 1);
        float bent = 1 + 2 * Math.Max(place.Warp.Rows, place.Warp.Columns);
        float reach = Math.Max(width, height) / 2 * bent * (Math.Abs(sin) + Math.Abs(cos)) + 1;
        (int left, int right) = Range(place.X, reach, image.Width);
        (int top, int bottom) = Range(place.Y, reach, image.Height);

        // Between two neighbouring pixels of the picture, and from the pictogram's centre, in pixels of the source.
        float stepX = Pictogram.Side / width, stepY = Pictogram.Side / height, flip = place.Mirror ? -1 : 1;
        Vector2 alongX = new(cos * stepX * flip, -sin * stepY), alongY = new(sin * stepX * flip, cos * stepY);
        Vector2 middle = new(Stride / 2f - 0.5f);
        int samples = Math.Max(stepX, stepY) > CoarseStep ? 2 : 1;
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
                        Vector2 at = middle + alongX * dx + alongY * dy;
                        sum += Sample(source, at + new Vector2(Shift(rowShifts, at.Y), Shift(columnShifts, at.X)));
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

    private static float Shift(ReadOnlySpan<float> shifts, float at) => shifts[Math.Clamp((int)at, 0, shifts.Length - 1)];

    private static (int First, int End) Range(float centre, float reach, int size) =>
        (Math.Max(0, (int)(centre - reach)), Math.Min(size, (int)(centre + reach) + 1));

    // Colours are multiplied by alpha, so that the hidden colour of transparent pixels does not bleed into the edges.
    private static void Prepare(ReadOnlySpan<byte> pictogram, PictogramLook look, Span<Vector4> source)
    {
        source.Clear();
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
                row[x] = look.Apply(new Vector4(pixel[0], pixel[1], pixel[2], 0)) * alpha;
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
