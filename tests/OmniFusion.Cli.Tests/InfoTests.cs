using System.Text.Json.Nodes;
using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Cli.Tests;

public sealed class InfoTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task TellsPartsMemoryLanguagesAndSettings()
    {
        Outcome outcome = await CommandLine.Run("info", _bundle.Folder, "--json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        JsonElement info = JsonDocument.Parse(outcome.Output).RootElement;
        Dictionary<string, JsonElement> parts =
            info.GetProperty("parts").EnumerateArray().ToDictionary(part => part.GetProperty("part").GetString()!);
        Assert.Equal(
            [
                "audio tower", "decoder", "fusion", "low-rank updates", "projection", "speech output (not used)", "translator",
                "vision tower",
            ],
            parts.Keys.Order(StringComparer.Ordinal));
        // Embeddings and head 2 x 700 x 64; a layer 64 x (64 + 32 + 32 + 64) + 3 x 64 x 128 + 2 x 64; the last norm.
        Assert.Equal(2 * 700 * 64 + 3 * (64 * 192 + 3 * 64 * 128 + 128) + 64, parts["translator"].GetProperty("parameters").GetInt64());
        Assert.Equal(2 * parts["translator"].GetProperty("parameters").GetInt64(), parts["translator"].GetProperty("bytes").GetInt64());
        Assert.Equal("BF16", parts["translator"].GetProperty("types")[0].GetString());
        Assert.Contains("3 layers x 64", parts["translator"].GetProperty("sizes").GetString());
        Assert.Equal("gated", info.GetProperty("fusion").GetString());
        Assert.Equal("published", info.GetProperty("prompt").GetString());
        Assert.Equal(25, info.GetProperty("languages").GetArrayLength());
        Assert.Equal(24, info.GetProperty("generation").GetProperty("maxNewTokens").GetInt32());
        Assert.Equal(0, info.GetProperty("unplaced").GetArrayLength());
        long weights = parts.Values.Where(part => part.GetProperty("used").GetBoolean()).Sum(part => part.GetProperty("bytes").GetInt64());
        Assert.Equal(weights, info.GetProperty("memory").GetProperty("weights").GetInt64());
        Assert.Equal(info.GetProperty("memory").GetProperty("total").GetInt64(),
            new[] { "weights", "merged", "working", "runtime" }.Sum(part => info.GetProperty("memory").GetProperty(part).GetInt64()));
    }

    [Fact]
    public async Task TellsWhetherTheThinkerWritesFirst()
    {
        Assert.DoesNotContain("chain of thought", (await CommandLine.Run("info", _bundle.Folder)).Output);
        _bundle.EditJson("omnifusion.json", json => json["generation"]!["chain_of_thought"] = true);
        Assert.Contains("chain of thought", (await CommandLine.Run("info", _bundle.Folder)).Output);
        Assert.True(JsonDocument.Parse((await CommandLine.Run("info", _bundle.Folder, "--json")).Output).RootElement
            .GetProperty("generation").GetProperty("chainOfThought").GetBoolean());
    }

    [Fact]
    public async Task NamesKeysThatFoundNoPlace()
    {
        PeftAdapter adapter = PeftAdapter.Load(_bundle["fusion"]);
        PeftAdapter.Of(adapter.Config, [.. adapter.Tensors.Select(item => (item.Key, item.Value)),
            ("base_model.model.omni_fusion.stray.weight", Tensor.Zeros(new Shape(2, 2)))]).Save(_bundle["fusion"]);
        Outcome outcome = await CommandLine.Run(
            "info", "--mmfm", _bundle["omni"], "--translator", _bundle["translator"], "--adapter", _bundle["fusion"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        Assert.StartsWith(_bundle["omni"], outcome.Output);
        Assert.Contains("omni_fusion.stray.weight", outcome.Output);
        Assert.Contains("no place    1 key" + Environment.NewLine, outcome.Output);
        Assert.Contains("audio tower", outcome.Output);
        Outcome translated = await _bundle.Translate("--text", "x", "--to", "de", "--max-new-tokens", "2");
        Assert.Equal((0, "omnifusion: 1 tensor of the model is not used (omnifusion info names it)."), (translated.Code, translated.Errors.TrimEnd()));
    }

    [Fact]
    public async Task ATensorOfAnotherTypeHasNoPlace()
    {
        byte[] file = File.ReadAllBytes(_bundle["fusion/adapter_model.safetensors"]);
        int length = BitConverter.ToInt32(file, 0);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, length))!.AsObject();
        int end = file.Length - 8 - length;
        header["stranger.int"] = new JsonObject
        {
            ["dtype"] = "I64", ["shape"] = new JsonArray(1), ["data_offsets"] = new JsonArray(end, end + 8),
        };
        byte[] changed = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        _bundle.Write("fusion/adapter_model.safetensors", [.. BitConverter.GetBytes((long)changed.Length), .. changed, .. file.AsSpan(8 + length), .. new byte[8]]);
        Outcome outcome = await CommandLine.Run("info", _bundle.Folder);
        Assert.Equal(0, outcome.Code);
        Assert.Contains("stranger.int", outcome.Output);
    }
}
