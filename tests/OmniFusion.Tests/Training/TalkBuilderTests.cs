using OmniFusion.Evaluation;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class TalkBuilderTests : IDisposable
{
    private const int Lines = 60;

    private static readonly string[] s_source = [.. Enumerable.Range(0, Lines).Select(i => $"Line {i}.")];

    private readonly string _folder = Directory.CreateTempSubdirectory("talks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_talk_is_its_sentences_with_pauses_and_the_manifest_says_where()
    {
        using SpeechPack pack = Pack();
        TalkPlan plan = Plan() with { Talks = 5 };
        IReadOnlyList<Talk> talks = TalkBuilder.Build(pack, this["talks"], plan);
        Assert.Equal(5, talks.Count);
        HashSet<string> seen = [];
        IReadOnlyList<SpokenRecording> recordings = TalkManifest.Read(Path.Combine(this["talks"], TalkBuilder.ManifestName), "fr");
        Assert.Equal(["talk-001", "talk-002", "talk-003", "talk-004", "talk-005"], recordings.Select(recording => recording.Name));
        foreach ((Talk talk, SpokenRecording recording) in talks.Zip(recordings))
        {
            Assert.InRange(talk.Sentences.Count, 8, 12);
            float[] sound = recording.Read(default);
            Assert.Equal(talk.Sentences[^1].End, sound.Length / 16000.0, 1e-9);
            double before = 0;
            foreach ((TalkSentence sentence, SpokenSentence read) in talk.Sentences.Zip(recording.Sentences))
            {
                int line = Array.IndexOf(s_source, sentence.Text);
                Assert.True(seen.Add(sentence.Text));
                Assert.Equal(($"Zeile {line}.", $"Ligne {line}."), (sentence.Translations["de"], sentence.Translations["fr"]));
                Assert.Equal(new SpokenSentence(sentence.Text, $"Ligne {line}.", sentence.Start, sentence.End), read);
                if (sentence != talk.Sentences[0])
                    Assert.InRange(sentence.Start - before, 0.1 - 1e-4, 1.5 + 1e-4);
                int first = (int)Math.Round(sentence.Start * 16000), length = (int)Math.Round((sentence.End - sentence.Start) * 16000);
                Assert.Equal(Level(line), sound[first]);
                Assert.Equal(Level(line), sound[first + length - 1]);
                if (first > 0)
                    Assert.Equal(0, sound[first - 1]);
                before = sentence.End;
            }
        }
        Assert.True(talks.Select(talk => talk.Sentences.Count).Distinct().Count() > 1);
        // 60 lines by three voices: the first talk needs one voice only.
        Assert.Single(talks[0].Sentences.Select(sentence => Array.IndexOf(s_source, sentence.Text) % 3).Distinct());
    }

    [Fact]
    public void A_trimmed_talk_has_no_silence_but_its_pauses()
    {
        // 50 ms of hardly anything before and behind each sentence; the shortest is 20 ms long.
        using SpeechPack pack = Pack(silence: 800);
        TalkPlan plan = Plan() with { LeastPause = 0, MostPause = 0, Trim = true };
        IReadOnlyList<Talk> talks = TalkBuilder.Build(pack, this["talks"], plan);
        foreach ((Talk talk, SpokenRecording recording) in talks.Zip(TalkManifest.Read(Path.Combine(this["talks"], TalkBuilder.ManifestName), "de")))
        {
            float[] sound = recording.Read(default);
            double end = 0;
            foreach (TalkSentence sentence in talk.Sentences)
            {
                int line = Array.IndexOf(s_source, sentence.Text);
                Assert.Equal(end, sentence.Start, 1e-9);
                end = sentence.End;
                Assert.Equal((20 + line) / 1000.0, end - sentence.Start, 1e-9);
                Assert.All(sound[(int)Math.Round(sentence.Start * 16000)..(int)Math.Round(end * 16000)], sample => Assert.Equal(Level(line), sample));
            }
            Assert.Equal(sound.Length / 16000.0, end, 1e-9);
        }
        Assert.Contains("another plan", Assert.Throws<OmniFusionException>(
            () => TalkBuilder.Build(pack, this["talks"], plan with { Trim = false })).Message);
    }

    [Fact]
    public void A_stopped_making_goes_on_and_gives_the_same()
    {
        using SpeechPack pack = Pack();
        TalkBuilder.Build(pack, this["whole"], Plan());
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => TalkBuilder.Build(pack, this["broken"], Plan(), done =>
        {
            if (done == 2)
                stop.Cancel();
        }, stop.Token));
        Assert.False(File.Exists(Path.Combine(this["broken"], TalkBuilder.ManifestName)));
        TalkBuilder.Build(pack, this["broken"], Plan());
        string[] Files(string folder) => [.. Directory.GetFiles(this[folder]).Select(file => Path.GetFileName(file)).Order()];
        Assert.Equal(Files("whole"), Files("broken"));
        Assert.Equal(5, Files("whole").Length);
        foreach (string file in Files("whole"))
            Assert.Equal(File.ReadAllBytes(Path.Combine(this["whole"], file)), File.ReadAllBytes(Path.Combine(this["broken"], file)));
        OmniFusionException other = Assert.Throws<OmniFusionException>(
            () => TalkBuilder.Build(pack, this["whole"], Plan() with { Seed = 2 }));
        Assert.Contains("another plan", other.Message);
    }

    [Fact]
    public void What_cannot_be_made_is_named()
    {
        using SpeechPack pack = Pack();
        TalkPlan plan = Plan();
        AssertNamed("too few", plan with { Talks = 20 });
        AssertNamed("0 talks", plan with { Talks = 0 });
        AssertNamed("9 to 8", plan with { LeastSentences = 9, MostSentences = 8 });
        AssertNamed("Pauses", plan with { LeastPause = double.NaN });
        AssertNamed("Pauses", plan with { LeastPause = 2 });
        AssertNamed("does not speak", plan with { Source = [.. s_source.Reverse()] });
        AssertNamed("into de", plan with { Translations = new Dictionary<string, IReadOnlyList<string>> { ["de"] = ["a"] } });
        AssertNamed("one language", plan with { Translations = new Dictionary<string, IReadOnlyList<string>>() });
        Assert.False(Directory.Exists(this["talks"]));

        void AssertNamed(string words, TalkPlan wrong) => Assert.Contains(
            words, Assert.Throws<OmniFusionException>(() => TalkBuilder.Build(pack, this["talks"], wrong)).Message);
    }

    [Fact]
    public void A_manifest_of_sentences_is_read_too()
    {
        File.WriteAllLines(this["set.jsonl"],
        [
            """{"audio": "a/x.wav", "text": "One.", "translation": " Eins. ", "translations": null, "more": 1}""",
            "",
            """{"audio": "b/x.wav", "text": "Two.", "translations": {"de": "Zwei.", "fr": "Deux."}}""",
        ]);
        Assert.Contains("Line 1", Assert.Throws<OmniFusionException>(() => TalkManifest.Read(this["set.jsonl"], "de")).Message);
        foreach (string folder in new[] { "a", "b" })
        {
            Directory.CreateDirectory(this[folder]);
            File.WriteAllText(this[$"{folder}/x.wav"], "no sound");
        }
        IReadOnlyList<SpokenRecording> set = TalkManifest.Read(this["set.jsonl"], "de");
        Assert.Equal(["x", "x-2"], set.Select(recording => recording.Name));
        Assert.Equal([new SpokenSentence("One.", "Eins.", 0, null)], set[0].Sentences);
        Assert.Equal([new ReferenceSegment("Zwei.", 0, 2.5)], set[1].References(2.5));
        Assert.Single(TalkManifest.Read(this["set.jsonl"], "de", limit: 1));
        Assert.Contains("x.wav", Assert.Throws<OmniFusionException>(() => set[0].Read(default)).Message);
    }

    [Fact]
    public void A_manifest_says_what_is_seen_and_when()
    {
        foreach (string name in new[] { "x.wav", "1.png", "2.png" })
            File.WriteAllText(this[name], "");
        File.WriteAllLines(this["set.jsonl"],
        [
            """{"audio": "x.wav", "text": "One.", "translation": "Eins.", "image": "1.png"}""",
            """{"audio": "x.wav", "text": "One.", "translation": "Eins.", "images": [{"image": "1.png", "at": 0.5}, {"image": null, "at": 2}, {"image": "2.png", "at": 3}]}""",
            """{"audio": "x.wav", "text": "One.", "translation": "Eins.", "image": null}""",
        ]);
        IReadOnlyList<SpokenRecording> set = TalkManifest.Read(this["set.jsonl"], "de");
        Assert.Equal([new SpokenImage(this["1.png"], 0)], set[0].Images);
        Assert.Equal([new SpokenImage(this["1.png"], 0.5), new SpokenImage(null, 2), new SpokenImage(this["2.png"], 3)], set[1].Images);
        Assert.Empty(set[2].Images);
    }

    [Theory]
    [InlineData("""{"audio": "set.jsonl", "text": "a", "translation": "b", "image": "gone.png"}""", "gone.png")]
    [InlineData("""{"audio": "set.jsonl", "text": "a", "translation": "b", "image": 3}""", "'image'")]
    [InlineData("""{"audio": "set.jsonl", "text": "a", "translation": "b", "images": {}}""", "'images'")]
    [InlineData("""{"audio": "set.jsonl", "text": "a", "translation": "b", "images": [{"image": null}]}""", "'at'")]
    [InlineData("""{"audio": "set.jsonl", "text": "a", "translation": "b", "image": "set.jsonl", "images": []}""", "both")]
    [InlineData("""{"audio": "set.jsonl", "text": "a", "translation": "b", "images": [{"image": null, "at": 2}, {"image": null, "at": 2}]}""", "order")]
    [InlineData("nonsense", "JSON")]
    [InlineData("[]", "'audio'")]
    [InlineData("""{"audio": 3}""", "'audio'")]
    [InlineData("""{"audio": "a.wav", "text": "a"}""", "'translation'")]
    [InlineData("""{"audio": "a.wav", "text": "a", "translations": {"fr": "b"}}""", "'de'")]
    [InlineData("""{"audio": "a.wav", "text": "a", "translation": " "}""", "empty")]
    [InlineData("""{"audio": "a.wav", "sentences": []}""", "'sentences'")]
    [InlineData("""{"audio": "a.wav", "sentences": [3]}""", "'text'")]
    [InlineData("""{"audio": "a.wav", "sentences": [{"text": "a", "translation": "b", "start": 0}]}""", "'end'")]
    [InlineData("""{"audio": "a.wav", "sentences": [{"text": "a", "translation": "b", "start": 1, "end": 1}]}""", "1 to 1")]
    [InlineData("""{"audio": "a.wav", "sentences": [{"text": "a", "translation": "b", "start": 1e999, "end": 1e999}]}""", "'start'")]
    public void A_bad_manifest_is_named_with_its_line(string line, string word)
    {
        File.WriteAllText(this["set.jsonl"], "\n" + line);
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => TalkManifest.Read(this["set.jsonl"], "de"));
        Assert.Contains(word, error.Message);
        Assert.Contains("Line 2", error.Message);
        Assert.Contains("set.jsonl", error.Message);
    }

    [Fact]
    public void An_empty_manifest_is_named()
    {
        File.WriteAllText(this["set.jsonl"], "\n");
        Assert.Contains("no recordings", Assert.Throws<OmniFusionException>(() => TalkManifest.Read(this["set.jsonl"], "de")).Message);
    }

    private string this[string name] => Path.Combine(_folder, name);

    private static float Level(int line) => (100 + line) / 32768f;

    private static TalkPlan Plan() => new(s_source, new Dictionary<string, IReadOnlyList<string>>
    {
        ["de"] = [.. Enumerable.Range(0, Lines).Select(i => $"Zeile {i}.")],
        ["fr"] = [.. Enumerable.Range(0, Lines).Select(i => $"Ligne {i}. ")],
    })
    {
        Talks = 3,
    };

    // Line i has a constant level of its own, 20 to 79 ms long, and is spoken by voice i % 3.
    private SpeechPack Pack(int silence = 0)
    {
        Voice[] voices = [.. Voice.Training.Take(3)];
        SpeechPackHeader header = new(16000, 1, Lines, SpeechPackHeader.HashText(s_source), [.. voices.Select(voice => voice.Id)]);
        using (SpeechPackWriter writer = SpeechPackWriter.Open(this["a.pack"], header, resume: false))
        {
            for (int i = 0; i < Lines; i++)
            {
                short[] samples = new short[silence + (20 + i) * 16 + silence];
                Array.Fill(samples, (short)(100 + i), silence, (20 + i) * 16);
                writer.Append(new Utterance(i, 0, voices[i % 3], 1, 1, 0, 0), samples);
            }
        }
        return SpeechPack.Open(this["a.pack"]);
    }
}
