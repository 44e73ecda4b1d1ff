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
        Assert.Contains("bat.wav is neither a PNG nor a picture", Refused(Golden.Media("bat.wav")), StringComparison.Ordinal);
        string film = Make("sound.m4a", "anullsrc=duration=0.2");
        Assert.EndsWith("sound.m4a has no picture in it.", Refused(film), StringComparison.Ordinal);
    }

    // Formats whose readers jump about in the file, and one that is known by its ending alone.
    [Theory]
    [InlineData("a.gif")]
    [InlineData("a.tiff")]
    [InlineData("a.tga")]
    [InlineData("a.webp")]
    public void Large_pictures_of_other_formats_are_read(string name)
    {
        Assert.SkipUnless(HasFfmpeg(), "ffmpeg is not installed");
        RgbImage image = ImageFile.Read(Make(name, "testsrc2=size=1400x1000"), TestContext.Current.CancellationToken);
        Assert.Equal((1400, 1000), (image.Width, image.Height));
        byte[] whole = File.ReadAllBytes(Path.Combine(_folder, name));
        File.WriteAllBytes(Path.Combine(_folder, "half-" + name), whole[..(whole.Length / 2)]);
        Assert.Contains("neither a PNG nor a picture", Refused("half-" + name), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_other_files_is_no_picture()
    {
        Assert.SkipUnless(HasFfmpeg(), "ffmpeg is not installed");
        File.Copy(Golden.Media("slide.jpg"), Path.Combine(_folder, "b.jpg"));
        File.WriteAllText(Path.Combine(_folder, "list.jpg"), $"ffconcat version 1.0\nfile {Path.Combine(_folder, "b.jpg")}\n");
        Assert.Contains("list.jpg is neither a PNG nor a picture", Refused("list.jpg"), StringComparison.Ordinal);
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

    private string Make(string name, string source)
    {
        string path = Path.Combine(_folder, name);
        using System.Diagnostics.Process ffmpeg = System.Diagnostics.Process.Start("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "1", path]);
        ffmpeg.WaitForExit();
        return path;
    }

    private string Refused(string name) =>
        Assert.Throws<OmniFusionException>(() => ImageFile.Read(Path.Combine(_folder, name), CancellationToken.None)).Message;
}
