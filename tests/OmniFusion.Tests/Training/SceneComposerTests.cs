using System.Numerics;
using OmniFusion.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public class SceneComposerTests
{
    [Fact]
    public void TheFixedLookShowsEachPictogramInItsCell()
    {
        SceneComposer composer = new(100);
        RgbImage one = composer.ComposeFixed([PictogramMaker.Make(200, 10, 20)]);
        Assert.Equal((100, 100), (one.Width, one.Height));
        // 80 of 100 pixels, in the middle.
        Assert.Equal([255, 255, 255], At(one, 8, 50));
        Assert.Equal([200, 10, 20], At(one, 12, 50));
        Assert.Equal([200, 10, 20], At(one, 87, 12));
        Assert.Equal([255, 255, 255], At(one, 50, 91));
        RgbImage two = composer.ComposeFixed([PictogramMaker.Make(200, 10, 20), PictogramMaker.Make(1, 2, 3)]);
        Assert.Equal([200, 10, 20], At(two, 25, 50));
        Assert.Equal([1, 2, 3], At(two, 75, 50));
        Assert.Equal([255, 255, 255], At(two, 25, 20));
    }

    [Fact]
    public void TransparentPixelsDoNotColourTheEdges()
    {
        byte[] pixels = PictogramMaker.Square(100, 100, 100, 16);
        for (int i = 0; i < pixels.Length; i += 4)
            if (pixels[i + 3] == 0)
                pixels[i] = 255;
        Pictogram pictogram = new(PictogramMaker.Make(0, 0, 0).Info, "me", pixels);
        RgbImage image = new SceneComposer(50).ComposeFixed([pictogram]);
        for (int i = 0; i < image.Pixels.Length; i += 3)
            Assert.Equal(image.Pixels[i], image.Pixels[i + 1]);
    }

    [Fact]
    public void AWarpBendsStraightLines()
    {
        byte[] square = PictogramMaker.Make(200, 10, 20).Pixels.ToArray();
        (int least, int most) = Edge(rows: 0, columns: 0);
        Assert.Equal((20, 20), (least, most));
        // A tenth of 60 pixels to each side.
        (least, most) = Edge(rows: 0.1f, columns: 0);
        Assert.InRange(least, 13, 15);
        Assert.InRange(most, 25, 27);
        // Shifted columns leave an upright line where it is.
        (least, most) = Edge(rows: 0, columns: 0.1f);
        Assert.InRange(least, 19, 21);
        Assert.InRange(most, 19, 21);

        // The first and the last column where the square's left side stands, over the middle rows.
        (int Least, int Most) Edge(float rows, float columns)
        {
            RgbImage image = new(100, 100, new byte[100 * 100 * 3]);
            PictogramPainter.Paint(image, square, new PictogramPlace(50, 50, 60, 0, Mirror: false, 1, new PictogramWarp(rows, columns, 1, 0, 0)),
                PictogramLook.Plain);
            int[] first = [.. Enumerable.Range(30, 40).Select(y => Enumerable.Range(0, 100).First(x => At(image, x, y)[0] > 100))];
            return (first.Min(), first.Max());
        }
    }

    [Fact]
    public void GammaDarkensAllButWhiteAndBlack()
    {
        PictogramLook look = PictogramLook.Plain with { Gamma = 2 };
        Assert.Equal(64.25f, look.Apply(new Vector4(128, 128, 128, 0)).X, 0.01f);
        Assert.Equal(255, look.Apply(new Vector4(255, 255, 255, 0)).X, 0.01f);
        Assert.Equal(0, look.Apply(default).X, 0.01f);
        // The hue stays: all parts of a colour shrink alike.
        Vector4 orange = look.Apply(new Vector4(200, 100, 50, 0));
        Assert.Equal((2f, 4f), (orange.X / orange.Y, orange.X / orange.Z));
        Assert.True(orange.X < 200);
    }

    [Fact]
    public void TheSeedDecidesTheScene()
    {
        SceneComposer composer = new();
        Pictogram[] two = [PictogramMaker.Make(255, 0, 0), PictogramMaker.Make(0, 0, 255)];
        for (int seed = 0; seed < 20; seed++)
        {
            byte[] scene = composer.Compose(two, new Random(seed)).Pixels;
            Assert.Equal(scene, composer.Compose(two, new Random(seed)).Pixels);
            Assert.NotEqual(scene, composer.Compose(two, new Random(seed + 1)).Pixels);
        }
    }

    [Theory]
    [InlineData(1, 0.5, 0.95)]
    [InlineData(2, 0.35, 0.55)]
    [InlineData(3, 0.3, 0.45)]
    public void EveryPictogramIsLargeEnoughAndHardlyHidden(int count, double least, double most)
    {
        SceneComposer composer = new();
        // The same scene without the last pictogram, or with transparent ones, shows which pixels each of them covers.
        Pictogram clear = new(PictogramMaker.Make(0, 0, 0).Info, "me", new byte[Pictogram.ByteCount]);
        List<double> shares = [], visible = [];
        for (int seed = 0; seed < 100; seed++)
        {
            Pictogram[] all = [.. Enumerable.Repeat(clear, count)];
            byte[] background = composer.Compose(all, new Random(seed)).Pixels;
            HashSet<int>[] covers = new HashSet<int>[count];
            for (int i = 0; i < count; i++)
            {
                // Two colours, because either may be that of the background.
                covers[i] = [];
                foreach (Pictogram shape in (Pictogram[])[PictogramMaker.Make(255, 0, 255), PictogramMaker.Make(0, 255, 0)])
                {
                    Pictogram[] scene = [.. all];
                    scene[i] = shape;
                    byte[] pixels = composer.Compose(scene, new Random(seed)).Pixels;
                    covers[i].UnionWith(Enumerable.Range(0, pixels.Length / 3).Where(p =>
                        !pixels.AsSpan(p * 3, 3).SequenceEqual(background.AsSpan(p * 3, 3))));
                }
                shares.Add(Math.Sqrt(covers[i].Count) / composer.Side);
            }
            for (int i = 0; i < count; i++)
                visible.Add((double)covers[i].Except(covers.Skip(i + 1).SelectMany(later => later)).Count() / covers[i].Count);
        }
        // A rim of half a pixel is covered in part; a large tilted one is cut off at the picture's border.
        Assert.InRange(shares.Min(), least * 0.9, least * 1.2);
        Assert.InRange(shares.Max(), most * 0.85, most + 0.03);
        Assert.True(visible.Min() > 0.5, $"one is hidden up to {visible.Min():P0}");
        Assert.True(visible.Average() > 0.95, $"on average {visible.Average():P0} are seen");
    }

    [Fact]
    public void LettersAndFlagsAreNeverMirrored()
    {
        // The left half only: its centre of mass tells mirrored from not, whatever the tilt of at most 25 degrees.
        byte[] left = PictogramMaker.Square(255, 0, 255, 0);
        for (int i = 0; i < left.Length; i += 4)
            if (i / 4 % Pictogram.Side >= Pictogram.Side / 2)
                left[i + 3] = 0;
        byte[] right = PictogramMaker.Square(255, 0, 255, 0);
        for (int i = 0; i < right.Length; i += 4)
            if (i / 4 % Pictogram.Side < Pictogram.Side / 2)
                right[i + 3] = 0;
        PictogramInfo thing = PictogramMaker.Make(0, 0, 0).Info, flag = thing with { Category = "Flags" };
        Assert.InRange(CountMirrored(thing), 25, 75);
        Assert.Equal(0, CountMirrored(flag));
        Assert.Equal(0, CountMirrored(thing with { Name = "hand pointing left" }));

        int CountMirrored(PictogramInfo info) => Enumerable.Range(0, 100).Count(seed =>
            MeanX(new Pictogram(info, "me", left), seed) > MeanX(new Pictogram(info, "me", right), seed));

        double MeanX(Pictogram half, int seed)
        {
            Pictogram clear = new(half.Info, "me", new byte[Pictogram.ByteCount]);
            byte[] with = new SceneComposer(56).Compose([half], new Random(seed)).Pixels;
            byte[] without = new SceneComposer(56).Compose([clear], new Random(seed)).Pixels;
            return Enumerable.Range(0, 56 * 56)
                .Where(p => !with.AsSpan(p * 3, 3).SequenceEqual(without.AsSpan(p * 3, 3)))
                .Average(p => p % 56);
        }
    }

    [Fact]
    public void RefusesNoneAndTooMany()
    {
        Pictogram one = PictogramMaker.Make(1, 2, 3);
        Assert.Throws<ArgumentException>(() => new SceneComposer().Compose([], new Random(1)));
        Assert.Throws<ArgumentException>(() => new SceneComposer().Compose([one, one, one, one], new Random(1)));
        Assert.Throws<ArgumentException>(() => new SceneComposer().ComposeFixed([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SceneComposer(0));
        Assert.Throws<ArgumentException>(() => new Pictogram(one.Info, "me", new byte[3]));
    }

    private static byte[] At(RgbImage image, int x, int y) => image.Pixels.AsSpan((y * image.Width + x) * 3, 3).ToArray();
}
