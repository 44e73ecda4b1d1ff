using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OmniFusion.Media;
using OmniFusion.Models;

namespace OmniFusion.Cli.Tests;

public sealed class EvaluateSpeechTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task TheModelsOwnTextsScoreAsPerfect()
    {
        // The references are what the model writes, each system's own: that system must score 100, which nothing else gives.
        string audio = TinyBundle.Media("bat.wav"), said = "What is the weather like?";
        string text = (await _bundle.Translate("--text", said, "--to", "de", "--json")).Json[0].GetProperty("translation").GetString()!;
        string fused = (await _bundle.Translate(audio, "--to", "de", "--json")).Json[0].GetProperty("translation").GetString()!;
        JsonElement first = await Evaluate(Manifest((audio, said, fused), (audio, said, fused)));
        Assert.Equal(2, first.GetProperty("items").GetInt32());
        Assert.Equal(100, Value(first, "fused"), 1e-6);
        Assert.InRange(Value(first, "text"), 0, 99);
        JsonElement second = await Evaluate(Manifest((audio, said, text)));
        Assert.Equal(100, Value(second, "text"), 1e-6);
        Assert.InRange(Value(second, "fused"), 0, 99);
        Assert.True(Value(second, "recognizer") > 0);
        Assert.StartsWith("nrefs:1|bs:20|seed:12345|case:mixed", System(second, "fused").GetProperty("signature").GetString());
        Assert.True(System(second, "cascade").GetProperty("seconds").GetDouble() > 0);
        Assert.Equal(100, System(second, "text").GetProperty("lower").GetDouble(), 1e-6);
        // Not a hair more, and every system has the other figures as well.
        Assert.Equal(100, System(second, "text").GetProperty("upper").GetDouble());
        JsonElement language = second.GetProperty("languages")[0];
        Assert.Equal(100, language.GetProperty("chrF").GetProperty("text").GetDouble(), 1e-9);
        Assert.InRange(language.GetProperty("chrF").GetProperty("cascade").GetDouble(), 0, 99);
        Assert.Equal(language.GetProperty("fusedChrF").GetDouble(), language.GetProperty("chrF").GetProperty("fused").GetDouble());
        Assert.StartsWith("nrefs:1|case:mixed|eff:yes|nc:6", language.GetProperty("chrFSignature").GetString());
        Assert.Equal((100, 0), (language.GetProperty("exact").GetProperty("text").GetDouble(),
            language.GetProperty("exact").GetProperty("fused").GetDouble()));
        Assert.Matches("^set:set.jsonl@[0-9a-f]{12}\\|n:1\\|lang:de\\|image:none\\|search:beams5-ngram5-lp1-max24"
            + "\\|model:omnifusion-cli-.*@[0-9a-f]{12}\\|version:omnifusion-", second.GetProperty("signature").GetString());
    }

    [Fact]
    public async Task TheGlossIsReadAsATranscript()
    {
        string audio = TinyBundle.Media("bat.wav");
        Assert.False(Glossed(await Evaluate(Manifest((audio, "A bat.", "b")))));
        _bundle.EditJson("omnifusion.json", json => json["fusion"] = new JsonObject { ["gloss"] = true });
        string gloss = (await _bundle.Translate(audio, "--to", "de", "--json")).Json[0].GetProperty("gloss").GetString()!;
        Assert.NotEmpty(gloss);
        JsonElement right = await Evaluate(Manifest((audio, gloss, "b"), (audio, gloss, "b")));
        Assert.Equal(0, Value(right, "gloss"), 1e-9);
        Assert.InRange(Value(await Evaluate(Manifest((audio, "A bat.", "b"))), "gloss"), 1, double.MaxValue);
        // Beside a picture it tells what is seen as well.
        string image = TinyBundle.Media("gray.png");
        string manifest = _bundle.Write("seen.jsonl", JsonSerializer.Serialize(new { audio, image, text = gloss, translation = "b" }));
        Assert.False(Glossed(await Evaluate(manifest)));
        Assert.Equal(0, Value(await Evaluate(manifest, "--image-mode", "none"), "gloss"), 1e-9);

        static bool Glossed(JsonElement report) =>
            report.TryGetProperty("gloss", out JsonElement score) && score.ValueKind != JsonValueKind.Null;
    }

    [Fact]
    public async Task RecordingsHeardTogetherAreHeardAsAlone()
    {
        OmniFusionModel model = OmniFusionModel.Load(_bundle.Folder);
        TranslationRequest[] requests = [.. new[] { "bat.wav", "speaker.wav" }.Select(name =>
            new TranslationRequest { Audio = TinyBundle.Media(name), TargetLanguage = "de" })];
        IReadOnlyList<string> together = await model.TranscribeBatchAsync(requests, maxNewTokens: 12);
        Assert.Equal([await model.TranscribeAsync(requests[0], 12), await model.TranscribeAsync(requests[1], 12)], together);
        Assert.NotEqual(together[0], together[1]);
        Assert.Empty(await model.TranscribeBatchAsync([]));
    }

    [Fact]
    public async Task SamplesBeyondTheLimitAreRefused()
    {
        OmniFusionModel model = OmniFusionModel.Load(_bundle.Folder);
        OmniFusionException error = await Assert.ThrowsAsync<OmniFusionException>(() =>
            model.TranslateAsync(new() { Samples = new float[300 * 16000 + 1], TargetLanguage = "de" }));
        Assert.Contains("300 seconds", error.Message);
    }

    [Fact]
    public async Task APackGivesTheSameAsItsRecordings()
    {
        string[] said = ["One line.", "Never spoken.", "Another line."], expected = ["Eine Zeile.", "Nichts.", "Noch eine Zeile."];
        string audio = TinyBundle.Media("bat.wav");
        string pack = Pack(said, AudioFile.ReadMono16k(audio), emptyLine: 1);
        string source = _bundle.Write("source.txt", string.Join('\n', said));
        string target = _bundle.Write("target.txt", string.Join('\n', expected));
        string[] files = ["--pack", pack, "--source", source, "--target", target];
        JsonElement ofPack = await Evaluate(files);
        JsonElement ofManifest = await Evaluate(Manifest((audio, said[0], expected[0]), (audio, said[2], expected[2])));
        Assert.Equal(2, ofPack.GetProperty("items").GetInt32());
        foreach (string system in new[] { "recognizer", "text", "cascade", "fused", "chainOfThought" })
            Assert.Equal(Value(ofManifest, system), Value(ofPack, system), 1e-6);
        JsonElement voice = Assert.Single(ofPack.GetProperty("voices").EnumerateArray().ToArray());
        Assert.Equal(("test", Value(ofPack, "recognizer")), (voice.GetProperty("voice").GetString(), voice.GetProperty("wer").GetDouble()));
        Assert.Equal(1, (await Evaluate([.. files, "--limit", "1"])).GetProperty("items").GetInt32());

        string other = _bundle.Write("other.txt", "One line.\nSomething else.\nAnother line.");
        (await CommandLine.Run("evaluate", "speech", "--pack", pack, "--source", other, "--target", target, "--to", "de"))
            .AssertFailed(1, "other.txt");
        string shorter = _bundle.Write("short.txt", "One line.");
        (await CommandLine.Run("evaluate", "speech", "--pack", pack, "--source", source, "--target", shorter, "--to", "de"))
            .AssertFailed(1, "short.txt");
    }

    [Fact]
    public async Task TermsAreCountedAndShownOnSlides()
    {
        string[] said = ["This is Anna.", "Nothing.", "Otto sings."];
        string pack = Pack(said, AudioFile.ReadMono16k(TinyBundle.Media("bat.wav")), emptyLine: 1);
        string source = _bundle.Write("source.txt", string.Join('\n', said)), terms = _bundle.Write("terms.txt", "Anna\n\nOtto");
        string[] files = ["--pack", pack, "--source", source, "--target", source, "--terms", terms];
        JsonElement none = await Evaluate(files);
        // A random model writes no name; the text would have both if it were what was said.
        Assert.Equal(0, none.GetProperty("terms").GetDouble());
        Assert.Equal(0, none.GetProperty("languages")[0].GetProperty("terms").GetProperty("fused").GetDouble());
        Assert.DoesNotContain("slides", none.GetProperty("signature").GetString());

        string slides = Slides("slides.pack", "Otto", "Anna");
        JsonElement shown = await Evaluate([.. files, "--slides", slides]);
        Assert.Contains("image:slides@", shown.GetProperty("signature").GetString());
        Assert.Equal(Value(none, "cascade"), Value(shown, "cascade"), 1e-9);

        await Refuse(1, "no slide with 'Anna'", [.. files, "--slides", Slides("other.pack", "Otto")]);
        await Refuse(1, "no item of the set has a term", [.. files[..^2], "--slides", slides]);
        await Refuse(2, "--slides", [.. files, "--slides", slides, "--image-mode", "none"]);
        await Refuse(1, "terms.txt has 2", [.. files[..^1], _bundle.Write("terms.txt", "Anna\nOtto")]);
        await Refuse(2, "--terms", [Manifest((TinyBundle.Media("bat.wav"), "a", "b")), "--terms", terms]);

        async Task Refuse(int code, string word, string[] options) =>
            (await CommandLine.Run(["evaluate", "speech", "--to", "de", "--model", _bundle.Folder, .. options])).AssertFailed(code, word);

        string Slides(string name, params string[] texts)
        {
            byte[] header = JsonSerializer.SerializeToUtf8Bytes(new { width = 28, height = 28, seed = 1, textSha256 = "" });
            List<byte> pack = [.. "OFPICTUR"u8, .. BitConverter.GetBytes(1), .. BitConverter.GetBytes(header.Length), .. header];
            foreach (string text in texts)
                pack.AddRange([.. new byte[28 * 28 * 3], .. BitConverter.GetBytes((short)text.Length), .. Encoding.ASCII.GetBytes(text.PadRight(254, '\0'))]);
            string path = _bundle[name];
            File.WriteAllBytes(path, [.. pack]);
            return path;
        }
    }

    [Fact]
    public async Task ThePlainTableHasARowForEachSystem()
    {
        Outcome outcome = await CommandLine.Run(
            "evaluate", "speech", Manifest((TinyBundle.Media("bat.wav"), "a", "b")), "--to", "de", "--model", _bundle.Folder);
        Assert.Equal(["items", "system", "recogniser", "text", "cascade", "fused", "chain", "fused,", "chain", "chrF,", "as"],
            outcome.Lines[..^1].Select(line => line.Split(' ')[0]));
        Assert.StartsWith("set:set.jsonl@", outcome.Lines[^1]);
        // Of sentences BLEU tells enough.
        outcome = await CommandLine.Run(
            "evaluate", "speech", Manifest((TinyBundle.Media("bat.wav"), "a", "b c")), "--to", "de", "--model", _bundle.Folder);
        Assert.StartsWith("chrF, de: ", outcome.Lines[^2]);
    }

    [Fact]
    public async Task ErrorsAreToldBySynthesiserToo()
    {
        string audio = TinyBundle.Media("bat.wav");
        string manifest = _bundle.Write("set.jsonl", string.Join('\n', new[] { "flite:slt", "espeak:a", "espeak:b", "anna" }.Select(voice =>
            JsonSerializer.Serialize(new { audio, voice, text = "A bat.", translation = "Eine Fledermaus." }))));
        JsonElement[] groups = [.. (await Evaluate(manifest)).GetProperty("synthesizers").EnumerateArray()];
        Assert.Equal([("espeak", 2), ("flite", 1)],
            groups.Select(group => (group.GetProperty("voice").GetString()!, group.GetProperty("items").GetInt32())));
        Assert.Equal(groups[0].GetProperty("wer").GetDouble(), groups[1].GetProperty("wer").GetDouble(), 1e-9);
    }

    [Fact]
    public async Task RecordingsAreLookedForBeforeTheWorkBegins()
    {
        string audio = TinyBundle.Media("bat.wav"), folder = _bundle["out"];
        string manifest = Manifest((audio, "a", "b"), ("missing.wav", "c", "d"));
        (await CommandLine.Run("evaluate", "speech", manifest, "--to", "de", "--model", _bundle.Folder, "--output", folder))
            .AssertFailed(1, "set.jsonl, line 2", "missing.wav");
        Assert.False(Directory.Exists(folder));
        // What is not wanted need not be there.
        Assert.Equal(1, (await Evaluate(manifest, "--limit", "1")).GetProperty("items").GetInt32());
    }

    [Fact]
    public async Task TranslationsThatAreNullAreNone()
    {
        string manifest = _bundle.Write("set.jsonl", JsonSerializer.Serialize(
            new { audio = TinyBundle.Media("bat.wav"), text = "A bat.", translation = "Eine Fledermaus.", translations = (string?)null }));
        Assert.Equal(1, (await Evaluate(manifest)).GetProperty("items").GetInt32());
    }

    [Fact]
    public async Task AStoppedRunGoesOnWhereItWas()
    {
        string audio = TinyBundle.Media("bat.wav"), folder = _bundle["out"], items = Path.Combine(folder, "items.jsonl");
        string manifest = Manifest((audio, "a", "b"), (TinyBundle.Media("speaker.wav"), "c d", "e f"), (audio, "g", "h"));
        JsonElement whole = await Evaluate(manifest, "--batch-size", "2");
        Assert.Equal(1, (await Evaluate(manifest, "--limit", "1", "--output", folder)).GetProperty("items").GetInt32());
        string first = Assert.Single(File.ReadAllLines(items));
        // What is there is taken as it is: a text put in by hand shows up; and a line cut off by the stop is written again.
        JsonNode edited = JsonNode.Parse(first)!;
        edited["recognizer"]!["text"] = "a";
        File.WriteAllText(items, edited.ToJsonString() + "\n" + first[..20]);
        JsonElement resumed = await Evaluate(manifest, "--output", folder);
        Assert.Equal(3, resumed.GetProperty("items").GetInt32());
        Assert.Equal(3, File.ReadAllLines(items).Length);
        Assert.Equal(edited.ToJsonString(), File.ReadAllLines(items)[0]);
        Assert.True(Value(resumed, "recognizer") < Value(whole, "recognizer"));
        Assert.Equal(Value(whole, "fused"), Value(resumed, "fused"), 1e-9);

        await Refused("search", manifest, "--beams", "2");
        await Refused("set", Manifest((audio, "another", "b")));
        File.WriteAllText(items, "nonsense\n");
        Manifest((audio, "a", "b"), (TinyBundle.Media("speaker.wav"), "c d", "e f"), (audio, "g", "h"));
        await Refused("items.jsonl, line 1", manifest);
        File.Delete(Path.Combine(folder, "run.json"));
        await Refused("run.json", manifest);

        async Task Refused(string words, params string[] arguments) => (await CommandLine.Run(
            ["evaluate", "speech", .. arguments, "--to", "de", "--model", _bundle.Folder, "--output", folder])).AssertFailed(1, words);
    }

    [Theory]
    [InlineData("heard.wav", "speaker.wav")]
    [InlineData("seen.png", "slide.png")]
    public async Task ResultsOfOtherRecordingsAndPicturesDoNotCount(string changed, string other)
    {
        File.Copy(TinyBundle.Media("bat.wav"), _bundle["heard.wav"]);
        File.Copy(TinyBundle.Media("gray.png"), _bundle["seen.png"]);
        string manifest = _bundle.Write("set.jsonl", """{"audio": "heard.wav", "image": "seen.png", "text": "a", "translation": "b"}""");
        await Evaluate(manifest, "--image-mode", "none", "--output", _bundle["out"]);
        await Evaluate(manifest, "--image-mode", "none", "--output", _bundle["out"]);
        File.Copy(TinyBundle.Media(other), _bundle[changed], overwrite: true);
        (await CommandLine.Run("evaluate", "speech", manifest, "--image-mode", "none", "--to", "de", "--model", _bundle.Folder, "--output", _bundle["out"]))
            .AssertFailed(1, "its set was");
    }

    [Fact]
    public async Task UnrelatedPicturesAreThoseOfTheWholeSetWhateverTheLimit()
    {
        _bundle.EditJson("omnifusion.json", json => json["image_size"] = new JsonArray(112, 84));
        string manifest = _bundle.Write("set.jsonl", string.Join('\n', new[] { "gray.png", "slide.png", "alpha.png" }.Select(image =>
            JsonSerializer.Serialize(new { audio = TinyBundle.Media("bat.wav"), text = "a", translation = "b", image = TinyBundle.Media(image) }))));
        JsonElement one = await Evaluate(manifest, "--image-mode", "unrelated", "--limit", "1", "--output", _bundle["out"]);
        JsonElement all = await Evaluate(manifest, "--image-mode", "unrelated", "--output", _bundle["out"]);
        Assert.Equal((1, 3), (one.GetProperty("items").GetInt32(), all.GetProperty("items").GetInt32()));
    }

    [Fact]
    public async Task ARecordingThatCannotBeReadIsNamedByItsLine()
    {
        string bad = _bundle.Write("bad.wav", "no sound"), manifest = Manifest((TinyBundle.Media("bat.wav"), "a", "b"), (bad, "a", "b"));
        (await CommandLine.Run("evaluate", "speech", manifest, "--to", "de", "--model", _bundle.Folder)).AssertFailed(1, "set.jsonl, line 2", "bad.wav");
    }

    [Fact]
    public async Task SeveralLanguagesShareOneRecogniser()
    {
        string audio = TinyBundle.Media("bat.wav");
        string manifest = _bundle.Write("set.jsonl", JsonSerializer.Serialize(new
        {
            audio, text = "A bat.", translations = new { de = "Eine Fledermaus.", fr = "Une chauve-souris." }, speaker = "one",
        }));
        Outcome outcome = await CommandLine.Run(
            "evaluate", "speech", manifest, "--to", "fr,de", "--model", _bundle.Folder, "--json", "--resamples", "0");
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        JsonElement scores = Assert.Single(outcome.Json);
        Assert.Equal(["fr", "de"], scores.GetProperty("languages").EnumerateArray().Select(one => one.GetProperty("language").GetString()));
        Assert.Equal("one", scores.GetProperty("voices")[0].GetProperty("voice").GetString());
        Assert.Equal(JsonValueKind.Null, scores.GetProperty("recognizer").GetProperty("lower").ValueKind);
        Assert.StartsWith("nrefs:1|case:mixed", System(scores, "fused").GetProperty("signature").GetString());
        (await CommandLine.Run("evaluate", "speech", manifest, "--to", "fr,cs", "--model", _bundle.Folder)).AssertFailed(1, "'cs'");
        (await CommandLine.Run("evaluate", "speech", Manifest((audio, "a", "b")), "--to", "fr,de")).AssertFailed(1, "translations");
    }

    [Fact]
    public async Task TheCascadeSearchesInBothStagesAsTranslateDoes()
    {
        string audio = TinyBundle.Media("bat.wav"), folder = _bundle["out"];
        string[] search = ["--beams", "4", "--length-penalty", "0.3"];
        await Evaluate([Manifest((audio, "A bat.", "b")), "--output", folder, .. search]);
        JsonNode written = JsonNode.Parse(File.ReadAllLines(Path.Combine(folder, "items.jsonl"))[0])!;
        JsonNode cascade = written["translations"]!["de"]!["cascade"]!;
        JsonElement alone = (await _bundle.Translate([audio, "--to", "de", "--cascade", "--json", .. search])).Json[0];
        Assert.Equal(
            (alone.GetProperty("transcript").GetString(), alone.GetProperty("translation").GetString()),
            (written["recognizer"]!["text"]!.GetValue<string>(), cascade["text"]!.GetValue<string>()));
        // Its time is that of both stages.
        Assert.True(cascade["seconds"]!.GetValue<double>() > written["recognizer"]!["seconds"]!.GetValue<double>());
    }

    [Fact]
    public async Task AChainOfThoughtReadsWhatTheThinkerHears()
    {
        string audio = TinyBundle.Media("bat.wav"), folder = _bundle["out"];
        await Evaluate([Manifest((audio, "A bat.", "b")), "--output", folder]);
        JsonNode written = JsonNode.Parse(File.ReadAllLines(Path.Combine(folder, "items.jsonl"))[0])!;
        JsonNode thought = written["translations"]!["de"]!["chainOfThought"]!;
        string heard = written["recognizer"]!["text"]!.GetValue<string>();
        JsonElement alone = (await _bundle.Translate(audio, "--to", "de", "--chain-of-thought", "--json")).Json[0];
        Assert.Equal((heard, thought["text"]!.GetValue<string>()),
            (alone.GetProperty("transcript").GetString(), alone.GetProperty("translation").GetString()));
        // As if it had been given; and a transcript that is given is not written again.
        JsonElement given = (await _bundle.Translate(audio, "--to", "de", "--transcript", heard, "--json")).Json[0];
        Assert.Equal(given.GetProperty("ids").ToString(), alone.GetProperty("ids").ToString());
        JsonElement other =
            (await _bundle.Translate(audio, "--to", "de", "--transcript", "A bat.", "--chain-of-thought", "--json")).Json[0];
        Assert.Equal("A bat.", other.GetProperty("transcript").GetString());
        Assert.NotEqual(given.GetProperty("ids").ToString(), other.GetProperty("ids").ToString());
        Assert.True(thought["seconds"]!.GetValue<double>() > written["recognizer"]!["seconds"]!.GetValue<double>());
        // A batch may hold what nobody says, and what cannot be heard.
        string batch = _bundle.Write("batch.jsonl", string.Join('\n', JsonSerializer.Serialize(new { text = "A bat." }),
            JsonSerializer.Serialize(new { audio = "missing.wav" }), JsonSerializer.Serialize(new { audio })));
        Outcome outcome = await _bundle.Translate("--batch", batch, "--to", "de", "--batch-size", "3", "--chain-of-thought", "--json");
        Assert.Equal(1, outcome.Code);
        Assert.Equal(JsonValueKind.Null, Transcript(outcome.Json[0]));
        Assert.Contains("missing.wav", outcome.Json[1].GetProperty("error").GetString());
        Assert.Equal(alone.GetProperty("ids").ToString(), outcome.Json[2].GetProperty("ids").ToString());
        (await _bundle.Translate(audio, "--to", "de", "--cascade", "--chain-of-thought")).AssertFailed(2, "--chain-of-thought");
        (await _bundle.Translate("--text", "A bat.", "--to", "de", "--chain-of-thought")).AssertFailed(2, "--chain-of-thought");

        static JsonValueKind Transcript(JsonElement line) =>
            line.TryGetProperty("transcript", out JsonElement text) ? text.ValueKind : JsonValueKind.Null;
    }

    [Fact]
    public async Task PicturesAreSeenByTheFusedModelAlone()
    {
        _bundle.EditJson("omnifusion.json", json => json["image_size"] = new JsonArray(112, 84));
        string audio = TinyBundle.Media("bat.wav");
        string manifest = _bundle.Write("set.jsonl", string.Join('\n', new[] { "gray.png", "slide.png" }.Select(image =>
            JsonSerializer.Serialize(new { audio, text = "A bat.", translation = "Eine Fledermaus.", image = TinyBundle.Media(image) }))));
        string[] none = await Texts("none"), given = await Texts("given"), unrelated = await Texts("unrelated");
        Assert.Equal(none[0], none[1]);
        Assert.NotEqual(none[0], given[0]);
        Assert.Equal([given[1], given[0]], unrelated);
        Assert.Equal("given", (await Evaluate(manifest)).GetProperty("signature").GetString()!.Split("image:")[1].Split('|')[0]);
        string folder = Path.GetDirectoryName(TinyBundle.Media("gray.png"))!;
        Assert.Contains("image:unrelated@", (await Evaluate(manifest, "--images", folder, "--limit", "1"))
            .GetProperty("signature").GetString());

        await Fails(2, "--image-mode", manifest, "--image-mode", "other");
        await Fails(2, "--images", manifest, "--image-mode", "given", "--images", _bundle.Folder);
        await Fails(1, "no pictures", manifest, "--images", _bundle.Folder);
        await Fails(1, "is no folder", manifest, "--images", manifest);
        await Fails(1, "no item of the set", Manifest((audio, "a", "b")), "--image-mode", "given");

        async Task<string[]> Texts(string mode)
        {
            await Evaluate(manifest, "--image-mode", mode, "--output", _bundle[mode]);
            return [.. File.ReadAllLines(Path.Combine(_bundle[mode], "items.jsonl")).Select(line =>
                JsonNode.Parse(line)!["translations"]!["de"]!["fused"]!["text"]!.GetValue<string>())];
        }

        async Task Fails(int code, string words, params string[] arguments) =>
            (await CommandLine.Run(["evaluate", "speech", .. arguments, "--to", "de", "--model", _bundle.Folder]))
                .AssertFailed(code, words);
    }

    [Theory]
    [InlineData("set.jsonl")]
    [InlineData("--to", "de")]
    [InlineData("set.jsonl", "--to", "de,de")]
    [InlineData("set.jsonl", "--to", "de", "--pack", "p")]
    [InlineData("--to", "de,fr", "--pack", "p", "--source", "s", "--target", "t")]
    public async Task OptionsThatDoNotGoTogetherAreWrongUsage(params string[] arguments) =>
        (await CommandLine.Run(["evaluate", "speech", .. arguments])).AssertFailed(2);

    [Theory]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("""{"audio": "missing.wav", "text": "a", "translation": "b"}""")]
    [InlineData("")]
    public async Task ABadManifestIsOneSentence(string content) =>
        (await CommandLine.Run("evaluate", "speech", _bundle.Write("set.jsonl", content), "--to", "de", "--model", _bundle.Folder))
            .AssertFailed(1, "set.jsonl|missing.wav".Split('|')[content.Contains("audio", StringComparison.Ordinal) ? 1 : 0]);

    private async Task<JsonElement> Evaluate(params string[] arguments)
    {
        Outcome outcome = await CommandLine.Run(
            ["evaluate", "speech", .. arguments, "--to", "German", "--model", _bundle.Folder, "--json", "--resamples", "20"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        return Assert.Single(outcome.Json);
    }

    private static JsonElement System(JsonElement scores, string system) => system is "recognizer" or "gloss"
        ? scores.GetProperty(system) : scores.GetProperty("languages")[0].GetProperty(system);

    private static double Value(JsonElement scores, string system) => System(scores, system).GetProperty("value").GetDouble();

    private string Manifest(params (string Audio, string Text, string Translation)[] items) => _bundle.Write("set.jsonl", string.Join('\n',
        items.Select(item => JsonSerializer.Serialize(new { audio = item.Audio, text = item.Text, translation = item.Translation }))));

    // As SpeechPack documents it; every line but one is the same recording.
    private string Pack(string[] lines, float[] samples, int emptyLine)
    {
        byte[] sound = new byte[2 * samples.Length];
        for (int i = 0; i < samples.Length; i++)
            BinaryPrimitives.WriteInt16LittleEndian(sound.AsSpan(2 * i), (short)Math.Round(samples[i] * 32768));
        byte[] header = JsonSerializer.SerializeToUtf8Bytes(new
        {
            sampleRate = 16000, seed = 1, lines = lines.Length, voices = new[] { "test" },
            textSha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"))),
        });
        List<byte> index = [.. "OFSPEECH"u8, .. BitConverter.GetBytes(1), .. BitConverter.GetBytes(header.Length), .. header];
        long first = 0;
        for (int line = 0; line < lines.Length; line++)
        {
            int count = line == emptyLine ? 0 : samples.Length;
            index.AddRange(
                [.. BitConverter.GetBytes(first), .. BitConverter.GetBytes(count), .. BitConverter.GetBytes(line), 0, 0, 0, 0]);
            first += count;
        }
        _bundle.Write("test.pack.index", [.. index]);
        return _bundle.Write("test.pack", [.. sound, .. sound]);
    }
}
