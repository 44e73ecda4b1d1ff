using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class PictogramPackTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pictograms-").FullName;

    [Fact]
    public void HoldsWhatAllMakersHaveDrawnWithTransparency()
    {
        using PictogramPack pack = PictogramPack.Open(Make());
        Assert.Equal(["one", "two"], pack.Makers);
        Assert.Equal(["1f987", "1f44b-fe0f", "1f44b-1f3fb", "1f468-200d-1f9b2"], pack.Infos.Select(info => info.Hexcode));
        Assert.Equal(["bat", "waving hand", "waving hand", "bald man"], pack.Infos.Select(info => info.Name));
        Assert.Equal([null, null, "1f44b-fe0f", null], pack.Infos.Select(info => info.BaseHexcode));
        Assert.Equal(8, pack.Pictograms.Count);
        Pictogram bat = pack.Find("1F987", "two")!;
        Assert.Equal(("bat", "two", 200), (bat.Info.ShortName, bat.Maker, bat.Pixels[0]));
        Assert.Equal(100, pack.Find("1f987", "one")!.Pixels[0]);
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++)
                Assert.Equal([200, (byte)y, (byte)y, (byte)x], bat.Pixels.Slice((y * 64 + x) * 4, 4).ToArray());
        Assert.Equal("1f44b-fe0f", pack.Find("1f44b", "one")!.Info.Hexcode);
        Assert.Null(pack.Find("1f988", "one"));
        Assert.Null(pack.Find("1f987", "three"));
        Assert.True(pack.Contains("1f987"));
        Assert.False(pack.Contains("1f988"));
    }

    [Fact]
    public void NamesAMissingPackage()
    {
        string error = Error(() => PictogramPackBuilder.Build(_folder, ["one"], Path.Combine(_folder, "p")));
        Assert.Contains("npm install emoji-datasource-one in", error);
        PictogramMaker.MakePackage(_folder, "one", 100);
        error = Error(() => PictogramPackBuilder.Build(_folder, ["one", "one-3"], Path.Combine(_folder, "p")));
        Assert.Contains("npm install emoji-datasource-one-3@npm:emoji-datasource-one@3 in", error);
    }

    [Fact]
    public void AnOlderEditionLacksNothing()
    {
        PictogramMaker.MakePackage(_folder, "one", 100);
        PictogramMaker.MakePackage(_folder, "two", 200);
        PictogramMaker.MakePackage(_folder, "one-3", 50);
        File.Delete(Path.Combine(_folder, "emoji-datasource-one-3", "img", "one", "64", "1f468-200d-1f9b2.png"));
        string path = Path.Combine(_folder, "editions.pack");
        PictogramPackBuilder.Build(_folder, ["one", "one-3", "two"], path);
        using PictogramPack pack = PictogramPack.Open(path);
        Assert.Equal(["one", "one-3", "two"], pack.Makers);
        Assert.Equal(50, pack.Find("1f987", "one-3")!.Pixels[0]);
        Assert.Equal(100, pack.Find("1f468-200d-1f9b2", "one-3")!.Pixels[0]);
    }

    [Fact]
    public void AMakerWithoutAListLacksNothingEither()
    {
        PictogramMaker.MakePackage(_folder, "one", 100);
        PictogramMaker.MakePackage(_folder, "two", 200);
        PictogramMaker.MakePackage(_folder, "emojione", 50);
        string images = Path.Combine(_folder, "emoji-datasource-emojione", "img", "emojione", "64");
        File.Delete(Path.Combine(images, "1f987.png"));
        // The same hand, with its name written in another way.
        File.Move(Path.Combine(images, "1f44b-fe0f.png"), Path.Combine(images, "1F44B.png"));
        string path = Path.Combine(_folder, "others.pack");
        PictogramPackBuilder.Build(_folder, ["one", "two", "emojione"], path);
        using PictogramPack pack = PictogramPack.Open(path);
        Assert.Equal(100, pack.Find("1f987", "emojione")!.Pixels[0]);
        Assert.Equal(50, pack.Find("1f44b-fe0f", "emojione")!.Pixels[0]);
        Assert.Contains("has none", Error(() => PictogramPackBuilder.Build(_folder, ["emojione", "one"], path)));
        Assert.Contains(
            "npm install @lobehub/fluent-emoji-3d", Error(() => PictogramPackBuilder.Build(_folder, ["one", "two", "fluent"], path)));
    }

    [Fact]
    public void IconsComeFromManySets()
    {
        PictogramMaker.MakePackage(_folder, "one", 100);
        PictogramMaker.MakePackage(_folder, "two", 200);
        string error = Error(() => PictogramPackBuilder.Build(_folder, ["one", "two", "icons-1"], Path.Combine(_folder, "p")));
        Assert.Contains("npm install @iconify-json/", error);
        foreach (string maker in new[] { "icons", "icons-0", "icons-x" })
            Assert.Contains($"no maker '{maker}'", Error(() => PictogramPackBuilder.Build(_folder, ["one", "two", maker], Path.Combine(_folder, "p"))));
        string[][] lines = [.. EmbeddedLines.Read("Icons.tsv").Select(line => line.Split('\t'))];
        Assert.Equal(lines.Length, lines.Select(line => line[0]).Distinct().Count());
        // People are left out: an icon of one shows no gender, and that decides.
        Assert.All(lines, line => Assert.Matches("^[0-9a-f]+$", line[0]));
        Assert.All(lines.SelectMany(line => line[1].Split(' ')), icon => Assert.Matches("^[a-z0-9-]+:[a-z0-9-]+$", icon));
        // Sets that have none of them leave the first maker's drawings.
        foreach (string set in lines.SelectMany(line => line[1].Split(' ')).Select(icon => icon.Split(':')[0]).Distinct())
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "@iconify-json", set)).FullName, "icons.json"), """{"icons":{}}""");
        string path = Path.Combine(_folder, "icons.pack");
        PictogramPackBuilder.Build(_folder, ["one", "two", "icons-1"], path);
        using PictogramPack pack = PictogramPack.Open(path);
        Assert.Equal(100, pack.Find("1f987", "icons-1")!.Pixels[0]);
    }

    [Fact]
    public void NamesADrawingThatIsMissingAndLeavesNoPack()
    {
        string pack = Make();
        File.Delete(pack);
        File.Delete(Path.Combine(_folder, "emoji-datasource-two", "img", "two", "64", "1f987.png"));
        Assert.Contains("1f987.png", Error(() => PictogramPackBuilder.Build(_folder, ["one", "two"], pack)));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("[{}]")]
    [InlineData("[{\"has_img_one\":true,\"has_img_two\":true}]")]
    [InlineData("{}")]
    [InlineData("no")]
    public void RefusesAnotherListThanTheOneExpected(string json)
    {
        string pack = Make();
        string list = Path.Combine(_folder, "emoji-datasource-one", "emoji.json");
        File.WriteAllText(list, json);
        Assert.Contains(list, Error(() => PictogramPackBuilder.Build(_folder, ["one", "two"], pack)));
    }

    [Fact]
    public void RefusesDamagedFiles()
    {
        byte[] good = File.ReadAllBytes(Make());
        string bad = Path.Combine(_folder, "bad.pack");
        Assert.Contains("bad.pack", Error(() => PictogramPack.Open(bad)));
        // Cut everywhere in the header, and in the bitmaps; and a size of the header that is a lie.
        foreach (int length in Enumerable.Range(0, 300).Append(good.Length - 1))
        {
            File.WriteAllBytes(bad, good[..length]);
            Assert.Contains("bad.pack", Error(() => PictogramPack.Open(bad)));
        }
        for (int at = 0; at < 200; at++)
        {
            byte[] flipped = [.. good];
            flipped[at] ^= 0x80;
            File.WriteAllBytes(bad, flipped);
            try
            {
                PictogramPack.Open(bad).Dispose();
            }
            catch (OmniFusionException error)
            {
                Assert.Contains("bad.pack", error.Message);
            }
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Error(Action action) => Assert.Throws<OmniFusionException>(action).Message;

    private string Make()
    {
        PictogramMaker.MakePackage(_folder, "one", 100);
        PictogramMaker.MakePackage(_folder, "two", 200);
        string path = Path.Combine(_folder, "p.pack");
        PictogramPackBuilder.Build(_folder, ["one", "two"], path);
        return path;
    }
}
