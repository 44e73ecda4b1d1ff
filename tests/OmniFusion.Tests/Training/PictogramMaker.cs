using System.Text.Json;
using OmniFusion.Media;
using OmniFusion.Tests.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

/// <summary>Pictograms and packages of them, made of plain shapes.</summary>
internal static class PictogramMaker
{
    /// <summary>An opaque square of one colour that leaves a transparent margin of the given width.</summary>
    public static byte[] Square(byte r, byte g, byte b, int margin)
    {
        byte[] pixels = new byte[Pictogram.ByteCount];
        for (int y = margin; y < Pictogram.Side - margin; y++)
            for (int x = margin; x < Pictogram.Side - margin; x++)
                new[] { r, g, b, (byte)255 }.CopyTo(pixels, (y * Pictogram.Side + x) * 4);
        return pixels;
    }

    public static Pictogram Make(byte r, byte g, byte b, int margin = 0, string category = "Objects") =>
        new(new PictogramInfo("1f000", "square", "square", category, "tool", null), "me", Square(r, g, b, margin));

    /// <summary>The package folder of a maker, in which a bat, a ball and a waving hand with one skin tone are drawn.</summary>
    public static void MakePackage(string nodeModules, string maker, byte level)
    {
        string package = Path.Combine(nodeModules, "emoji-datasource-" + maker);
        string images = Path.Combine(package, "img", maker.Split('-')[0], "64");
        Directory.CreateDirectory(images);
        Dictionary<string, object> Entry(string name, string shortName, string code, params string[] makers)
        {
            Dictionary<string, object> entry = new()
            {
                ["name"] = name, ["short_name"] = shortName, ["image"] = code + ".png", ["category"] = "Animals & Nature",
                ["subcategory"] = "animal-mammal",
            };
            foreach (string one in makers)
                entry["has_img_" + one] = true;
            return entry;
        }
        Dictionary<string, object> hand = Entry("WAVING HAND SIGN", "wave", "1f44b-fe0f", "one", "two");
        hand["skin_variations"] = new Dictionary<string, object>
        {
            ["1F3FB"] = Entry("", "", "1f44b-1f3fb", "one", "two"),
            ["1F3FB-1F3FC"] = Entry("", "", "1f44b-1f3fb-1f3fc", "one", "two"),
            ["1F3FC"] = Entry("", "", "1f44b-1f3fc", "one"),
        };
        File.WriteAllText(Path.Combine(package, "emoji.json"), JsonSerializer.Serialize(new[]
        {
            Entry("BAT", "bat", "1f987", "one", "two"), Entry("ONLY ONE", "only", "1f988", "one"), hand,
            Entry("MAN: BALD", "bald_man", "1f468-200d-1f9b2", "one", "two"),
        }));
        foreach (string code in (string[])["1f987", "1f44b-fe0f", "1f44b-1f3fb", "1f468-200d-1f9b2"])
        {
            ImagePngMaker png = new() { Width = 64, Height = 64, Colour = 6, Sample = (x, y, c) => c == 3 ? x : c == 0 ? level : y };
            File.WriteAllBytes(Path.Combine(images, code + ".png"), png.Make());
        }
    }
}
