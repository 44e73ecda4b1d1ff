using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

public class ImageProcessorTests
{
    [Theory]
    [InlineData(28, 28, 56, 56)]
    [InlineData(1, 1, 56, 56)]
    [InlineData(42, 42, 56, 56)]
    [InlineData(70, 98, 56, 112)]
    [InlineData(200, 1, 196, 28)]
    [InlineData(1000, 500, 1008, 504)]
    [InlineData(8000, 4000, 5068, 2520)]
    public void Smart_resize_rounds_halves_to_even_and_keeps_the_area_in_bounds(int width, int height, int newWidth, int newHeight)
    {
        ImageSize size = ImageProcessor.SmartResize(width, height, 28, 4 * 28 * 28, 16384 * 28 * 28);
        Assert.Equal(new ImageSize(newWidth, newHeight), size);
    }

    [Fact]
    public void A_thread_of_an_image_is_refused()
    {
        ImageProcessor processor = new(new ImageProcessorConfig(), ImageSize.Published);
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => processor.Process(new RgbImage(1, 201, new byte[603])));
        Assert.Contains("1 x 201", error.Message, StringComparison.Ordinal);
        Assert.Equal(1296, processor.Process(new RgbImage(1, 200, new byte[600])).Count);
    }

    [Fact]
    public void Patches_of_a_block_stand_together_and_a_frame_is_doubled()
    {
        // Each patch of 14 x 14 has one level: its row * 8 + its column.
        const int side = 112;
        byte[] pixels = [.. from y in Enumerable.Range(0, side) from x in Enumerable.Range(0, side) from c in Enumerable.Range(0, 3)
                            select (byte)(y / 14 * 8 + x / 14 + c * 64)];
        ImageProcessorConfig plain = new() { RescaleFactor = 1, ImageMean = [0, 0, 0], ImageStd = [1, 1, 1] };
        ImagePatches patches = new ImageProcessor(plain, null).Process(new RgbImage(side, side, pixels));
        Assert.Equal((1, 8, 8, 64), (patches.Time, patches.Height, patches.Width, patches.Count));
        float[] levels = [.. Enumerable.Range(0, 8).Select(row => patches.Values[row * 1176])];
        Assert.Equal([0, 1, 8, 9, 2, 3, 10, 11], levels);
        for (int channel = 0; channel < 3; channel++)
            Assert.All(patches.Values.AsSpan(1176 + channel * 392, 392).ToArray(), value => Assert.Equal(1 + channel * 64, value));
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(3, 7)]
    [InlineData(200, 5)]
    public void Resizing_keeps_a_flat_colour(int width, int height)
    {
        byte[] flat = [.. Enumerable.Range(0, 50 * 40).SelectMany(_ => new byte[] { 7, 100, 254 })];
        RgbImage image = BicubicResize.Resize(new RgbImage(50, 40, flat), width, height);
        Assert.Equal(Enumerable.Range(0, width * height).SelectMany(_ => new byte[] { 7, 100, 254 }), image.Pixels);
    }

    [Fact]
    public void Impossible_sizes_are_refused()
    {
        RgbImage image = new(2, 2, new byte[12]);
        Assert.Throws<OmniFusionException>(() => BicubicResize.Resize(image, 0, 5));
        Assert.Throws<OmniFusionException>(() => BicubicResize.Resize(image, 100_000, 100_000));
        Assert.Throws<OmniFusionException>(() => new ImageProcessor(new ImageProcessorConfig(), new ImageSize(27, 512)));
        Assert.Throws<OmniFusionException>(() => new ImageProcessor(new ImageProcessorConfig(), new ImageSize(100_000, 100_000)));
        Assert.Throws<OmniFusionException>(() => new ImageProcessor(new ImageProcessorConfig(), new ImageSize(28, 5628)));
    }

    [Theory]
    [InlineData("512x384", 512, 384)]
    [InlineData("84X28", 84, 28)]
    public void Sizes_are_read(string text, int width, int height) => Assert.Equal(new ImageSize(width, height), ImageSize.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("512")]
    [InlineData("0x5")]
    [InlineData("5x-5")]
    [InlineData("5x5x5")]
    [InlineData("99999999999x5")]
    public void Wrong_sizes_are_refused(string text) =>
        Assert.Contains("WIDTHxHEIGHT", Assert.Throws<OmniFusionException>(() => ImageSize.Parse(text)).Message);

    [Fact]
    public void Settings_come_from_the_file_and_missing_ones_are_the_published()
    {
        ImageProcessorConfig tiny = ImageProcessorConfig.Load(Golden.Tiny("omni/preprocessor_config.json"));
        Assert.Equal(
            (14, 2, 2, 3136L, 12845056L),
            (tiny.PatchSize, tiny.MergeSize, tiny.TemporalPatchSize, tiny.MinPixels, tiny.MaxPixels));
        Assert.Equal([0.48145466f, 0.4578275f, 0.40821073f], tiny.ImageMean);
        ImageProcessorConfig none = LoadText("{\"min_pixels\": null}");
        Assert.Equal(
            (14, 28, 3136L, 1003520L, 1 / 255.0),
            (none.PatchSize, none.Factor, none.MinPixels, none.MaxPixels, none.RescaleFactor));
        ImageProcessorConfig sizes = LoadText(
            """{"size": {"shortest_edge": 6272, "longest_edge": 50176}, "patch_size": 16, "do_normalize": false}""");
        Assert.Equal((16, 6272L, 50176L, 1f), (sizes.PatchSize, sizes.MinPixels, sizes.MaxPixels, sizes.ImageStd[2]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"patch_size\": 0}")]
    [InlineData("{\"patch_size\": 1e30}")]
    [InlineData("{\"patch_size\": \"14\"}")]
    [InlineData("{\"merge_size\": -1}")]
    [InlineData("{\"min_pixels\": 10000000}")]
    [InlineData("{\"image_mean\": [1, 2]}")]
    [InlineData("{\"image_std\": [1, 0, 1]}")]
    [InlineData("{\"image_std\": 1}")]
    [InlineData("{\"rescale_factor\": 1e999}")]
    [InlineData("{\"do_resize\": false}")]
    [InlineData("{\"do_rescale\": 3}")]
    [InlineData("{\"resample\": 2}")]
    public void Useless_settings_are_refused(string json) => Assert.Throws<OmniFusionException>(() => LoadText(json));

    private static ImageProcessorConfig LoadText(string json)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json);
            return ImageProcessorConfig.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
