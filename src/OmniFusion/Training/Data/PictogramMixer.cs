using System.Numerics;

namespace OmniFusion.Training.Data;

/// <summary>
/// Draws one thing as two makers together would: here more like the one and there more like the other, and its colours mixed elsewhere than its
/// light and shade. A tower that has only seen whole drawings knows each of them by heart; what two of them have in common is what a third
/// maker's is likely to have, too (mixing of domains for generalisation to new ones: Xu et al. 2020, arXiv 1912.01805; parts of two images in
/// one: CutMix, arXiv 1905.04899).
/// </summary>
internal static class PictogramMixer
{
    // How wide the passage from one maker to the other is, in sides of the drawing: from a cut to an even mixture.
    private const double Sharpest = 0.05, Softest = 4;

    /// <summary>A drawing that mixes two of the same thing.</summary>
    internal static Pictogram Mix(Pictogram one, Pictogram other, Random random)
    {
        Passage shape = Passage.Draw(random), colours = Passage.Draw(random);
        byte[] mixed = new byte[Pictogram.ByteCount];
        ReadOnlySpan<byte> a = one.Pixels, b = other.Pixels;
        for (int y = 0; y < Pictogram.Side; y++)
        {
            for (int x = 0; x < Pictogram.Side; x++)
            {
                int at = (y * Pictogram.Side + x) * 4;
                float ofOther = shape.At(x, y), alphaA = a[at + 3] * (1 - ofOther), alphaB = b[at + 3] * ofOther, alpha = alphaA + alphaB;
                if (alpha == 0)
                    continue;
                // A transparent pixel has no colour to mix.
                Vector3 colourA = Colour(a, at), colourB = Colour(b, at);
                float lightA = PictogramLook.Luminance(colourA), lightB = PictogramLook.Luminance(colourB);
                float hueOfB = a[at + 3] == 0 ? 1 : b[at + 3] == 0 ? 0 : colours.At(x, y);
                Vector3 colour = new Vector3((lightA * alphaA + lightB * alphaB) / alpha)
                    + Vector3.Lerp(colourA - new Vector3(lightA), colourB - new Vector3(lightB), hueOfB);
                colour = Vector3.Clamp(colour, Vector3.Zero, new Vector3(255));
                for (int part = 0; part < 3; part++)
                    mixed[at + part] = (byte)(colour[part] + 0.5f);
                mixed[at + 3] = (byte)(alpha + 0.5f);
            }
        }
        return new Pictogram(one.Info, one.Maker, mixed);
    }

    private static Vector3 Colour(ReadOnlySpan<byte> pixels, int at) => new(pixels[at], pixels[at + 1], pixels[at + 2]);

    /// <summary>A share of the other drawing that rises along a line.</summary>
    private readonly record struct Passage(float X, float Y, float Start, float Width)
    {
        internal static Passage Draw(Random random)
        {
            (double sin, double cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
            double width = Sharpest * Math.Pow(Softest / Sharpest, random.NextDouble());
            // The middle of the passage lies within the drawing.
            double middle = 0.5 * (random.NextDouble() - 0.5);
            return new Passage((float)cos, (float)sin, (float)(middle - width / 2), (float)width);
        }

        internal float At(int x, int y)
        {
            float along = X * ((x + 0.5f) / Pictogram.Side - 0.5f) + Y * ((y + 0.5f) / Pictogram.Side - 0.5f);
            return Math.Clamp((along - Start) / Width, 0, 1);
        }
    }
}
