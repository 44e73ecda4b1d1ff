using System.Text.RegularExpressions;
using OmniFusion.Checkpoints;

namespace OmniFusion.Tests.Checkpoints;

public sealed class BundleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public BundleTests()
    {
        foreach (string part in new[] { "omni", "translator", "fusion", "other" })
            Directory.CreateDirectory(_folder[part]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsMissingHasThePublishedValueAndWhatIsUnknownIsIgnored()
    {
        string file = _folder.Write("omnifusion.json", """{"colour":"blue","fusion":{"shape":"round"},"prompt":null}""");
        Bundle bundle = Bundle.Load(file);
        Assert.Equal((_folder["omni"], _folder["translator"], _folder["fusion"]), (bundle.Mmfm, bundle.Translator, bundle.Adapter));
        Assert.Equal(("gated", 2, 512, 512, "published"),
            (bundle.FusionMode, bundle.ProjectionDepth, bundle.ImageWidth, bundle.ImageHeight, bundle.Prompt));
        Assert.Equal(
            new BundleGeneration { NumBeams = 5, NoRepeatNgramSize = 5, MaxNewTokens = 256, LengthPenalty = 1 }, bundle.Generation);
        Assert.Equal(25, bundle.Languages.Count);
        Assert.Null(bundle.Recognizer);
        Assert.Equal(bundle, Bundle.Load(_folder.Path) with { Languages = bundle.Languages });
    }

    [Fact]
    public void SavedAndLoadedItIsTheSame()
    {
        _folder.Write("other/ctc.safetensors", "");
        Bundle bundle = new()
        {
            Mmfm = _folder["omni"],
            Translator = _folder["other"],
            Adapter = _folder["fusion"],
            Recognizer = _folder["other/ctc.safetensors"],
            FusionMode = "weighted",
            ProjectionDepth = 1,
            ImageWidth = 112,
            ImageHeight = 84,
            Prompt = "compact",
            Languages = ["de"],
            Generation = new BundleGeneration { NumBeams = 1, NoRepeatNgramSize = 0, MaxNewTokens = 40, LengthPenalty = 0.5f, ChainOfThought = true },
        };
        bundle.Save(_folder.Path);
        Assert.Contains("\"recognizer\": \"other/ctc.safetensors\"", File.ReadAllText(_folder["omnifusion.json"]));
        Bundle read = Bundle.Load(_folder.Path);
        Assert.Equal(["de"], read.Languages);
        Assert.Equal(bundle, read with { Languages = bundle.Languages });
        Assert.Contains("lies outside", Assert.Throws<OmniFusionException>(() => bundle.Save(_folder["other"])).Message);
    }

    [Theory]
    [InlineData("""{"mmfm":3}""", "'mmfm' is not a string")]
    [InlineData("""{"mmfm":"nowhere"}""", "which does not exist")]
    [InlineData("""{"mmfm":"/etc"}""", "'mmfm' is '/etc', which is no path inside")]
    [InlineData("""{"adapter":"fusion/../../.."}""", "which is no path inside")]
    [InlineData("""{"adapter":"\u0000"}""", "which is no path inside")]
    [InlineData("""{"adapter":"\ud800"}""", "broken Unicode")]
    [InlineData("""{"recognizer":"omni"}""", "'recognizer' names")]
    [InlineData("""{"fusion":"gated"}""", "'fusion' is not an object")]
    [InlineData("""{"fusion":{"mode":"sum"}}""", "'fusion.mode' is none of mid, last")]
    [InlineData("""{"fusion":{"projection_depth":0}}""", "'fusion.projection_depth' is 0")]
    [InlineData("""{"fusion":{"projection_depth":65}}""", "beyond 64")]
    [InlineData("""{"image_size":[512]}""", "'image_size' is not [width, height]")]
    [InlineData("""{"image_size":[512,0]}""", "'image_size' is not [width, height]")]
    [InlineData("""{"image_size":512}""", "'image_size' is not a list")]
    [InlineData("""{"generation":{"num_beams":"5"}}""", "'generation.num_beams' is not a whole number")]
    [InlineData("""{"generation":{"num_beams":2000}}""", "'generation.num_beams' is beyond")]
    [InlineData("""{"generation":{"no_repeat_ngram_size":-1}}""", "is negative")]
    [InlineData("""{"generation":{"length_penalty":"1"}}""", "'generation.length_penalty' is not a number")]
    [InlineData("""{"generation":{"chain_of_thought":1}}""", "'generation.chain_of_thought' is not true or false")]
    [InlineData("""{"simultaneous":{"pause_seconds":1e400}}""", "'simultaneous.pause_seconds' is not a number")]
    [InlineData("""{"prompt":"short"}""", "'prompt' is none of published, compact")]
    [InlineData("""{"languages":[]}""", "'languages' is empty")]
    [InlineData("""{"languages":[1]}""", "'languages' is not a list of strings")]
    [InlineData("""{"simultaneous":{"heads":[1]}}""", "'simultaneous.heads' is not a list of layer, head")]
    [InlineData("""{"simultaneous":{"text_heads":[1,-1]}}""", "'simultaneous.text_heads' is not a list")]
    [InlineData("""{"simultaneous":{"chunk_seconds":"fast"}}""", "'simultaneous.chunk_seconds' is not a number")]
    [InlineData("{", "is not valid JSON")]
    public void AWrongValueIsOneSentenceWithItsKey(string json, string expected)
    {
        string file = _folder.Write("omnifusion.json", json);
        string message = Assert.Throws<OmniFusionException>(() => Bundle.Load(_folder.Path)).Message;
        Assert.StartsWith(file, message);
        Assert.Contains(expected, message);
    }

    [Fact]
    public void SettingsOfStreamsAreReadAndWritten()
    {
        const string json = """{"policy":"alignatt:frames=6","chunk_seconds":0.25,"heads":[3,0,3,5]}""";
        _folder.Write("omnifusion.json", $$"""{"simultaneous":{{json}}}""");
        Bundle bundle = Bundle.Load(_folder.Path);
        Assert.Equal([(3, 0), (3, 5)], bundle.Simultaneous.Heads);
        Assert.Equal(("alignatt:frames=6", 0.25, null),
            (bundle.Simultaneous.Policy, bundle.Simultaneous.ChunkSeconds, bundle.Simultaneous.PauseSeconds));
        bundle.Save(_folder.Path);
        Assert.Contains(json, File.ReadAllText(_folder["omnifusion.json"]).Replace(" ", "").Replace("\n", "").Replace("\r", ""));
    }

    [Fact]
    public void SettingsOfStreamsAreEditedInPlace()
    {
        string file = _folder.Write("omnifusion.json",
            "{\"note\":\"für später\",\"simultaneous\":{\"sentence_pause_seconds\":0.3,\"heads\":[1,1],\"more\":[]},"
            + "\"fusion\":{\"mode\":\"mid\"}}");
        new BundleSimultaneous { Heads = [(3, 0), (2, 5)], TextHeads = [(0, 1)] }.SaveInto(_folder.Path);
        Assert.Equal("{\"note\":\"fürspäter\",\"simultaneous\":{\"sentence_pause_seconds\":0.3,\"heads\":[3,0,2,5],\"more\":[],"
            + "\"text_heads\":[0,1]},\"fusion\":{\"mode\":\"mid\"}}", Regex.Replace(File.ReadAllText(file), "\\s", ""));
        Assert.Equal(0.3, Bundle.Load(file).Simultaneous.SentencePauseSeconds);
        // A file without the section gets one, by its own name too.
        _folder.Write("omnifusion.json", "{\"simultaneous\":null}");
        new BundleSimultaneous { Policy = "hold-n:3" }.SaveInto(file);
        Assert.Equal("hold-n:3", Bundle.Load(_folder.Path).Simultaneous.Policy);
        Assert.Equal([file], Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"simultaneous\":[]}")]
    [InlineData("{\"note\":1,\"note\":2}")]
    public void ABrokenBundleIsNotEdited(string json)
    {
        string file = _folder.Write("omnifusion.json", json);
        Assert.StartsWith(file, Assert.Throws<OmniFusionException>(
            () => new BundleSimultaneous { Policy = "hold-n:3" }.SaveInto(_folder.Path)).Message);
        Assert.Equal(json, File.ReadAllText(file));
    }

    [Fact]
    public void AMissingBundleIsOneSentence() =>
        Assert.EndsWith("omnifusion.json does not exist", Assert.Throws<OmniFusionException>(() => Bundle.Load(_folder["omni"])).Message);
}
