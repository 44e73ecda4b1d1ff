using System.Text.Json.Nodes;
using OmniFusion.Checkpoints;

namespace OmniFusion.Cli.Tests;

public sealed class EvaluationSignatureTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public void EverySettingAndEveryByteOfAModelIsInItsDigest()
    {
        byte[] more = new byte[400_000];
        _bundle.Write("omni/more.bin", more);
        List<string> digests = [Digest()];
        Assert.Equal(digests[0], Digest());
        more[100_000] = 1;
        _bundle.Write("omni/more.bin", more);
        digests.Add(Digest());
        _bundle.Write("reads.safetensors", "one");
        Edit("recognizer", "reads.safetensors");
        _bundle.Write("reads.safetensors", "two");
        digests.Add(Digest());
        Edit("fusion", new JsonObject { ["layers"] = new JsonArray(0, 1, 4) });
        Edit("fusion", new JsonObject { ["layers"] = new JsonArray(0, 1, 4), ["gloss"] = true });
        Edit("generation", new JsonObject { ["num_beams"] = 2 });
        Edit("languages", new JsonArray("de", "fr"));
        Assert.Equal(digests.Count, digests.Distinct().Count());

        void Edit(string key, JsonNode value)
        {
            _bundle.EditJson("omnifusion.json", json => json[key] = value);
            digests.Add(Digest());
        }
    }

    [Fact]
    public void SettingsOfStreamsCountForStreamsAlone()
    {
        (string offline, string stream) = (Digest(), Digest(streams: true));
        _bundle.EditJson("omnifusion.json", json => json["simultaneous"] = new JsonObject { ["heads"] = new JsonArray(0, 1) });
        Assert.Equal(offline, Digest());
        string headed = Digest(streams: true);
        Assert.NotEqual(stream, headed);
        _bundle.EditJson("omnifusion.json", json => json["simultaneous"] = new JsonObject { ["heads"] = new JsonArray(1, 1) });
        Assert.NotEqual(headed, Digest(streams: true));
    }

    [Fact]
    public void AnUnfinishedFileIsNoPartOfAModel()
    {
        string before = Digest();
        _bundle.Write("omni/model.safetensors.abcdefgh.ijk.tmp", "half");
        Assert.Equal(before, Digest());
    }

    private string Digest(bool streams = false) => EvaluationSignature.Digest(Bundle.Load(_bundle.Folder), streams);
}
