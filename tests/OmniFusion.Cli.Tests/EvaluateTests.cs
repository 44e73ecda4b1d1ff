using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OmniFusion.Media;
using OmniFusion.Models;

namespace OmniFusion.Cli.Tests;

public sealed class EvaluateTests : IDisposable
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
        Assert.StartsWith("nrefs:1|case:mixed", second.GetProperty("fused").GetProperty("signature").GetString());
        Assert.True(second.GetProperty("cascade").GetProperty("seconds").GetDouble() > 0);
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
        foreach (string system in new[] { "recognizer", "text", "cascade", "fused" })
            Assert.Equal(Value(ofManifest, system), Value(ofPack, system), 1e-6);
        Assert.Equal(1, (await Evaluate([.. files, "--limit", "1"])).GetProperty("items").GetInt32());

        string other = _bundle.Write("other.txt", "One line.\nSomething else.\nAnother line.");
        (await CommandLine.Run("evaluate", "speech", "--pack", pack, "--source", other, "--target", target, "--to", "de"))
            .AssertFailed(1, "other.txt");
        string shorter = _bundle.Write("short.txt", "One line.");
        (await CommandLine.Run("evaluate", "speech", "--pack", pack, "--source", source, "--target", shorter, "--to", "de"))
            .AssertFailed(1, "short.txt");
    }

    [Fact]
    public async Task ThePlainTableHasARowForEachSystem()
    {
        Outcome outcome = await CommandLine.Run(
            "evaluate", "speech", Manifest((TinyBundle.Media("bat.wav"), "a", "b")), "--to", "de", "--model", _bundle.Folder);
        Assert.Equal(["items", "recogniser", "text", "cascade", "fused"], outcome.Lines.Select(line => line.Split(' ')[0]));
    }

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
            ["evaluate", "speech", .. arguments, "--to", "German", "--model", _bundle.Folder, "--json"]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        return Assert.Single(outcome.Json);
    }

    private static double Value(JsonElement scores, string system) =>
        scores.GetProperty(system).GetProperty("value").GetDouble();

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
