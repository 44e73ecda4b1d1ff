using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

public sealed class ImageFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_missing_file_and_a_folder_are_named()
    {
        Assert.Contains("nowhere.png does not exist", Refused("nowhere.png"), StringComparison.Ordinal);
        Assert.Contains("is a folder", Refused(""), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_named()
    {
        File.WriteAllBytes(Path.Combine(_folder, "a.png"), []);
        Assert.Contains("a.png is empty", Refused("a.png"), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_renamed_to_png_is_no_picture()
    {
        File.WriteAllText(Path.Combine(_folder, "a.png"), "Only words, and more words.");
        Assert.Contains("a.png is n", Refused("a.png"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_ffmpeg_the_sentence_says_so()
    {
        using MemoryStream rest = new();
        OmniFusionException error = Assert.Throws<OmniFusionException>(
            () => ImageFfmpeg.ToPng(new byte[8], rest, "a.jpg", CancellationToken.None, "no-such-program-as-ffmpeg"));
        Assert.Contains("a.jpg is not a PNG; other formats need ffmpeg, which is not installed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_jpeg_comes_through_ffmpeg_whatever_its_name_is()
    {
        Assert.SkipUnless(HasFfmpeg(), "ffmpeg is not installed");
        string path = Path.Combine(_folder, "-file:%03d.jpg");
        File.Copy(Golden.Media("slide.jpg"), path);
        RgbImage jpeg = ImageFile.Read(path, TestContext.Current.CancellationToken);
        RgbImage png = ImageFile.Read(Golden.Media("slide.png"), TestContext.Current.CancellationToken);
        Assert.Equal((png.Width, png.Height), (jpeg.Width, jpeg.Height));
        double difference = png.Pixels.Zip(jpeg.Pixels, (a, b) => (double)Math.Abs(a - b)).Average();
        Assert.InRange(difference, 0.01, 6);
    }

    [Fact]
    public void A_sound_is_no_picture()
    {
        Assert.SkipUnless(HasFfmpeg(), "ffmpeg is not installed");
        Assert.EndsWith("bat.wav has no picture in it.", Refused(Golden.Media("bat.wav")), StringComparison.Ordinal);
    }

    [Fact]
    public void Half_a_jpeg_is_refused()
    {
        Assert.SkipUnless(HasFfmpeg(), "ffmpeg is not installed");
        byte[] whole = File.ReadAllBytes(Golden.Media("slide.jpg"));
        File.WriteAllBytes(Path.Combine(_folder, "half.jpg"), whole[..(whole.Length / 2)]);
        Assert.Contains("half.jpg is neither", Refused("half.jpg"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_reading_stops()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => ImageFile.Read(Golden.Media("slide.png"), source.Token));
        Assert.SkipUnless(HasFfmpeg(), "ffmpeg is not installed");
        Assert.ThrowsAny<OperationCanceledException>(() => ImageFile.Read(Golden.Media("slide.jpg"), source.Token));
    }

    private static bool HasFfmpeg() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "ffmpeg.exe" : "ffmpeg")));

    private string Refused(string name) =>
        Assert.Throws<OmniFusionException>(() => ImageFile.Read(Path.Combine(_folder, name), CancellationToken.None)).Message;
}
