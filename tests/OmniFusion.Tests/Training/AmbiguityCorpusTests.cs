using OmniFusion.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class AmbiguityCorpusTests : IDisposable
{
    private const string Bat =
        """{"word":"bat","kind":"noun","split":"mixed","readings":["animal","club"],"pictures":[["1f987","1f44b"],["1f468-200d-1f9b2"]]}""";
    private const string Nurse =
        """{"word":"nurse","kind":"role","split":"heldout","readings":["woman","man"],"pictures":[["1f987"],["1f44b-1f3fb"]]}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("ambiguity-").FullName;

    [Fact]
    public void ReadsWordsAndSentences()
    {
        Write([Bat, Nurse], [.. Sentences("bat", "train", 4), .. Sentences("bat", "test", 2), "", .. Sentences("nurse", "heldout", 6)]);
        AmbiguityCorpus corpus = AmbiguityCorpus.Read(_folder);
        Assert.Equal(["bat", "nurse"], corpus.Words.Select(word => word.Word));
        Assert.Equal(("noun", "mixed"), (corpus.Words[0].Kind, corpus.Words[0].Split));
        Assert.Equal(["animal", "club"], corpus.Words[0].Readings);
        Assert.Equal(["1f987", "1f44b"], corpus.Words[0].Pictures[0]);
        Assert.Equal(12, corpus.Sentences.Count);
        AmbiguousSentence fifth = corpus.Sentences[4];
        Assert.Same(corpus.Words[0], fifth.Word);
        Assert.Equal(("test", "bat test 0"), (fifth.Split, fifth.English));
        Assert.Equal(["cs bat test 0 a", "cs bat test 0 b"], fifth.Translations["cs"]);
    }

    [Theory]
    [InlineData("no JSON", "words-1.jsonl, line 2: it is not JSON")]
    [InlineData("[]", "words-1.jsonl, line 2: it is not a JSON object")]
    [InlineData("{}", "words-1.jsonl, line 2: \"pictures\" is missing")]
    [InlineData("""{"word":"\ud800","pictures":[["1f987"],["1f988"]]}""", "words-1.jsonl, line 2: it holds broken Unicode")]
    [InlineData("""{"\ud800\ud800":1}""", "words-1.jsonl, line 2: it holds broken Unicode")]
    [InlineData("""{"word":"x","kind":"noun","split":"mixed","readings":["a","b"],"pictures":[["1f987"]]}""", "\"pictures\" is not a list of two")]
    [InlineData("""{"word":"x","kind":"noun","split":"mixed","readings":["a","b"],"pictures":[["1f987"],[]]}""", "no picture")]
    [InlineData("""{"word":"x","kind":"noun","split":"mixed","readings":["a","b"],"pictures":["1f987","1f988"]}""", "not two lists")]
    [InlineData("""{"word":"x","kind":"noun","split":"mixed","readings":["a","b"],"pictures":[["1f1"],["1f1"]]}""", "for both readings")]
    [InlineData("""{"word":"x","kind":"thing","split":"mixed","readings":["a","b"],"pictures":[["1f1"],["1f2"]]}""", "'thing' and not noun")]
    [InlineData("""{"word":"x","kind":"noun","split":"train","readings":["a","b"],"pictures":[["1f1"],["1f2"]]}""", "'train' and not mixed")]
    [InlineData("""{"word":"x","kind":"noun","split":"mixed","readings":["a","a"],"pictures":[["1f1"],["1f2"]]}""", "the same for both")]
    [InlineData("""{"word":" x","kind":"noun","split":"mixed","readings":["a","b"],"pictures":[["1f1"],["1f2"]]}""", "\"word\" has something")]
    [InlineData(Bat, "'bat' stands in")]
    [InlineData("""{"word":"x","kind":"noun","split":"mixed","readings":["a","b"],"pictures":[["1f1"],["1f2"]]}""", "'x' has 0 sentences")]
    public void NamesTheLineOfABadWord(string line, string expected)
    {
        Write([Bat, line], Sentences("bat", "train", 6));
        Assert.Contains(expected, Error());
    }

    [Theory]
    [InlineData("""{"word":"cat","split":"train","en":"x","de":["a","b"],"fr":["a","b"],"cs":["a","b"]}""", "line 7: no file of words has 'cat'")]
    [InlineData("""{"word":"bat","split":"heldout","en":"x","de":["a","b"],"fr":["a","b"],"cs":["a","b"]}""", "'heldout', but that of the word")]
    [InlineData("""{"word":"bat","split":"dev","en":"x","de":["a","b"],"fr":["a","b"],"cs":["a","b"]}""", "'dev' and not train")]
    [InlineData("""{"word":"bat","split":"test","en":"x","de":["a","a"],"fr":["a","b"],"cs":["a","b"]}""", "\"de\" says the same")]
    [InlineData("""{"word":"bat","split":"test","en":"x","de":["a","b"],"fr":["a","b","c"],"cs":["a","b"]}""", "\"fr\" is not a list of two")]
    [InlineData("""{"word":"bat","split":"test","en":"x","de":["a","b"],"fr":["a",7],"cs":["a","b"]}""", "\"fr\" has something")]
    [InlineData("""{"word":"bat","split":"test","en":"x","de":["a","b"],"fr":["a","b"]}""", "\"cs\" is missing")]
    [InlineData("""{"word":"bat","split":"test","en":"bat train 0","de":["a","b"],"fr":["a","b"],"cs":["a","b"]}""", "stands in")]
    public void NamesTheLineOfABadSentence(string line, string expected)
    {
        Write([Bat], [.. Sentences("bat", "train", 6), line]);
        string error = Error();
        Assert.Contains("sentences-1.jsonl, line 7", error);
        Assert.Contains(expected, error);
    }

    [Fact]
    public void NamesWhatIsMissing()
    {
        Assert.Contains("words-*.jsonl", Error());
        Write([Bat], Sentences("bat", "train", 5));
        Assert.Contains("words-1.jsonl, line 1: the word 'bat' has 5 sentences", Error());
        Assert.Contains("no-such", Assert.Throws<OmniFusionException>(() => AmbiguityCorpus.Read(Path.Combine(_folder, "no-such"))).Message);
    }

    [Fact]
    public void WritesTheLayoutOfCoMMuTE()
    {
        Write([Bat, Nurse], [.. Sentences("bat", "train", 4), .. Sentences("bat", "test", 2), .. Sentences("nurse", "heldout", 6)]);
        using PictogramPack pack = MakePictograms();
        AmbiguityCorpus corpus = AmbiguityCorpus.Read(_folder, pack);
        string output = Path.Combine(_folder, "out");
        Assert.Equal(4, ContrastiveSetWriter.Write(corpus, "test", "de", pack, "two", output));
        Assert.Equal(["bat test 0", "bat test 0", "bat test 1", "bat test 1"], File.ReadAllLines(Path.Combine(output, "src.en")));
        Assert.Equal(
            ["de bat test 0 a", "de bat test 0 b", "de bat test 1 a", "de bat test 1 b"],
            File.ReadAllLines(Path.Combine(output, "correct.de")));
        Assert.Equal(
            ["de bat test 0 b", "de bat test 0 a", "de bat test 1 b", "de bat test 1 a"],
            File.ReadAllLines(Path.Combine(output, "incorrect.de")));
        string[] order = File.ReadAllLines(Path.Combine(output, "img.order"));
        Assert.Equal(["two-1f987.png", "two-1f468-200d-1f9b2.png", "two-1f44b-fe0f.png", "two-1f468-200d-1f9b2.png"], order);
        foreach (string file in order)
        {
            RgbImage image = ImageFile.Read(Path.Combine(output, "images", file));
            Assert.Equal(new SceneComposer().ComposeFixed([pack.Find(file[4..^4], "two")!]).Pixels, image.Pixels);
        }
        Assert.Equal(["bat", "bat", "bat", "bat"], File.ReadAllLines(Path.Combine(output, "words")));
        Assert.False(File.Exists(Path.Combine(output, "audio.order")));
        Assert.Equal(12, ContrastiveSetWriter.Write(corpus, "heldout", "cs", pack, "one", output));
    }

    [Fact]
    public void BothLinesOfASentenceHaveTheSameRecording()
    {
        Write([Bat], [.. Sentences("bat", "train", 4), .. Sentences("bat", "test", 2)]);
        using PictogramPack pack = MakePictograms();
        AmbiguityCorpus corpus = AmbiguityCorpus.Read(_folder, pack);
        string wav = Path.Combine(_folder, "tone.wav"), output = Path.Combine(_folder, "spoken");
        WavWriter.WritePcm16(wav, [.. Enumerable.Range(0, 16000).Select(i => MathF.Sin(i * 0.3f))], 16000);
        RecordedPack.Build(Path.Combine(_folder, "speech.pack"), [.. corpus.Sentences.Select(item => new Recording(wav, item.English, "tone"))]);
        using SpeechPack speech = SpeechPack.Open(Path.Combine(_folder, "speech.pack"));
        Assert.Equal(4, ContrastiveSetWriter.Write(corpus, "test", "de", pack, "two", output, speech));
        string[] recordings = File.ReadAllLines(Path.Combine(output, "audio.order"));
        Assert.Equal(["0004.wav", "0004.wav", "0005.wav", "0005.wav"], recordings);
        Assert.All(recordings, name => Assert.Equal(speech.Items[4].SampleCount, AudioFile.ReadMono16k(Path.Combine(output, "audio", name), 30).Length));

        RecordedPack.Build(Path.Combine(_folder, "other.pack"), [new Recording(wav, "Something else.", "tone")]);
        using SpeechPack other = SpeechPack.Open(Path.Combine(_folder, "other.pack"));
        Assert.Throws<OmniFusionException>(() => ContrastiveSetWriter.Write(corpus, "test", "de", pack, "two", output, other));
    }

    [Fact]
    public void RefusesWhatThePictogramsDoNotHave()
    {
        using PictogramPack pack = MakePictograms();
        Write([Bat.Replace("1f44b", "1f988")], [.. Sentences("bat", "train", 6)]);
        Assert.Contains("line 1: the picture 1f988", Assert.Throws<OmniFusionException>(() => AmbiguityCorpus.Read(_folder, pack)).Message);
        AmbiguityCorpus corpus = AmbiguityCorpus.Read(_folder);
        Assert.Throws<OmniFusionException>(() => ContrastiveSetWriter.Write(corpus, "test", "de", pack, "two", _folder));
        Assert.Throws<OmniFusionException>(() => ContrastiveSetWriter.Write(corpus, "dev", "de", pack, "two", _folder));
        Assert.Throws<OmniFusionException>(() => ContrastiveSetWriter.Write(corpus, "train", "xx", pack, "two", _folder));
        Assert.Throws<OmniFusionException>(() => ContrastiveSetWriter.Write(corpus, "train", "de", pack, "three", _folder));
        Assert.Throws<OmniFusionException>(() => ContrastiveSetWriter.Write(corpus, "train", "de", pack, "two", _folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string[] Sentences(string word, string split, int count) =>
    [
        .. Enumerable.Range(0, count).Select(i =>
        {
            string Pair(string language) => $"\"{language}\":[\"{language} {word} {split} {i} a\",\"{language} {word} {split} {i} b\"]";
            return $"{{\"word\":\"{word}\",\"split\":\"{split}\",\"en\":\"{word} {split} {i}\",{Pair("de")},{Pair("fr")},{Pair("cs")}}}";
        }),
    ];

    private string Error() => Assert.Throws<OmniFusionException>(() => AmbiguityCorpus.Read(_folder)).Message;

    private void Write(string[] words, string[] sentences)
    {
        File.WriteAllLines(Path.Combine(_folder, "words-1.jsonl"), words);
        File.WriteAllLines(Path.Combine(_folder, "sentences-1.jsonl"), sentences);
    }

    private PictogramPack MakePictograms()
    {
        PictogramMaker.MakePackage(_folder, "one", 100);
        PictogramMaker.MakePackage(_folder, "two", 200);
        string path = Path.Combine(_folder, "p.pack");
        PictogramPackBuilder.Build(_folder, ["one", "two"], path);
        return PictogramPack.Open(path);
    }
}
