using OmniFusion.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class SlidePackTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("slides-").FullName;

    [Fact]
    public void EveryUsualTextFitsOnASlideAndStandsOnce()
    {
        Assert.True(SlidePackBuilder.UsualTexts.Count > 1000);
        Assert.Equal(SlidePackBuilder.UsualTexts.Count, SlidePackBuilder.UsualTexts.Distinct().Count());
        foreach (string text in SlidePackBuilder.UsualTexts)
            Slide.Check(text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("Donaudampfschifffahrt")]
    [InlineData("one two three four five six seven eight")]
    [InlineData("tab\tbed")]
    [InlineData("日本")]
    public void RefusesWhatDoesNotFit(string text) => Assert.Throws<OmniFusionException>(() => Slide.Check(text));

    [Fact]
    public void LongTextsTakeTwoEvenLinesAndShortWordsAreLegible()
    {
        Random random = new(1);
        Assert.Equal(["New", "Orleans"], Slide.Draw("New  Orleans", random).Lines);
        Assert.Equal(["a bat"], Slide.Draw("a bat", random).Lines);
        for (int i = 0; i < 500; i++)
        {
            Slide slide = Slide.Draw("strawberry", random);
            Assert.InRange(slide.FontSize, 12, 48);
            Assert.True(SlideFont.All[slide.Font].Measure("strawberry") * slide.FontSize <= Slide.Side - 2 * Slide.Margin);
        }
    }

    [Fact]
    public void StoppedAndResumedEqualsUnbroken()
    {
        if (!CanDraw())
            Assert.Skip("needs ffmpeg and the fonts");
        string[] texts = ["bat", "Zoë: 100%", "it's a 'mole'", "New Orleans"];
        string unbroken = Path.Combine(_folder, "a.pack"), stopped = Path.Combine(_folder, "b.pack");
        SlidePackBuilder.Build(unbroken, texts, 130, seed: 5, workers: 3, resume: false, null, CancellationToken.None);
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() => SlidePackBuilder.Build(
            stopped, texts, 130, 5, 1, false, done => { if (done >= 64) stop.Cancel(); }, stop.Token));
        byte[] good = File.ReadAllBytes(unbroken);
        // A write that was broken off in the middle of a record.
        File.WriteAllBytes(stopped, good[..(good.Length / 2 + 17)]);
        Assert.Contains("--resume", Error(() => SlidePackBuilder.Build(stopped, texts, 130, 5, 1, false, null, default)));
        Assert.Contains("another seed", Error(() => SlidePackBuilder.Build(stopped, texts, 130, 6, 1, true, null, default)));
        SlidePackBuilder.Build(stopped, texts, 130, 5, 1, true, null, CancellationToken.None);
        Assert.Equal(good, File.ReadAllBytes(stopped));

        using PicturePack pack = PicturePack.Open(unbroken);
        Assert.Equal((130, 112, 112), (pack.Count, pack.Width, pack.Height));
        Assert.Equal(texts.Order(), pack.Texts.Take(4).Order());
        for (int i = 0; i < pack.Count; i++)
        {
            RgbImage slide = pack.Read(i);
            // Ink somewhere, and none at the border, where it would be that of a neighbour.
            int[] colours = [.. Enumerable.Range(0, 112 * 112).Select(p => Colour(slide, p))];
            Assert.InRange(colours.Count(colour => colour != colours[0]), 40, 112 * 112 / 2);
            Assert.All(Enumerable.Range(0, 112), p => Assert.Equal(
                (colours[0], colours[0], colours[0], colours[0]),
                (colours[p], colours[111 * 112 + p], colours[p * 112], colours[p * 112 + 111])));
        }
    }

    [Fact]
    public void NamesAMissingFfmpeg()
    {
        SlideRenderer renderer = new([.. SlideFont.All.Select(font => font.FileName)], "no-such-ffmpeg");
        string error = Error(() => renderer.Render([Slide.Draw("bat", new Random(1))], default));
        Assert.Contains("apt-get install ffmpeg", error);
    }

    [Fact]
    public void RefusesDamagedPacks()
    {
        string path = Path.Combine(_folder, "p.pack");
        PicturePackHeader header = new(2, 2, 1, "x");
        byte[] good = [.. PicturePack.EncodeHeader(header), .. PicturePack.EncodeRecord(header, new byte[12], "bat")];
        File.WriteAllBytes(path, good);
        using (PicturePack pack = PicturePack.Open(path))
        {
            Assert.Equal(["bat"], pack.Texts);
            Assert.Throws<ArgumentOutOfRangeException>(() => pack.Read(1));
        }
        int firstRecord = good.Length - header.RecordSize;
        for (int length = 0; length < firstRecord; length++)
        {
            File.WriteAllBytes(path, good[..length]);
            Assert.Contains("p.pack", Error(() => PicturePack.Open(path)));
        }
        byte[] longText = [.. good];
        longText[firstRecord + 12] = 255;
        File.WriteAllBytes(path, longText);
        Assert.Contains("damaged at picture 0", Error(() => PicturePack.Open(path)));
        File.WriteAllBytes(path, good[..^1]);
        using (PicturePack pack = PicturePack.Open(path))
            Assert.Equal(0, pack.Count);
        Assert.Contains("no-such", Error(() => PicturePack.Open(Path.Combine(_folder, "no-such"))));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Error(Action action) => Assert.Throws<OmniFusionException>(action).Message;

    private static int Colour(RgbImage image, int pixel) =>
        image.Pixels[pixel * 3] << 16 | image.Pixels[pixel * 3 + 1] << 8 | image.Pixels[pixel * 3 + 2];

    private static bool CanDraw()
    {
        try
        {
            SlideRenderer renderer = new(SlideFont.FindAll());
            renderer.Render([Slide.Draw("bat", new Random(1))], default);
            return true;
        }
        catch (OmniFusionException error) when (error.Message.Contains("apt-get") || error.Message.Contains("drawtext"))
        {
            return false;
        }
    }
}
