using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

/// <summary>The whole image front end against the published one.</summary>
public class ImageGoldenTests
{
    public static TheoryData<string> Pictures => ["alpha", "gray", "palette", "slide"];

    [Theory, MemberData(nameof(Pictures))]
    public void First_resize_equals_the_published_bytes(string name)
    {
        Golden golden = Golden.Load("image_" + name);
        RgbImage resized = ImageProcessor.ToMultiplesOf28(Read(golden));
        Assert.Equal(golden.Shape("first_resize_rgb"), new[] { resized.Height, resized.Width, 3 });
        Assert.Equal(golden.Bytes("first_resize_rgb"), resized.Pixels);
    }

    [Theory, MemberData(nameof(Pictures))]
    public void Second_resize_equals_the_published_bytes(string name)
    {
        Golden golden = Golden.Load("image_" + name);
        ImageProcessor processor = new(TinyConfig(), ImageSize.Published);
        RgbImage resized = processor.ToImageSize(ImageProcessor.ToMultiplesOf28(Read(golden)));
        Assert.Equal((512, 512), (resized.Width, resized.Height));
        byte[] everyEighth = [.. from y in Enumerable.Range(0, 64)
                                 from i in Enumerable.Range(0, 64 * 3)
                                 select resized.Pixels[(y * 8 * 512 + i / 3 * 8) * 3 + i % 3]];
        Assert.Equal(golden.Bytes("resized512_rgb_every_8th"), everyEighth);
    }

    [Theory, MemberData(nameof(Pictures))]
    public void Patches_equal_the_published_ones(string name)
    {
        Golden golden = Golden.Load("image_" + name);
        ImagePatches patches = new ImageProcessor(TinyConfig(), ImageSize.Published).Process(Read(golden));
        Assert.Equal(golden.Longs("grid_thw"), Grid(patches));
        AssertRows(golden.Floats("pixel_values_sampled"), patches, golden.Longs("pixel_values_rows"));
    }

    [Theory, MemberData(nameof(Pictures))]
    public void Patches_without_the_own_size_equal_the_published_ones(string name)
    {
        Golden golden = Golden.Load("image_" + name);
        ImagePatches patches = new ImageProcessor(TinyConfig(), null).Process(Read(golden));
        Assert.Equal(golden.Longs("native_grid_thw"), Grid(patches));
        long[] everyFifth = [.. Enumerable.Range(0, (patches.Count + 4) / 5).Select(row => row * 5L)];
        AssertRows(golden.Floats("native_pixel_values"), patches, everyFifth);
    }

    [Theory]
    [InlineData("thinker_audio_image")]
    [InlineData("thinker_audio_image_full")]
    public void Grid_takes_the_image_size_as_width_then_height(string name)
    {
        Golden golden = Golden.Load(name);
        int[] size = [.. golden.Json.GetProperty("image_size").EnumerateArray().Select(n => n.GetInt32())];
        RgbImage image = ImageFile.Read(Golden.Media("slide.png"), TestContext.Current.CancellationToken);
        ImagePatches patches = new ImageProcessor(TinyConfig(), new ImageSize(size[0], size[1])).Process(image);
        Assert.Equal(golden.Longs("image_grid_thw"), Grid(patches));
        Assert.Equal(golden.Shape("image_embeddings")[0], patches.Count / 4);
    }

    private static ImageProcessorConfig TinyConfig() => ImageProcessorConfig.Load(Golden.Tiny("omni/preprocessor_config.json"));

    private static RgbImage Read(Golden golden) =>
        ImageFile.Read(Golden.Media(golden.Json.GetProperty("source").GetString()!), TestContext.Current.CancellationToken);

    private static long[] Grid(ImagePatches patches) => [patches.Time, patches.Height, patches.Width];

    private static void AssertRows(float[] expected, ImagePatches patches, long[] rows)
    {
        int columns = patches.Values.Length / patches.Count;
        Assert.Equal(expected.Length, rows.Length * columns);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], patches.Values[rows[i / columns] * columns + i % columns], 1e-5f);
    }
}
