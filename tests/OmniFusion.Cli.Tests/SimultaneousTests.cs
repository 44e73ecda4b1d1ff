using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using OmniFusion.Media;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli.Tests;

public sealed class SimultaneousTests : IDisposable
{
    private readonly TinyBundle _bundle = new();
    private readonly List<string> _begun = [];
    private readonly List<int?> _shown = [];

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task ATalkIsScoredAndItsLogsScoreTheSame()
    {
        string manifest = Talk(), output = _bundle["out"];
        JsonElement report = Assert.Single((await Evaluate("simultaneous", manifest, "--to", "de", "--policy", "hold-n:3", "--chunk", "0.1",
            "--model", _bundle.Folder, "--threads", "1", "--json", "--output", output)).Json);
        JsonElement scores = report.GetProperty("scores");
        Assert.Equal(100, scores.GetProperty("bleu").GetDouble(), 1e-6);
        Assert.Equal(2, scores.GetProperty("sentences").GetInt32());
        string signature = report.GetProperty("signature").GetString()!;
        Assert.Matches(@"^set:talks.jsonl@[0-9a-f]{12}\|n:1\|lang:de\|system:fused\|policy:hold-n:3\|chunk:0.1\|unit:word\|ca:real-time"
            + @"\|model:omnifusion-cli-.*@[0-9a-f]{12}\|threads:1\|version:omnifusion-", signature);
        Assert.Equal(["hold-n:3", "hold-n:3"], _begun);
        double laal = Plain(scores, "streamLaal"), longYaal = Plain(scores, "longYaal");
        Assert.Equal(["instances.log", "scores.json", "simulstream.jsonl"], Directory.GetFiles(output).Select(Path.GetFileName).Order());

        JsonElement stream = await Log("simulstream.jsonl"), instances = await Log("instances.log");
        foreach (JsonElement logged in new[] { stream, instances })
        {
            Assert.Equal(laal, Plain(logged.GetProperty("scores"), "streamLaal"), 1e-9);
            Assert.Equal(longYaal, Plain(logged.GetProperty("scores"), "longYaal"), 1e-9);
            Assert.Equal(Plain(scores, "atd"), Plain(logged.GetProperty("scores"), "atd"), 1e-9);
            Assert.Equal(100, logged.GetProperty("scores").GetProperty("bleu").GetDouble(), 1e-6);
        }
        Assert.Contains("|ca:simulstream|", stream.GetProperty("signature").GetString());
        Assert.Contains("|ca:log|", instances.GetProperty("signature").GetString());

        async Task<JsonElement> Log(string name)
        {
            string again = Path.Combine(output, "again");
            Outcome outcome = await CommandLine.Run(
                "evaluate", "simultaneous", manifest, "--to", "de", "--log", Path.Combine(output, name), "--json", "--output", again);
            Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
            Assert.Equal("scores.json", Path.GetFileName(Assert.Single(Directory.GetFiles(again))));
            return Assert.Single(outcome.Json);
        }
    }

    [Fact]
    public async Task AForeignLogNeedsNoModelAndNoManifest()
    {
        string log = _bundle.Write("instances.log", string.Join('\n',
            TinyBundle.Case("latency_metrics").GetProperty("instances").EnumerateArray().Select(i => JsonSerializer.Serialize(i))));
        Outcome outcome = await CommandLine.Run("evaluate", "simultaneous", "--log", log);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        double expected = TinyBundle.Case("latency_metrics").GetProperty("scores").GetProperty("LAAL_CA").GetProperty("mean").GetDouble();
        string row = Assert.Single(outcome.Lines, line => line.StartsWith("LAAL", StringComparison.Ordinal));
        Assert.EndsWith((expected / 1000).ToString("0.000"), row);
        // What was taken back does not stand in it.
        Assert.Matches("^flicker +- ", Assert.Single(outcome.Lines, line => line.StartsWith("flicker", StringComparison.Ordinal)));
        Assert.DoesNotContain(outcome.Lines, line => line.StartsWith("StreamLAAL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASweepGoesOnAndComparesTheSystems()
    {
        string[] sweep = ["curves", Talk(), "--to", "de", "--policy", "hold-n:3", "--policy", "wait-k:1", "--chunk", "0.1",
            "--chunk", "0.3", "--model", _bundle.Folder, "--output", _bundle["curves"]];
        Outcome outcome = await Evaluate([.. sweep, "--system", "fused"]);
        Assert.Equal(0, outcome.Code);
        Assert.Equal(4, File.ReadLines(Path.Combine(_bundle["curves"], "curves.jsonl")).Count());
        Assert.DoesNotContain("at equal BLEU", outcome.Output);
        int begun = _begun.Count;
        outcome = await Evaluate(sweep);
        Assert.Equal(8, File.ReadLines(Path.Combine(_bundle["curves"], "curves.jsonl")).Count());
        Assert.Equal(begun * 2, _begun.Count);
        Assert.Contains("without computation: fused is ahead of cascade by 0.000 s", outcome.Output);
        Assert.Contains("  word 50 %  word 90 %  word 99 %", outcome.Output);
        Assert.Contains("</svg>", File.ReadAllText(Path.Combine(_bundle["curves"], "curves.svg")));
        string table = (await Evaluate(sweep)).Output;
        Assert.Equal(begun * 2, _begun.Count);
        Assert.Equal(outcome.Output, table);
        // Other pauses, another model in the same folder and another set of the same name are other points.
        await Evaluate([.. sweep, "--pause", "0.6"]);
        Assert.Equal(begun * 4, _begun.Count);
        _bundle.Write("fusion/more.txt", "trained again");
        await Evaluate(sweep);
        Assert.Equal(begun * 6, _begun.Count);
        Talk("Eins zwei drei.");
        await Evaluate(sweep);
        Assert.Equal(begun * 8, _begun.Count);
    }

    [Fact]
    public async Task PolicyAndChunkAreTheBundlesWhereNoneIsGiven()
    {
        _bundle.EditJson("omnifusion.json", json => json["simultaneous"] = new JsonObject { ["policy"] = "hold-n:2", ["chunk_seconds"] = 0.2 });
        string manifest = Talk();
        Assert.Contains("|policy:hold-n:2|chunk:0.2|", await Signature());
        Assert.Contains("|policy:wait-k:1|chunk:0.2|", await Signature("--policy", "wait-k:1"));
        Assert.Contains("|policy:hold-n:2|chunk:0.3|", await Signature("--chunk", "0.3"));

        async Task<string> Signature(params string[] given) => Assert.Single((await Evaluate(
            ["simultaneous", manifest, "--to", "de", "--model", _bundle.Folder, "--json", .. given])).Json).GetProperty("signature").GetString()!;
    }

    [Theory]
    [InlineData("fused")]
    [InlineData("cascade", "--cascade")]
    [InlineData("cascade/retranslate:0", "--cascade", "--transcript-policy", "retranslate:0")]
    [InlineData("chain-of-thought", "--chain-of-thought")]
    public async Task TheModelItselfIsEvaluated(string system, params string[] chosen)
    {
        string manifest = _bundle.Write("set.jsonl", JsonSerializer.Serialize(
            new { audio = TinyBundle.Media("bat.wav"), text = "A bat flies.", translation = "Eine Fledermaus fliegt." }));
        Outcome outcome = await CommandLine.Run(["evaluate", "simultaneous", manifest, "--to", "de", "--policy", "local-agreement:2",
            "--chunk", "0.5", "--model", _bundle.Folder, "--json", .. chosen]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        JsonElement report = Assert.Single(outcome.Json);
        Assert.Contains($"|system:{system}|", report.GetProperty("signature").GetString());
        Assert.True(report.GetProperty("scores").GetProperty("realTimeFactor").GetDouble() > 0);
        Assert.True(report.GetProperty("scores").GetProperty("steps").GetDouble() > 2);
        _bundle.EditJson("omnifusion.json", json => json["simultaneous"] = new JsonObject { ["pause_seconds"] = 0.04 });
        Outcome paused = await CommandLine.Run(["evaluate", "simultaneous", manifest, "--to", "de", "--sentence-pause", "0.3",
            "--max-segment", "9", "--exact", "--model", _bundle.Folder, "--json", .. chosen]);
        Assert.Contains("|sentence_pause:0.3|max_segment:9|exact:yes|unit:", Assert.Single(paused.Json).GetProperty("signature").GetString());
        Outcome least = await CommandLine.Run(["evaluate", "simultaneous", manifest, "--to", "de", "--pause", "0.04",
            "--model", _bundle.Folder, "--json", .. chosen]);
        Assert.Contains("|pause:0.04|", Assert.Single(least.Json).GetProperty("signature").GetString());
    }

    [Fact]
    public async Task PicturesAreSeenBesideATalk()
    {
        string manifest = Talk(), one = TinyBundle.Media("alpha.png"), two = TinyBundle.Media("slide.png");
        string talk = File.ReadAllText(manifest);
        string With(object images) => talk.TrimEnd().TrimEnd('}') + ",\"images\":" + JsonSerializer.Serialize(images) + "}\n";
        string slides = _bundle.Write("slides.jsonl",
            With(new[] { new { image = (string?)one, at = 0.0 }, new { image = (string?)null, at = 0.3 } })
            + With(new[] { new { image = two, at = 0.2 } }));
        (int small, int large) = (ImageFile.Read(one).Width, ImageFile.Read(two).Width);
        Assert.NotEqual(small, large);

        // Before the first recording it is run unmeasured, with what is seen.
        Assert.Contains("|images:given|", await Seen());
        Assert.Equal([small, null, small, null, large], _shown);
        Assert.Contains("|images:given|", await Seen("--image-mode", "given"));
        Assert.Contains("|images:none|", await Seen("--image-mode", "none"));
        Assert.Empty(_shown);
        Assert.Contains("|images:unrelated|", await Seen("--image-mode", "unrelated"));
        Assert.Equal([large, null, large, null, small], _shown);
        foreach (string mode in new[] { "given", "unrelated" })
            (await Evaluate("simultaneous", manifest, "--to", "de", "--model", _bundle.Folder, "--image-mode", mode))
                .AssertFailed(1, "no recording of the set");
        (await Evaluate("simultaneous", _bundle.Write("slide.jsonl", File.ReadLines(slides).Last()), "--to", "de", "--model", _bundle.Folder,
            "--image-mode", "unrelated")).AssertFailed(1, "no other recording");
        (await Evaluate("simultaneous", manifest, "--to", "de", "--model", _bundle.Folder, "--image-mode", "some")).AssertFailed(2, "some");

        async Task<string> Seen(params string[] given)
        {
            _shown.Clear();
            return Assert.Single((await Evaluate(
                ["simultaneous", slides, "--to", "de", "--policy", "wait-k:1", "--chunk", "0.1", "--model", _bundle.Folder, "--json", .. given]))
                .Json).GetProperty("signature").GetString()!;
        }
    }

    [Fact]
    public async Task ASweepMeasuresAgainWhatIsHeardOrSeenAnew()
    {
        string manifest = Talk(), talk = File.ReadAllText(manifest).TrimEnd().TrimEnd('}'), picture = _bundle["one.png"];
        File.Copy(TinyBundle.Media("alpha.png"), picture);
        string With(string path) => talk + ",\"image\":" + JsonSerializer.Serialize(path) + "}\n";
        string slides = _bundle.Write("slides.jsonl", With(picture) + With(TinyBundle.Media("slide.png")));
        string[] sweep = ["curves", slides, "--to", "de", "--policy", "hold-n:3", "--chunk", "0.1", "--system", "fused",
            "--model", _bundle.Folder, "--output", _bundle["curves"]];
        Assert.Equal(1, await Points());
        Assert.Equal(1, await Points());
        Assert.Equal(2, await Points("--image-mode", "unrelated"));
        Assert.Equal(3, await Points("--image-mode", "none"));
        File.Copy(TinyBundle.Media("slide.png"), picture, overwrite: true);
        Assert.Equal(4, await Points());
        WavWriter.WritePcm16(_bundle["talk.wav"], [.. Enumerable.Repeat(0.1f, 8000)], 16000);
        Assert.Equal(5, await Points());
        string points = Path.Combine(_bundle["curves"], "curves.jsonl");
        Assert.Contains("\"version\":\"", File.ReadLines(points).Last());
        File.WriteAllText(points, System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(points), "\"version\":\"[^\"]*\"", "\"version\":null"));
        Assert.Equal(6, await Points());

        async Task<int> Points(params string[] given)
        {
            Outcome outcome = await Evaluate([.. sweep, .. given]);
            Assert.Equal(0, outcome.Code);
            return File.ReadLines(Path.Combine(_bundle["curves"], "curves.jsonl")).Count();
        }
    }

    [Fact]
    public async Task WrongUsageIsOneSentence()
    {
        string manifest = Talk(), log = _bundle.Write("some.log", "{\"id\": 1}");
        (await CommandLine.Run("evaluate", "simultaneous", manifest)).AssertFailed(2, "--to");
        (await CommandLine.Run("evaluate", "simultaneous", "--to", "de")).AssertFailed(2, "MANIFEST");
        foreach (string chunk in new[] { "0", "-1", "0.01", "31" })
            (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--chunk", chunk))
                .AssertFailed(2, $"--chunk takes 0.02 to 30 seconds, not {chunk}.");
        foreach (string[] bad in new string[][] { ["--chunk", "0.25"], ["--pause", "11"], ["--sentence-pause", "11"], ["--max-segment", "31"] })
            foreach (string[] kind in new string[][] { ["simultaneous"], ["curves", "--output", _bundle["o"]] })
                (await CommandLine.Run(["evaluate", .. kind, manifest, "--to", "de", .. bad])).AssertFailed(2, bad[0]);
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--from", "en")).AssertFailed(2, "--from goes with --cascade");
        foreach (string[] system in new string[][]
            { ["--policy", "wait-k:3"], ["--chunk", "1"], ["--cascade"], ["--model", "x"], ["--max-segment", "9"], ["--exact"], ["--from", "en"] })
            (await CommandLine.Run(["evaluate", "simultaneous", "--log", log, .. system])).AssertFailed(2, system[0], "--log");
        File.Delete(_bundle["talk.wav"]);
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de")).AssertFailed(1, "Line 1", "talk.wav");
        Talk();
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--policy", "guess")).AssertFailed(2, "guess");
        (await CommandLine.Run("evaluate", "curves", manifest, "--to", "de", "--output", _bundle["o"], "--policy", "guess"))
            .AssertFailed(2, "guess");
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--unit", "byte")).AssertFailed(2, "byte");
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--computation", "x")).AssertFailed(2, "real-time");
        (await CommandLine.Run("evaluate", "simultaneous", "--log", log)).AssertFailed(2, "MANIFEST");
        (await CommandLine.Run("evaluate", "simultaneous", "--log", _bundle["missing.log"])).AssertFailed(1, "missing.log");
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--log", log)).AssertFailed(1, "some.log", "Line 1");
        (await CommandLine.Run("evaluate", "simultaneous", "--log", manifest)).AssertFailed(1, "neither");
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "fr")).AssertFailed(1, "'fr'");
        (await CommandLine.Run("evaluate", "curves", manifest, "--to", "de")).AssertFailed(2, "--output");
        (await CommandLine.Run("evaluate", "curves", manifest, "--to", "de", "--output", _bundle["o"], "--system", "both"))
            .AssertFailed(2, "both");
        (await CommandLine.Run("evaluate", "curves", manifest, "--to", "de", "--output", _bundle["o"], "--system", "cascade/guess"))
            .AssertFailed(2, "guess");
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--chain-of-thought", "--policy", "alignatt:8"))
            .AssertFailed(2, "alignatt:8");
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--chain-of-thought", "--cascade"))
            .AssertFailed(2, "two ways");
        (await CommandLine.Run("evaluate", "simultaneous", manifest, "--to", "de", "--transcript-policy", "hold-n:3"))
            .AssertFailed(2, "--cascade");
        (await CommandLine.Run("synthesize", "talks", "--pack", "p", "--source", "s", "--target", "de.txt", "--out", "o"))
            .AssertFailed(1, "--source");
    }

    // Half a second of sound in which two sentences are said to be.
    private string Talk(string translation = "Eins zwei drei vier.")
    {
        WavWriter.WritePcm16(_bundle["talk.wav"], new float[8000], 16000);
        return _bundle.Write("talks.jsonl", JsonSerializer.Serialize(new
        {
            audio = "talk.wav",
            sentences = new[]
            {
                new { text = "One two.", translations = new { de = translation }, start = 0.0, end = 0.2 },
                new { text = "Three.", translations = new { de = "Noch ein Satz hier." }, start = 0.25, end = 0.5 },
            },
        }));
    }

    private Task<Outcome> Evaluate(params string[] arguments) => CommandLine.Run(
        new Command("omnifusion") { SimultaneousCommand.Create(Begin), CurvesCommand.Create(Begin) }, arguments);

    private ISimultaneousTranslator Begin(Models.OmniFusionModel model, SimultaneousSystem system)
    {
        _begun.Add(system.Policy);
        return new TellingTranslator(_shown, "Eins zwei drei vier.", " Noch ein Satz hier.");
    }

    private static double Plain(JsonElement scores, string metric) => scores.GetProperty(metric).GetProperty("plain").GetDouble();

    /// <summary>Tells one text a step, and the rest at the end.</summary>
    private sealed class TellingTranslator(List<int?> shown, params string[] texts) : ISimultaneousTranslator
    {
        private readonly Queue<string> _left = new(texts);

        public IReadOnlyList<StreamEvent> Push(ReadOnlySpan<float> samples, CancellationToken cancellation = default) =>
            [Event(_left.TryDequeue(out string? text) ? text : "")];

        public IReadOnlyList<StreamEvent> Finish(CancellationToken cancellation = default) => [Event(string.Concat(_left))];

        public void Show(RgbImage? image) => shown.Add(image?.Width);

        public void Dispose()
        {
        }

        private static StreamEvent Event(string text) => new(0, 0, text, "", 0, false);
    }
}
