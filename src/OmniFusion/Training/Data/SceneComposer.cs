using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>
/// Draws scenes of one to three pictograms on a background: the pictures that a small vision tower learns to see with. Size, place, rotation,
/// mirroring, stretch, bends, colours and background are random. The same seed draws the same scene. Safe from several threads, each with its
/// own <see cref="Random"/>.
/// </summary>
public sealed class SceneComposer
{
    /// <summary>The most pictograms of a scene.</summary>
    public const int MaxPictograms = 3;

    private const double MaxTilt = 25 * Math.PI / 180;
    private const double MaxTurn = 20 * Math.PI / 180;
    private const float MaxStretch = 1.2f, MaxBend = 0.06f, MaxGamma = 1.8f;

    // Share of the drawings whose colours may be any others.
    private const double Repainted = 0.35;

    private const int Attempts = 48;

    // The smallest and the largest side of a pictogram as a share of the picture's side, by how many there are.
    private static readonly (double Least, double Most)[] s_sizes = [(0.5, 0.95), (0.35, 0.55), (0.3, 0.45)];

    /// <summary>A composer of pictures of one size.</summary>
    /// <param name="side">Pixels in a row, and rows, of every picture.</param>
    public SceneComposer(int side = 112)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 8);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(side, 4096);
        Side = side;
    }

    /// <summary>Pixels in a row, and rows, of every picture.</summary>
    public int Side { get; }

    /// <summary>Draws a random scene.</summary>
    /// <param name="pictograms">One to three.</param>
    /// <param name="random">What everything random is drawn from.</param>
    /// <exception cref="ArgumentException">There is no pictogram, or there are too many.</exception>
    public RgbImage Compose(IReadOnlyList<Pictogram> pictograms, Random random)
    {
        CheckCount(pictograms);
        ArgumentNullException.ThrowIfNull(random);
        RgbImage image = new(Side, Side, new byte[Side * Side * 3]);
        SceneBackground.Draw(image, random);

        Span<(float X, float Y, float Size)> places = stackalloc (float, float, float)[pictograms.Count];
        (double least, double most) = s_sizes[pictograms.Count - 1];
        for (int i = 0; i < places.Length; i++)
            places[i].Size = (float)((least + (most - least) * random.NextDouble()) * Side);
        for (int i = 0; i < places.Length; i++)
        {
            (places[i].X, places[i].Y) = FindPlace(places[..i], places[i].Size, random);
            double tilt = (random.NextDouble() * 2 - 1) * MaxTilt;
            bool mirror = random.Next(2) == 0 && !pictograms[i].Info.IsTextLike;
            float stretch = MathF.Pow(MaxStretch, 2 * random.NextSingle() - 1);
            PictogramPainter.Paint(image, pictograms[i].Pixels,
                new PictogramPlace(places[i].X, places[i].Y, places[i].Size, tilt, mirror, stretch, RandomWarp(random)), RandomLook(random));
        }
        return image;
    }

    /// <summary>Draws the pictograms upright and side by side on white, without anything random.</summary>
    /// <param name="pictograms">One to three.</param>
    /// <exception cref="ArgumentException">There is no pictogram, or there are too many.</exception>
    public RgbImage ComposeFixed(IReadOnlyList<Pictogram> pictograms)
    {
        CheckCount(pictograms);
        RgbImage image = new(Side, Side, new byte[Side * Side * 3]);
        image.Pixels.AsSpan().Fill(255);
        float cell = (float)Side / pictograms.Count;
        for (int i = 0; i < pictograms.Count; i++)
        {
            PictogramPlace place = new(cell * (i + 0.5f), Side / 2f, pictograms.Count == 1 ? Side * 0.8f : cell * 0.95f, 0, Mirror: false);
            PictogramPainter.Paint(image, pictograms[i].Pixels, place, PictogramLook.Plain);
        }
        return image;
    }

    // Makers also differ in proportions: of what one draws round another makes an oval.
    private static PictogramWarp RandomWarp(Random random) => new(
        MaxBend * random.NextSingle(), MaxBend * random.NextSingle(), Waves: 0.5f + random.NextSingle(),
        RowPhase: 2 * MathF.PI * random.NextSingle(), ColumnPhase: 2 * MathF.PI * random.NextSingle());

    // Makers differ in colours before all, so that a model that is to know another maker's drawings must not rely on them: one paints a kite
    // orange, the next green, and a boot may be any brown there is.
    private static PictogramLook RandomLook(Random random) => new(
        Contrast: 0.75f + 0.45f * random.NextSingle(), Brightness: 50 * random.NextSingle() - 25,
        Saturation: random.NextDouble() < 0.1 ? 0 : 0.4f + random.NextSingle(),
        Hue: (float)((random.NextDouble() * 2 - 1) * (random.NextDouble() < Repainted ? Math.PI : MaxTurn)),
        Gamma: MathF.Pow(MaxGamma, 2 * random.NextSingle() - 1));

    private static void CheckCount(IReadOnlyList<Pictogram> pictograms)
    {
        ArgumentNullException.ThrowIfNull(pictograms);
        if (pictograms.Count is < 1 or > MaxPictograms)
            throw new ArgumentException($"A scene has 1 to {MaxPictograms} pictograms, not {pictograms.Count}.", nameof(pictograms));
    }

    // The place, of some random ones, that is the furthest from hiding another pictogram; the first that hides none will do.
    private (float X, float Y) FindPlace(ReadOnlySpan<(float X, float Y, float Size)> others, float size, Random random)
    {
        (float X, float Y) best = default;
        double bestRoom = double.NegativeInfinity;
        for (int attempt = 0; attempt < Attempts && bestRoom < 1; attempt++)
        {
            float x = size / 2 + (Side - size) * random.NextSingle(), y = size / 2 + (Side - size) * random.NextSingle();
            double room = double.PositiveInfinity;
            foreach ((float otherX, float otherY, float otherSize) in others)
            {
                double apart = Math.Max(Math.Abs(x - otherX), Math.Abs(y - otherY));
                room = Math.Min(room, apart / (0.47 * (size + otherSize)));
            }
            if (room > bestRoom)
                (best, bestRoom) = ((x, y), room);
        }
        return best;
    }
}
