using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OmniFusion.Media;

namespace OmniFusion.Cli.Tests;

public sealed class TranslateTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Theory]
    [InlineData("fused_audio")]
    [InlineData("fused_audio_cot")]
    [InlineData("fused_audio_image")]
    [InlineData("fused_image_text")]
    [InlineData("fused_image_ocr")]
    public async Task SingleInputsGiveThePublishedTranslations(string name)
    {
        JsonElement expected = TinyBundle.Case(name), input = expected.GetProperty("inputs")[0];
        string?[] media = [input.GetProperty("audio").GetString(), input.GetProperty("image").GetString()];
        string text = input.GetProperty("text").GetString()!;
        List<string> arguments = media[0] is null ? [] : [TinyBundle.Media(media[0]!)];
        if (media[1] is not null)
        {
            string size = string.Join('x', expected.GetProperty("image_size").EnumerateArray());
            arguments.AddRange("--image", TinyBundle.Media(media[1]!), "--image-size", size);
        }
        if (text.Length > 0)
            arguments.AddRange(media[0] is null ? "--text" : "--transcript", text);
        foreach (JsonProperty search in expected.GetProperty("text").EnumerateObject())
        {
            // Names are beamB_ngramN_lpP.
            string[] numbers = search.Name.Split('_');
            Outcome outcome = await _bundle.Translate([.. arguments, "--to", expected.GetProperty("target_language").GetString()!, "--json",
                "--beams", numbers[0][4..], "--no-repeat-ngram", numbers[1][5..], "--length-penalty", numbers[2][2..]]);
            Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
            JsonElement result = Assert.Single(outcome.Json);
            Assert.Equal(search.Value[0].GetString(), result.GetProperty("translation").GetString());
            Assert.InRange(result.GetProperty("ids").GetArrayLength(), 1, 24);
        }
    }

    [Fact]
    public async Task AResultHasTheDocumentedKeysInOrder()
    {
        string audio = TinyBundle.Media("bat.wav");
        JsonElement result = Assert.Single((await _bundle.Translate(audio, "--to", "de", "--json")).Json);
        Assert.Equal(
            ["audio", "image", "text", "language", "translation", "ids", "score", "seconds"],
            result.EnumerateObject().Select(item => item.Name));
        Assert.Equal(["load", "encode", "decode"], result.GetProperty("seconds").EnumerateObject().Select(item => item.Name));
        Assert.Equal(audio, result.GetProperty("audio").GetString());
        Assert.Equal(JsonValueKind.Null, result.GetProperty("image").ValueKind);
        Assert.Equal("de", result.GetProperty("language").GetString());
        Assert.True(result.GetProperty("score").GetDouble() < 0);
        Assert.True(result.GetProperty("seconds").GetProperty("decode").GetDouble() > 0);
    }

    [Fact]
    public async Task ThreeFoldersAreAsGoodAsABundle()
    {
        string audio = TinyBundle.Media("bat.wav");
        Outcome bundle = await _bundle.Translate(audio, "--to", "German");
        Outcome folders = await CommandLine.Run("translate", audio, "--to", "German", "--max-new-tokens", "24",
            "--mmfm", _bundle["omni"], "--translator", _bundle["translator"], "--adapter", _bundle["fusion"]);
        Assert.Equal(0, bundle.Code);
        Assert.Equal(TinyBundle.Expected("fused_audio"), bundle.Output.TrimEnd('\n', '\r'));
        Assert.Equal(bundle, folders);
    }

    [Fact]
    public async Task TheBundlesSearchIsTheDefault()
    {
        _bundle.Write("omnifusion.json", """{"generation": {"max_new_tokens": 7, "num_beams": 1, "no_repeat_ngram_size": 0}}""");
        string[] arguments = [TinyBundle.Media("bat.wav"), "--to", "de", "--json"];
        JsonElement byDefault = Assert.Single((await _bundle.Translate(arguments)).Json);
        JsonElement byOption = Assert.Single((await _bundle.Translate([.. arguments, "--max-new-tokens", "5", "--beams", "2"])).Json);
        Assert.Equal(7, byDefault.GetProperty("ids").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, byDefault.GetProperty("score").ValueKind);
        Assert.Equal(5, byOption.GetProperty("ids").GetArrayLength());
        Assert.Equal(JsonValueKind.Number, byOption.GetProperty("score").ValueKind);
    }

    [Fact]
    public async Task ASentenceAloneGoesToTheTranslatorByItself()
    {
        Outcome plain = await _bundle.Translate("--text", "@home or -away", "--to", "cs");
        JsonElement result = Assert.Single((await _bundle.Translate("--text", "@home or -away", "--to", "Czech", "--json")).Json);
        Assert.Equal("@home or -away", result.GetProperty("text").GetString());
        Assert.Equal(JsonValueKind.Null, result.GetProperty("audio").ValueKind);
        string printable = string.Concat(result.GetProperty("translation").GetString()!.Where(c => !char.IsControl(c)));
        Assert.Equal(printable, plain.Output.TrimEnd('\n', '\r'));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public async Task ABatchKeepsItsOrderAndGoesOnAfterBadItems(int batchSize)
    {
        File.Copy(TinyBundle.Media("bat.wav"), _bundle["bat.wav"]);
        File.Copy(TinyBundle.Media("slide.png"), _bundle["slide.png"]);
        string batch = _bundle.Write("batch.jsonl", """
            {"audio": "bat.wav", "to": "de"}
            {"audio": "missing.wav"}
            {"text": "What is the weather like?"}

            {"audio": 7}
            not JSON
            {"audio": "bat.wav", "to": "Klingon"}
            {"audio": "bat.wav", "text": "both"}
            {"image": "slide.png", "to": "it", "id": 12}
            {"audio": "bat.wav"}
            ["audio"]
            {}
            {"text": "\ud800"}
            """);
        Outcome outcome = await _bundle.Translate("--batch", batch, "--to", "fr", "--json", "--image-size", "84x84",
            "--batch-size", batchSize.ToString(CultureInfo.InvariantCulture));
        JsonElement[] results = outcome.Json;
        Assert.Equal(["de", "missing.wav", "fr", "line 5", "line 6", "Klingon", "transcript", "it", "fr", "line 11", "nothing", "line 13"],
            results.Select((result, i) => result.TryGetProperty("error", out JsonElement error)
                ? new[] { "missing.wav", "line 5", "line 6", "Klingon", "transcript", "line 11", "nothing", "line 13" }
                    .Single(word => error.GetString()!.Contains(word, StringComparison.Ordinal))
                : result.GetProperty("language").GetString()!));
        Assert.Equal("bat.wav", results[0].GetProperty("audio").GetString());
        Assert.Equal(TinyBundle.Expected("fused_image_ocr"),
            results[7].GetProperty("translation").GetString());
        Assert.Equal(TinyBundle.Expected("fused_audio"),
            results[0].GetProperty("translation").GetString());
        Assert.Equal(1, outcome.Code);
        Assert.Contains("8 of 12 items", outcome.Errors);
        // Whatever failed says which item it is, and a place within its line is none that a user knows.
        Assert.Equal(["missing.wav", "bat.wav"], new[] { 1, 5 }.Select(i => results[i].GetProperty("audio").GetString()));
        Assert.Equal("both", results[6].GetProperty("text").GetString());
        Assert.DoesNotContain("LineNumber", outcome.Output);
        Assert.Contains("'audio' is not a string", results[3].GetProperty("error").GetString());
        Assert.StartsWith("A recording and a text", results[6].GetProperty("error").GetString());
    }

    [Fact]
    public async Task AnEmptyPathInABatchIsNamedAsSuch()
    {
        string batch = _bundle.Write("batch.jsonl", "{\"audio\": \"\"}\n{\"image\": \"\", \"text\": \"a\"}\n");
        JsonElement[] results = (await _bundle.Translate("--batch", batch, "--to", "fr")).Json;
        Assert.Contains("line 1: 'audio' is empty", results[0].GetProperty("error").GetString());
        Assert.Contains("line 2: 'image' is empty", results[1].GetProperty("error").GetString());
    }

    [Fact]
    public async Task AGivenTranscriptStandsInTheResult()
    {
        JsonElement result = Assert.Single((await _bundle.Translate(
            TinyBundle.Media("bat.wav"), "--to", "de", "--transcript", "The bat flew.", "--json")).Json);
        Assert.Equal("The bat flew.", result.GetProperty("transcript").GetString());
    }

    [Fact]
    public async Task ASentenceMayBeInAnyLanguage()
    {
        string batch = _bundle.Write("batch.jsonl", """
            {"text": "Wie ist das Wetter?"}
            {"text": "Wie ist das Wetter?", "from": "German"}
            {"text": "Wie ist das Wetter?", "from": "x"}
            """);
        JsonElement[] results = (await _bundle.Translate("--batch", batch, "--to", "fr", "--json", "--beams", "1")).Json;
        JsonElement alone = Assert.Single((await _bundle.Translate("--text", "Wie ist das Wetter?", "--from", "de", "--to", "fr", "--json", "--beams", "1")).Json);
        Assert.Equal(Ids(alone), Ids(results[1]));
        Assert.NotEqual(Ids(results[0]), Ids(results[1]));
        Assert.Contains("line 3: 'x' is not a known language", results[2].GetProperty("error").GetString());

        static int[] Ids(JsonElement result) => [.. result.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
    }

    [Fact]
    public async Task OfALongerRecordingThanTheModelWasTrainedWithItWarns()
    {
        _bundle.EditJson("omnifusion.json", json => json["trained_seconds"] = 0.5);
        string audio = TinyBundle.Media("bat.wav");
        foreach (string[] way in new string[][] { [], ["--cascade"], ["--chain-of-thought"] })
        {
            Outcome outcome = await _bundle.Translate([audio, "--to", "de", "--json", "--max-new-tokens", "4", .. way]);
            Assert.Equal(0, outcome.Code);
            Assert.Contains("bat.wav: It takes", outcome.Errors);
            Assert.Contains("trained with at most", Assert.Single(outcome.Json).GetProperty("warning").GetString());
        }
        Assert.Contains("2 of 2 recordings are longer", (await _bundle.Translate(audio, audio, "--to", "de", "--max-new-tokens", "4")).Errors);
    }

    [Fact]
    public async Task WhetherTheThinkerWritesFirstIsAsTheBundleSaysUnlessItIsAskedFor()
    {
        string audio = TinyBundle.Media("bat.wav");
        JsonElement plain = await Json(), thinking = await Json("--chain-of-thought");
        Assert.False(plain.TryGetProperty("transcript", out _));
        Assert.NotEqual(Ids(plain), Ids(thinking));
        _bundle.EditJson("omnifusion.json", json => json["generation"] = new JsonObject { ["chain_of_thought"] = true });
        Assert.Equal(Ids(thinking), Ids(await Json()));
        Assert.Equal(Ids(plain), Ids(await Json("--chain-of-thought", "false")));
        // Two ways, of which one is only a default.
        Assert.True((await Json("--cascade")).TryGetProperty("transcript", out _));
        // What is not speech is not heard.
        Assert.False(Assert.Single((await _bundle.Translate("--text", "A bat.", "--to", "de", "--json", "--max-new-tokens", "4")).Json)
            .TryGetProperty("transcript", out _));

        async Task<JsonElement> Json(params string[] more) =>
            Assert.Single((await _bundle.Translate([audio, "--to", "de", "--json", "--max-new-tokens", "6", .. more])).Json);

        static string Ids(JsonElement result) => result.GetProperty("ids").GetRawText();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("--cascade")]
    [InlineData("--chain-of-thought")]
    public async Task SilenceHasAnEmptyTranslation(string? way)
    {
        float[] dither = [.. Enumerable.Range(0, 16000).Select(i => i % 2 / 32768f)];
        WavWriter.WritePcm16(_bundle["silence.wav"], dither, 16000);
        JsonElement result = Assert.Single((await _bundle.Translate(
            [_bundle["silence.wav"], "--to", "de", "--json", .. way is null ? Array.Empty<string>() : [way]])).Json);
        Assert.Equal("", result.GetProperty("translation").GetString());
        Assert.Equal(0, result.GetProperty("ids").GetArrayLength());
        Assert.Equal(way is null ? null : "", result.TryGetProperty("transcript", out JsonElement transcript) ? transcript.GetString() : null);
        // Twice as loud is a sound, and so is silence of which somebody says what it says.
        WavWriter.WritePcm16(_bundle["quiet.wav"], [.. dither.Select(sample => 2 * sample)], 16000);
        foreach (string[] heard in new string[][] { [_bundle["quiet.wav"]], [_bundle["silence.wav"], "--transcript", "A bat."] })
            Assert.NotEqual(0, Assert.Single((await _bundle.Translate([.. heard, "--to", "de", "--json"])).Json).GetProperty("ids").GetArrayLength());
    }

    [Fact]
    public async Task ProgressIsToldNowAndThenWhereNobodySeesABar()
    {
        using StringWriter errors = new();
        TextWriter before = Console.Error;
        Console.SetError(errors);
        try
        {
            await BatchProgress.Run("Counting", 3, Count, every: TimeSpan.Zero);
            await BatchProgress.Run("Counting", 1, Count, every: TimeSpan.Zero);
            await BatchProgress.Run("Counting", 3, Count);
        }
        finally
        {
            Console.SetError(before);
        }
        Assert.Equal(["omnifusion: Counting: 1 of 3.", "omnifusion: Counting: 2 of 3."],
            errors.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));

        static Task Count(BatchProgress progress)
        {
            for (int i = 0; i < 3; i++)
                progress.Advance(1);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task SeveralRecordingsAreABatch()
    {
        string audio = TinyBundle.Media("bat.wav");
        Outcome outcome = await _bundle.Translate(audio, _bundle["missing.wav"], audio, "--to", "de");
        Assert.Equal(3, outcome.Lines.Length);
        Assert.Equal(outcome.Lines[0], outcome.Lines[2]);
        Assert.StartsWith("{\"error\":\"", outcome.Lines[1]);
        Assert.Equal(1, outcome.Code);
    }

    [Theory]
    [InlineData("AUDIO", "translate", "--to", "de")]
    [InlineData("--to", "translate", "a.wav")]
    [InlineData("xx", "translate", "a.wav", "--to", "xx")]
    [InlineData("--text", "translate", "a.wav", "--to", "de", "--text", "x")]
    [InlineData("--transcript", "translate", "--text", "x", "--to", "de", "--transcript", "x")]
    [InlineData("--transcript", "translate", "a.wav", "b.wav", "--to", "de", "--transcript", "x")]
    [InlineData("--batch", "translate", "a.wav", "--batch", "b.jsonl")]
    [InlineData("--beams", "translate", "a.wav", "--to", "de", "--beams", "0")]
    [InlineData("--beams", "translate", "a.wav", "--to", "de", "--beams", "99999999999")]
    [InlineData("--beams", "translate", "a.wav", "--to", "de", "--beams")]
    [InlineData("--beams", "translate", "a.wav", "--to", "de", "--beams", "1", "--beams", "2")]
    [InlineData("--no-repeat-ngram", "translate", "a.wav", "--to", "de", "--no-repeat-ngram", "-1")]
    [InlineData("--length-penalty", "translate", "a.wav", "--to", "de", "--length-penalty", "NaN")]
    [InlineData("--max-new-tokens", "translate", "a.wav", "--to", "de", "--max-new-tokens", "0")]
    [InlineData("--image-size", "translate", "a.wav", "--to", "de", "--image-size", "512")]
    [InlineData("--image-size", "translate", "a.wav", "--to", "de", "--image-size", "1x1")]
    [InlineData("--image-size", "translate", "a.wav", "--to", "de", "--image-size", "60000x60000")]
    [InlineData("--image-size", "translate", "a.wav", "--to", "de", "--image-size", "16384x16384")]
    [InlineData("--image-size", "translate", "a.wav", "--to", "de", "--image-size", "28x16384")]
    [InlineData("--batch is empty", "translate", "--to", "de", "--batch", "")]
    [InlineData("--model is empty", "translate", "a.wav", "--to", "de", "--model", "")]
    [InlineData("--mmfm is empty", "info", "--mmfm", "")]
    [InlineData("--image is empty", "translate", "--to", "de", "--image", "")]
    [InlineData("--text is empty", "translate", "--to", "de", "--text", "")]
    [InlineData("AUDIO is empty", "translate", "a.wav", "", "--to", "de")]
    [InlineData("nothing", "translate", "--to", "de", "--text", " ")]
    [InlineData("only once", "translate", "-", "-", "--to", "de")]
    [InlineData("--model", "info", "a", "--model", "b")]
    [InlineData("--batch-size", "translate", "a.wav", "--to", "de", "--batch-size", "0")]
    [InlineData("--threads", "translate", "a.wav", "--to", "de", "--threads", "0")]
    [InlineData("--model", "translate", "a.wav", "--to", "de", "--model", "m", "--mmfm", "o")]
    [InlineData("--adapter", "translate", "a.wav", "--to", "de", "--mmfm", "o", "--translator", "t")]
    [InlineData("--frobnicate", "translate", "a.wav", "--to", "de", "--frobnicate")]
    [InlineData("--jsn", "info", "--jsn")]
    [InlineData("frobnicate", "frobnicate")]
    [InlineData("ommand")]
    [InlineData("MANIFEST", "evaluate", "speech", "--to", "de", "--pack", "p")]
    public async Task WrongUsageIsOneSentenceAndTwo(string word, params string[] arguments) =>
        (await CommandLine.Run(arguments)).AssertFailed(2, word);

    [Theory]
    [InlineData("--help")]
    [InlineData("translate", "--help")]
    [InlineData("info", "-h")]
    [InlineData("evaluate", "speech", "--help")]
    public async Task HelpIsNoError(params string[] arguments)
    {
        Outcome outcome = await CommandLine.Run(arguments);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        Assert.Contains("omnifusion", outcome.Output);
    }

    [Fact]
    public async Task AFileMayBeCalledLikeAnOption() =>
        (await CommandLine.Run("translate", "--to", "de", "--model", _bundle.Folder, "--", "--frobnicate")).AssertFailed(1, "not exist");

    [Theory]
    [InlineData(null)]
    [InlineData("1")]
    public async Task AnUnexpectedFaultIsOneSentenceUnlessSomebodyDebugs(string? debug)
    {
        Command root = new("omnifusion");
        root.SetAction(int (_) => throw new InvalidOperationException("the sky\nfell"));
        Environment.SetEnvironmentVariable("OMNIFUSION_DEBUG", debug);
        using StringWriter errors = new();
        TextWriter before = Console.Error;
        Console.SetError(errors);
        try
        {
            Assert.Equal(1, await CommandRunner.Run(root, []));
        }
        finally
        {
            Console.SetError(before);
            Environment.SetEnvironmentVariable("OMNIFUSION_DEBUG", null);
        }
        string[] lines = errors.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("InvalidOperationException: the sky fell", lines[0]);
        Assert.Equal(debug is null, lines.Length == 1);
    }

    [Fact]
    public void WithoutAShippedModelTheCommandSaysSo()
    {
        string shipped = Path.Combine(_bundle.Folder, "models", "nano");
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => ModelOptions.ShippedModel(_bundle.Folder));
        Assert.Contains(shipped, error.Message);
        Assert.Contains("--model", error.Message);
        Directory.CreateDirectory(shipped);
        Assert.Equal(shipped, ModelOptions.ShippedModel(_bundle.Folder));
    }
}
