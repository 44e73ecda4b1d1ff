using System.Text.Json;
using System.Text.Json.Nodes;

namespace OmniFusion.Cli.Tests;

/// <summary><c>evaluate contrastive</c> and <c>evaluate ablate</c> on the small random model.</summary>
public sealed class EvaluateContrastiveTests : IDisposable
{
    private readonly TinyBundle _bundle = new();
    private readonly string _set;

    public EvaluateContrastiveTests()
    {
        _bundle.EditJson("omnifusion.json", json =>
        {
            json["image_size"] = new JsonArray(112, 84);
            json["generation"] = new JsonObject { ["num_beams"] = 1, ["max_new_tokens"] = 8 };
        });
        _set = Directory.CreateDirectory(_bundle["set"]).FullName;
        Write("src.en", "A bat.", "A bat.", "The nut is big.", "The nut is big.");
        Write("correct.de", "Eine Fledermaus.", "Ein Schläger.", "Die Nuss ist groß.", "Die Mutter ist groß.");
        Write("incorrect.de", "Ein Schläger.", "Eine Fledermaus.", "Die Mutter ist groß.", "Die Nuss ist groß.");
        Write("img.order", "gray.png", "slide.png", "gray.png", "slide.png");
        Write("words", "bat", "bat", "nut", "nut");
    }

    private static string Media => Path.GetDirectoryName(TinyBundle.Media("gray.png"))!;

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task ControlsShowThatThePictureDecides()
    {
        JsonElement own = await Evaluate("--images", Media), wrong = await Evaluate("--images", Media, "--mismatched");
        JsonElement none = await Evaluate("--no-image");
        Assert.Equal(50, Accuracy(none), 1e-9);
        Assert.Equal(0, none.GetProperty("bothRight").GetDouble());
        Assert.Equal(100 - Accuracy(own), Accuracy(wrong), 1e-9);
        Assert.Equal(["bat", "nut"], none.GetProperty("words").EnumerateArray().Select(word => word.GetProperty("word").GetString()));
        Assert.All(none.GetProperty("words").EnumerateArray(), word => Assert.Equal(50, word.GetProperty("accuracy").GetDouble()));
        Assert.Matches(
            @"^set:set@[0-9a-f]{12}\|n:4\|lang:de\|input:text\+mismatched\|norm:token\|bs:1000\|seed:12345\|model:omnifusion-cli-.*@",
            wrong.GetProperty("signature").GetString());
        Assert.Equal(2, (await Evaluate("--no-image", "--limit", "1")).GetProperty("items").GetInt32());
    }

    [Fact]
    public async Task OtherPicturesMakeAnotherSet()
    {
        string images = Directory.CreateDirectory(_bundle["set/images"]).FullName;
        foreach (string name in new[] { "gray.png", "slide.png" })
            File.Copy(TinyBundle.Media(name), Path.Combine(images, name));
        string before = await Set();
        Assert.Equal(before, await Set());
        File.Copy(TinyBundle.Media("slide.png"), Path.Combine(images, "gray.png"), overwrite: true);
        Assert.NotEqual(before, await Set());

        async Task<string> Set() => (await Evaluate("--no-image")).GetProperty("signature").GetString()!.Split('|')[0];
    }

    [Fact]
    public async Task RecordingsMayTakeThePlaceOfTheText()
    {
        Write("audio.order", "bat.wav", "bat.wav", "speaker.wav", "speaker.wav");
        JsonElement spoken = await Evaluate("--speech", "--no-image", "--recordings", Media);
        Assert.Equal(50, Accuracy(spoken), 1e-9);
        Assert.Contains("input:speech|", spoken.GetProperty("signature").GetString());
        JsonElement thought = await Evaluate("--speech", "--no-image", "--recordings", Media, "--chain-of-thought");
        Assert.Contains("input:speech+thought|", thought.GetProperty("signature").GetString());
        Assert.Equal(50, Accuracy(thought), 1e-9);
        JsonElement seen = await Evaluate("--speech", "--images", Media, "--recordings", Media);
        JsonElement told = await Evaluate("--speech", "--images", Media, "--recordings", Media, "--chain-of-thought");
        Assert.NotEqual(seen.GetProperty("margin").GetDouble(), told.GetProperty("margin").GetDouble(), 1e-9);
    }

    [Fact]
    public async Task ThePlainReportHasATableOfWords()
    {
        Outcome outcome = await CommandLine.Run(
            "evaluate", "contrastive", _set, "--to", "de", "--no-image", "--model", _bundle.Folder, "--resamples", "0");
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        Assert.Equal(["accuracy    50.0 %  of 4 lines", "both right  0.0 %  of 2 sentences", "margin      0.000 nats for each token",
            "word  lines  accuracy", "bat       2      50.0", "nut       2      50.0"],
            outcome.Lines[..^1].Select(line => line.Replace("-0.000", "0.000")));
        Assert.StartsWith("set:set@", outcome.Lines[^1]);
    }

    [Theory]
    [InlineData(2, "--no-image", "--mismatched", "--to", "de")]
    [InlineData(2, "--no-image")]
    [InlineData(2, "--to", "de", "--chain-of-thought")]
    [InlineData(2, "--to", "xx")]
    [InlineData(1, "--to", "fr", "correct.fr")]
    [InlineData(1, "--to", "de", "gray.png")]
    [InlineData(1, "--to", "de", "--no-image", "--speech", "audio.order")]
    public async Task WhatDoesNotGoIsOneSentence(int code, params string[] arguments)
    {
        string[] words = [.. arguments.Where(argument => argument.Contains('.', StringComparison.Ordinal))];
        (await CommandLine.Run(["evaluate", "contrastive", _set, .. arguments.Except(words), "--model", _bundle.Folder]))
            .AssertFailed(code, words);
    }

    [Fact]
    public async Task AblationTakesTheModelApart()
    {
        Directory.CreateDirectory(Path.Combine(_set, "images"));
        foreach (string image in new[] { "gray.png", "slide.png" })
            File.Copy(TinyBundle.Media(image), Path.Combine(_set, "images", image));
        string manifest = _bundle.Write("speech.jsonl",
            JsonSerializer.Serialize(new { audio = TinyBundle.Media("bat.wav"), text = "A bat.", translation = "Eine Fledermaus." }));
        Outcome outcome = await CommandLine.Run("evaluate", "ablate", manifest, "--contrastive", _set, "--to", "de",
            "--model", _bundle.Folder, _bundle.Folder, "--json");
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        JsonElement[] rows = [.. Assert.Single(outcome.Json).GetProperty("rows").EnumerateArray()];
        Assert.Equal(["whole", "no image", "wrong image", "without state 0", "without state 2", "without state 4", "whole"],
            rows.Select(row => row.GetProperty("condition").GetString()));
        Assert.Equal(50, rows[1].GetProperty("textAccuracy").GetDouble());
        Assert.Equal(100, rows[0].GetProperty("textAccuracy").GetDouble() + rows[2].GetProperty("textAccuracy").GetDouble());
        Assert.Equal(rows[0].GetRawText(), rows[6].GetRawText());
        // Spoken sentences without pictures have nothing to lose.
        Assert.Equal([JsonValueKind.Number, JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Number],
            rows[..4].Select(row => row.GetProperty("speechBleu").ValueKind));
        Assert.All(rows, row => Assert.Equal(JsonValueKind.Null, row.GetProperty("speechAccuracy").ValueKind));

        outcome = await CommandLine.Run("evaluate", "ablate", "--contrastive", _set, "--to", "de", "--model", _bundle.Folder);
        Assert.EndsWith("text accuracy", outcome.Lines[0]);
        Assert.Equal(8, outcome.Lines.Length);

        outcome = await CommandLine.Run(
            "evaluate", "ablate", "--contrastive", _set, "--to", "de", "--model", _bundle.Folder, "--limit", "1", "--json");
        Assert.Contains("|lines:2|", Assert.Single(outcome.Json).GetProperty("signature").GetString());

        outcome = await CommandLine.Run("evaluate", "ablate", manifest, "--to", "de", "--images", Media, "--model", _bundle.Folder, "--json");
        Assert.Contains("|image:none,unrelated@", Assert.Single(outcome.Json).GetProperty("signature").GetString());
    }

    [Fact]
    public async Task ASetWithoutANameIsNotTheCurrentFolder() =>
        (await CommandLine.Run("evaluate", "contrastive", "", "--to", "de", "--model", _bundle.Folder)).AssertFailed(2, "DIR");

    [Theory]
    [InlineData("--to", "de")]
    [InlineData("--to", "de,fr", "--contrastive", "x")]
    [InlineData("--contrastive", "x")]
    public async Task AblationSaysWhatItNeeds(params string[] arguments) =>
        (await CommandLine.Run(["evaluate", "ablate", .. arguments])).AssertFailed(2);

    private async Task<JsonElement> Evaluate(params string[] arguments)
    {
        Outcome outcome = await CommandLine.Run(
            ["evaluate", "contrastive", _set, .. arguments, "--to", "German", "--model", _bundle.Folder, "--json"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        return Assert.Single(outcome.Json);
    }

    private static double Accuracy(JsonElement scores) => scores.GetProperty("accuracy").GetDouble();

    private void Write(string name, params string[] lines) => File.WriteAllText(Path.Combine(_set, name), string.Join('\n', lines) + "\n");
}
