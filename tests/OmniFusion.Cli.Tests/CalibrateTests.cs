using System.Text.Json;
using System.Text.Json.Nodes;

namespace OmniFusion.Cli.Tests;

public sealed class CalibrateTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task WritesTheBestHeadsIntoTheBundleAndPrintsAll()
    {
        JsonNode before = JsonNode.Parse(File.ReadAllText(_bundle["omnifusion.json"]))!;
        Outcome outcome = await Run("--heads", "2", "--json", "--write", "--model", _bundle.Folder);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        JsonElement[] decoders = [.. Assert.Single(outcome.Json).GetProperty("decoders").EnumerateArray()];
        Assert.Equal(["fused", "recogniser", "text"], decoders.Select(decoder => decoder.GetProperty("decoder").GetString()));
        JsonNode after = JsonNode.Parse(File.ReadAllText(_bundle["omnifusion.json"]))!;
        foreach (JsonElement decoder in decoders)
        {
            Assert.Equal(1, decoder.GetProperty("texts").GetInt32());
            JsonElement[] heads = [.. decoder.GetProperty("heads").EnumerateArray()];
            Assert.Equal(heads.OrderByDescending(head => head.GetProperty("score").GetDouble()), heads);
            Assert.Equal([true, true, false], heads.Take(3).Select(head => head.GetProperty("chosen").GetBoolean()));
            Assert.Equal(
                heads.Take(2).SelectMany(head => new[] { head.GetProperty("layer").GetInt32(), head.GetProperty("head").GetInt32() }),
                after["simultaneous"]![decoder.GetProperty("key").GetString()!]!.AsArray().Select(number => number!.GetValue<int>()));
        }
        after.AsObject().Remove("simultaneous");
        Assert.Equal(before.ToJsonString(), after.ToJsonString());
        // What was written is what a stream takes.
        Outcome stream = await CommandLine.Run(
            "stream", TinyBundle.Media("bat.wav"), "--to", "de", "--policy", "alignatt:frames=4", "--model", _bundle.Folder);
        Assert.Equal((0, ""), (stream.Code, stream.Errors));
    }

    [Fact]
    public async Task PrintsATableAndLeavesTheBundleAlone()
    {
        string before = File.ReadAllText(_bundle["omnifusion.json"]);
        Outcome outcome = await Run("--own", "--model", _bundle.Folder);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        Assert.Equal(["fused", "recogniser", "text"],
            outcome.Lines.Where(line => line.EndsWith(" texts)", StringComparison.Ordinal)).Select(line => line.Split(' ')[0]));
        Assert.Equal(12, outcome.Lines.Count(line => line.EndsWith("  chosen", StringComparison.Ordinal)));
        Assert.Contains(outcome.Lines, line => line.StartsWith("\"recognizer_heads\": [", StringComparison.Ordinal));
        Assert.Equal(before, File.ReadAllText(_bundle["omnifusion.json"]));
    }

    [Theory]
    [InlineData("--to", "calibrate", "set.jsonl")]
    [InlineData("development set", "calibrate", "--to", "de")]
    [InlineData("development set", "calibrate", "set.jsonl", "--pack", "a.pack", "--to", "de")]
    [InlineData("--model", "calibrate", "set.jsonl", "--to", "de", "--write")]
    [InlineData("--heads", "calibrate", "set.jsonl", "--to", "de", "--heads", "0")]
    public async Task WrongUsageIsNamed(string word, params string[] arguments) =>
        (await CommandLine.Run(arguments)).AssertFailed(2, word);

    [Fact]
    public async Task BadInputIsNamed()
    {
        (await CommandLine.Run("calibrate", _bundle["missing.jsonl"], "--to", "de", "--model", _bundle.Folder))
            .AssertFailed(1, "missing.jsonl");
        (await Run("--to", "ja", "--model", _bundle.Folder)).AssertFailed(2);
        string silent = _bundle.Write("short.jsonl", JsonSerializer.Serialize(
            new { audio = TinyBundle.Media("bat.wav"), text = "A", translation = "B" }));
        (await CommandLine.Run("calibrate", silent, "--to", "de", "--model", _bundle.Folder)).AssertFailed(1, "nothing to calibrate on");
    }

    private Task<Outcome> Run(params string[] options) => CommandLine.Run(
    [
        "calibrate",
        _bundle.Write("set.jsonl", JsonSerializer.Serialize(new
        {
            audio = TinyBundle.Media("bat.wav"), text = "What a nice bat there is in the cave of the old mine.",
            translation = "Was für eine schöne Fledermaus in der Höhle der alten Mine ist.",
        })),
        "--to", "de", .. options,
    ]);
}
