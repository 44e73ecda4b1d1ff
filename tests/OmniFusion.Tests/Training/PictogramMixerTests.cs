using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public class PictogramMixerTests
{
    private static readonly PictogramInfo s_info = new("1", "square", "square", "Objects", "tool", null);

    private static readonly Pictogram s_red = Square(255, 0, 0, 8), s_blue = Square(0, 0, 255, 8), s_small = Square(0, 0, 255, 20);

    [Fact]
    public void A_drawing_mixed_with_itself_stays_as_it_is()
    {
        for (int seed = 0; seed < 20; seed++)
            Assert.Equal(s_red.Pixels, PictogramMixer.Mix(s_red, s_red, new Random(seed)).Pixels);
    }

    [Fact]
    public void Where_neither_has_drawn_nothing_is_and_where_both_have_all_is_opaque()
    {
        ReadOnlySpan<byte> mixed = PictogramMixer.Mix(s_red, s_blue, new Random(1)).Pixels;
        for (int pixel = 0; pixel < Pictogram.Side * Pictogram.Side; pixel++)
            Assert.Equal(s_red.Pixels[pixel * 4 + 3], mixed[pixel * 4 + 3]);
    }

    [Fact]
    public void Where_one_alone_has_drawn_its_colour_does_not_fade_but_its_edge_does()
    {
        bool[] alphas = new bool[256];
        for (int seed = 0; seed < 20; seed++)
        {
            ReadOnlySpan<byte> mixed = PictogramMixer.Mix(s_red, s_small, new Random(seed)).Pixels;
            // Inside the large square and outside the small one.
            int at = (Pictogram.Side * 14 + Pictogram.Side / 2) * 4;
            alphas[mixed[at + 3]] = true;
            if (mixed[at + 3] > 0)
                Assert.Equal(new byte[] { 255, 0, 0 }, mixed.Slice(at, 3).ToArray());
        }
        Assert.True(alphas.Count(seen => seen) > 3);
    }

    [Fact]
    public void Some_are_cut_and_some_blended()
    {
        int cut = 0, blended = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            ReadOnlySpan<byte> mixed = PictogramMixer.Mix(s_red, s_blue, new Random(seed)).Pixels;
            int between = 0;
            for (int pixel = 0; pixel < Pictogram.Side * Pictogram.Side; pixel++)
                between += mixed[pixel * 4 + 3] > 0 && mixed[pixel * 4] is > 40 and < 215 ? 1 : 0;
            double share = between / (double)((Pictogram.Side - 16) * (Pictogram.Side - 16));
            cut += share < 0.2 ? 1 : 0;
            blended += share > 0.8 ? 1 : 0;
        }
        Assert.True(cut > 5 && blended > 5, $"{cut} cut, {blended} blended");
    }

    private static Pictogram Square(byte red, byte green, byte blue, int margin) =>
        new(s_info, "maker", PictogramMaker.Square(red, green, blue, margin));
}
