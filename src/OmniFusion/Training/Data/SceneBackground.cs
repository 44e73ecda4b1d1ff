using System.Numerics;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>Random backgrounds: plain, a gradient, noise or stripes, each as often as the others.</summary>
internal static class SceneBackground
{
    public static void Draw(RgbImage image, Random random)
    {
        int kind = random.Next(4);
        Span<byte> from = stackalloc byte[3], to = stackalloc byte[3];
        random.NextBytes(from);
        random.NextBytes(to);
        if (kind == 0)
        {
            Blend(image, from, from, default);
            return;
        }
        if (kind == 1)
        {
            AddNoise(image, from, 20 + random.Next(80), (uint)random.Next(1, int.MaxValue));
            return;
        }
        double angle = random.NextDouble() * 2 * Math.PI;
        float scale = kind == 2
            ? 1f / (image.Width * (float)(Math.Abs(Math.Cos(angle)) + Math.Abs(Math.Sin(angle))))
            : 1f / (image.Width * (0.08f + 0.3f * random.NextSingle()));
        Pattern pattern = new((float)Math.Cos(angle) * scale, (float)Math.Sin(angle) * scale, random.NextSingle(), Striped: kind == 3);
        if (pattern.Striped)
        {
            // Stripes as strong as a drawing's own edges would hide it.
            for (int i = 0; i < 3; i++)
                to[i] = (byte)(from[i] + (to[i] - from[i]) * 2 / 5);
        }
        Blend(image, from, to, pattern);
    }

    private static void Blend(RgbImage image, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, Pattern pattern)
    {
        (Vector3 first, Vector3 difference) = (new(from[0], from[1], from[2]), new(to[0] - from[0], to[1] - from[1], to[2] - from[2]));
        Span<byte> pixels = image.Pixels;
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                float along = (x - image.Width / 2f) * pattern.X + (y - image.Height / 2f) * pattern.Y;
                float stripe = along + pattern.Phase;
                float share = !pattern.Striped ? Math.Clamp(along + 0.5f, 0, 1) : stripe - MathF.Floor(stripe) < 0.5f ? 0 : 1;
                Vector3 colour = first + difference * share;
                (pixels[0], pixels[1], pixels[2]) = ((byte)colour.X, (byte)colour.Y, (byte)colour.Z);
                pixels = pixels[3..];
            }
        }
    }

    // Xorshift (Marsaglia, 2003): a System.Random with a seed takes several times as long for so many bytes.
    private static void AddNoise(RgbImage image, ReadOnlySpan<byte> colour, int strength, uint state)
    {
        for (int at = 0; at < image.Pixels.Length; at += 3)
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            for (int i = 0; i < 3; i++)
            {
                int noise = ((int)(state >> (i * 8)) & 255) - 128;
                image.Pixels[at + i] = (byte)Math.Clamp(colour[i] + noise * strength / 128, 0, 255);
            }
        }
    }

    private readonly record struct Pattern(float X, float Y, float Phase, bool Striped);
}
