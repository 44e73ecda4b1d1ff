using System.Text.Json;
using System.Text.Json.Nodes;

namespace OmniFusion.Cli.Tests;

public sealed class AnalyzeTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task GatesOfAManifestAreATableAndAnObject()
    {
        string manifest = _bundle.Write("set.jsonl", string.Join('\n', JsonSerializer.Serialize(new
        {
            audio = TinyBundle.Media("bat.wav"), text = "what is said", translation = "x",
        }), "", JsonSerializer.Serialize(new { image = TinyBundle.Media("gray.png"), text = "A word." })));
        Outcome outcome = await Gates(manifest, "--image-size", "56x56", "--json", "--output", _bundle["out"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        JsonElement report = Assert.Single(outcome.Json);
        Assert.Equal(["prompt", "image", "audio", "all"],
            report.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetProperty("kind").GetString()));
        Assert.Equal(4, report.GetProperty("kinds")[1].GetProperty("tokens").GetInt32());
        Assert.Equal(JsonValueKind.Null, report.GetProperty("tokens").ValueKind);
        Assert.Equal(outcome.Output.Trim(), File.ReadAllText(_bundle["out/gates.json"]).Trim());
        Assert.Equal(["gates.json", "gates.svg"], Directory.GetFiles(_bundle["out"]).Select(Path.GetFileName).Order());

        outcome = await Gates(manifest, "--image-size", "56x56", "--limit", "1");
        Assert.Equal(["gated", "kind", "prompt", "audio", "all"],
            outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public async Task OneInputHasHeatMaps()
    {
        Outcome outcome = await Gates("--audio", TinyBundle.Media("bat.wav"), "--image", TinyBundle.Media("gray.png"),
            "--image-size", "84x56", "--to", "fr", "--json", "--output", _bundle["out"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        JsonElement image = outcome.Json[0].GetProperty("image");
        Assert.Equal((2, 3), (image.GetProperty("height").GetInt32(), image.GetProperty("width").GetInt32()));
        JsonElement tokens = outcome.Json[0].GetProperty("tokens");
        Assert.Equal(6, tokens.EnumerateArray().Count(token => token.GetProperty("kind").GetString() == "image"));
        IEnumerable<string?> files = Directory.GetFiles(_bundle["out"]).Select(Path.GetFileName).Order();
        Assert.Equal(["gates.json", "gates.svg", "space.svg", "time.svg"], files);
    }

    [Fact]
    public async Task AModelWithoutGatesIsOneSentence()
    {
        _bundle.EditJson("omnifusion.json", json => json["fusion"] = new JsonObject { ["mode"] = "mid" });
        (await Gates("--audio", TinyBundle.Media("bat.wav"))).AssertFailed(1, "'mid'", "no gates");
    }

    [Fact]
    public async Task PicturesThatAreNotThereAreOneSentence() =>
        (await CommandLine.Run("analyze", "pictures", "--pictograms", _bundle["none.pack"], "--model", _bundle.Folder)).AssertFailed(1, "none.pack");

    [Fact]
    public async Task LayersThatTheThinkerDoesNotHaveAreOneSentence()
    {
        _bundle.EditJson("omnifusion.json", json => json["fusion"] = new JsonObject { ["layers"] = new JsonArray(0, 2, 9) });
        (await Gates("--audio", TinyBundle.Media("bat.wav"))).AssertFailed(1, "0, 2, 9", "0 to 4");
    }

    [Theory]
    [InlineData("{}", "set.jsonl, line 1")]
    [InlineData("nonsense", "set.jsonl, line 1")]
    [InlineData("[]", "set.jsonl, line 1")]
    [InlineData("""{"audio": 3}""", "'audio'")]
    [InlineData("""{"audio": "a\u0000b"}""", "'audio'")]
    [InlineData("""{"audio": "missing.wav"}""", "missing.wav")]
    [InlineData("\n", "no items")]
    public async Task ABadManifestIsOneSentence(string content, string named) =>
        (await Gates(_bundle.Write("set.jsonl", content))).AssertFailed(1, named);

    [Fact]
    public async Task WhatDoesNotGoTogetherIsWrongUsage()
    {
        (await Gates()).AssertFailed(2, "MANIFEST");
        (await Gates("--text", "a word")).AssertFailed(2, "--image");
        (await Gates("set.jsonl", "--audio", "a.wav")).AssertFailed(2, "MANIFEST");
        (await CommandLine.Run("analyze", "layers", "recipe.yaml")).AssertFailed(2, "--layers");
        (await CommandLine.Run("analyze", "layers", "recipe.yaml", "--layers", "0,x")).AssertFailed(2, "'0,x'");
        (await CommandLine.Run("analyze", "layers", "recipe.yaml", "--layers", "0,2")).AssertFailed(1, "recipe.yaml");
        string recipe = _bundle.Write("recipe.yaml", "stage: translator\noutput: out\nsteps: 3\ndata: { source: a.en }\n");
        (await CommandLine.Run("analyze", "layers", recipe, "--layers", "0,2")).AssertFailed(1, "stage fusion");
    }

    private Task<Outcome> Gates(params string[] arguments) =>
        CommandLine.Run(["analyze", "gates", .. arguments, "--model", _bundle.Folder]);
}
