using OmniFusion.Media;
using OmniFusion.Tests.Checkpoints;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class RecordedPackTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void RecordingsBecomeAPackOfTheirTexts()
    {
        foreach ((string name, int rate) in new[] { ("one", 8000), ("two", 16000) })
        {
            // A second of silence, half a second of a tone, a second of silence.
            float[] samples = [.. Enumerable.Range(0, rate * 5 / 2).Select(i => i < rate || i >= rate * 3 / 2 ? 0 : 0.5f * MathF.Sin(i * 0.2f))];
            WavWriter.WritePcm16(_folder[name + ".wav"], samples, rate);
        }
        string manifest = _folder.Write("digits.jsonl", """
            {"audio":"one.wav","text":"One.","speaker":"anna"}

            {"audio":"two.wav","text":"Two."}
            """);
        string path = _folder["digits.pack"];
        RecordedPack.Build(path, RecordedPack.ReadManifest(manifest));
        using SpeechPack pack = SpeechPack.Open(path);
        Assert.True(pack.IsMadeFrom(["One.", "Two."]));
        Assert.Equal(["anna", "unknown"], pack.Items.Select(item => item.Voice));
        // 0.15 s of silence stay on either side.
        Assert.All(pack.Items, item => Assert.InRange(item.SampleCount, 0.78 * 16000, 0.82 * 16000));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.draft*"));
        Assert.Contains("exists", Assert.Throws<OmniFusionException>(() => RecordedPack.Build(path, RecordedPack.ReadManifest(manifest))).Message);
    }

    [Fact]
    public void ABrokenOffPackLeavesNothing()
    {
        WavWriter.WritePcm16(_folder["one.wav"], [.. Enumerable.Range(0, 8000).Select(i => MathF.Sin(i * 0.2f))], 16000);
        string[] before = Directory.GetFiles(_folder.Path);
        Recording one = new(_folder["one.wav"], "One.", "anna"), missing = new(_folder["missing.wav"], "Two.", "anna");
        string path = _folder["digits.pack"];
        Assert.Throws<OmniFusionException>(() => RecordedPack.Build(path, [one, missing]));
        Assert.Equal(before, Directory.GetFiles(_folder.Path));
        using CancellationTokenSource stop = new();
        Assert.ThrowsAny<OperationCanceledException>(() => RecordedPack.Build(path, [one, one], _ => stop.Cancel(), stop.Token));
        Assert.Equal(before, Directory.GetFiles(_folder.Path));
        // As if the machine had stopped before.
        File.WriteAllText(path + ".draft.index", "torn");
        RecordedPack.Build(path, [one, one]);
        using SpeechPack pack = SpeechPack.Open(path);
        Assert.Equal(2, pack.Count);
    }

    [Fact]
    public void AnEmptyManifestIsRefused() => Assert.Contains(
        "none.jsonl names no recording", Assert.Throws<OmniFusionException>(() => RecordedPack.ReadManifest(_folder.Write("none.jsonl", "\n\n"))).Message);

    [Theory]
    [InlineData("{\"audio\":\"one.wav\"}", "'text'")]
    [InlineData("{\"text\":\"One.\"}", "'audio'")]
    [InlineData("[1]", "'audio'")]
    [InlineData("{", "not JSON")]
    [InlineData("{\"audio\":\"one.wav\",\"text\":\"\\ud800\"}", "broken Unicode")]
    [InlineData("{\"\\ud800\":1}", "broken Unicode")]
    public void ABadManifestIsNamedWithItsLine(string line, string message)
    {
        string manifest = _folder.Write("bad.jsonl", "\n" + line);
        string said = Assert.Throws<OmniFusionException>(() => RecordedPack.ReadManifest(manifest)).Message;
        Assert.Contains(message, said);
        Assert.Contains("line 2", said);
    }

    public void Dispose() => _folder.Dispose();
}
