using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace OmniFusion.Cli.Tests;

public sealed class EvaluateTextTests : IDisposable
{
    private static readonly JsonElement s_golden = TinyBundle.Case("text_metrics");

    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-text-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task EveryScoreIsThePublishedOne()
    {
        int compared = 0;
        foreach (IGrouping<string, JsonElement> data in s_golden.GetProperty("scores").EnumerateArray()
            .GroupBy(score => score.GetProperty("data").GetString()!))
        {
            JsonElement texts = data.Key is "zh" or "ja" ? s_golden.GetProperty(data.Key) : s_golden;
            string[] references = [.. texts.GetProperty("references").EnumerateArray()
                .Select((set, i) => Write($"{data.Key}-{i}.txt", set))];
            if (data.Key == "one reference")
                references = references[..1];
            JsonElement[] scores = await Scores([Write($"{data.Key}.txt", texts.GetProperty("hypotheses")), "--reference", .. references,
                "--tokenize", "13a,intl,char,zh,none", "--resamples", "0"]);
            foreach (JsonElement expected in data)
            {
                string metric = expected.GetProperty("metric").GetString()!.Replace(':', ' ');
                if (metric == "TER-normalized-lower")
                    continue;
                JsonElement found = scores.Single(score => score.GetProperty("name").GetString() == metric);
                Assert.Equal(expected.GetProperty("score").GetDouble(), found.GetProperty("value").GetDouble(), 1e-6);
                Assert.Equal(Settings(expected.GetProperty("signature").GetString()!),
                    Settings(found.GetProperty("signature").GetString()!));
                compared++;
            }
        }
        Assert.Equal(18, compared);
    }

    [Fact]
    public async Task ErrorRatesAreThePublishedOnes()
    {
        JsonElement wer = s_golden.GetProperty("wer");
        JsonElement[] scores = await Scores([Write("h.txt.gz", wer.GetProperty("hypotheses")), "--reference",
            Write("r.txt.gz", wer.GetProperty("references")), "--metrics", "cer,wer", "--resamples", "0"]);
        Assert.Equal(["WER", "CER"], scores.Select(score => score.GetProperty("name").GetString()));
        Assert.Equal(100 * wer.GetProperty("wer").GetDouble(), scores[0].GetProperty("value").GetDouble(), 1e-6);
        Assert.Equal(100 * wer.GetProperty("cer").GetDouble(), scores[1].GetProperty("value").GetDouble(), 1e-6);
        Assert.StartsWith("nrefs:1|unit:words|case:mixed|punct:yes|version:omnifusion-", scores[0].GetProperty("signature").GetString());
    }

    [Fact]
    public async Task NormalizedAndLowercasedTextsDifferInNothing()
    {
        string first = Write("a.txt", "Ja, der Hund bellt laut!"), second = Write("b.txt", "ja der hund bellt laut");
        JsonElement[] scores = await Scores([first, "--reference", second, "--normalize", "--resamples", "0", "--metrics", "wer,cer"]);
        Assert.All(scores, score => Assert.Equal(0, score.GetProperty("value").GetDouble()));
        string loud = Write("c.txt", "JA DER HUND BELLT LAUT");
        scores = await Scores([loud, "--reference", second, "--lowercase", "--metrics", "bleu,chrf,chrf++"]);
        Assert.All(scores, score => Assert.Equal(100, score.GetProperty("value").GetDouble(), 1e-9));
        Assert.All(scores, score => Assert.Contains("case:lc", score.GetProperty("signature").GetString()));
    }

    [Fact]
    public async Task WhatIsNamedTwiceIsScoredOnce()
    {
        string text = Write("a.txt", "Ein Hund.");
        JsonElement[] scores = await Scores([text, "--reference", text, "--metrics", "bleu,bleu", "--tokenize", "13a,none,13a"]);
        Assert.Equal(["BLEU 13a", "BLEU none"], scores.Select(score => score.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task ABetterSystemIsFoundBetter()
    {
        string[] truth = [.. Enumerable.Range(0, 40).Select(i => $"Der Hund Nummer {i} läuft heute schnell über die Straße .")];
        string reference = Write("r.txt", truth);
        string good = Write("good.txt", [.. truth.Select((line, i) => i % 4 != 0 ? line : Other(line, "läuft", "geht"))]);
        string poor = Write("poor.txt", [.. truth.Select((line, i) => i % 4 == 0 ? line : Other(line, "heute schnell", "gestern"))]);
        JsonElement[] scores = await Scores([good, "--reference", reference, "--baseline", poor]);
        Assert.Equal(6, scores.Length);
        foreach (JsonElement score in scores)
        {
            double value = score.GetProperty("value").GetDouble();
            bool higher = !score.GetProperty("name").GetString()!.EndsWith('R');
            Assert.Equal(higher, value > score.GetProperty("baseline").GetDouble());
            Assert.InRange(score.GetProperty("pValue").GetDouble(), 0, 0.05);
            Assert.True(score.GetProperty("wins").GetDouble() > 0.9);
            Assert.InRange(value, score.GetProperty("lower").GetDouble(), score.GetProperty("upper").GetDouble());
            Assert.StartsWith("nrefs:1|bs:1000|seed:12345|", score.GetProperty("signature").GetString());
        }
        // A system against itself is no better.
        JsonElement same = (await Scores([good, "--reference", reference, "--baseline", good, "--metrics", "bleu"])).Single();
        Assert.Equal((1, 0), (same.GetProperty("pValue").GetDouble(), same.GetProperty("wins").GetDouble()));

        static string Other(string line, string from, string to) => line.Replace(from, to, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheTableHasABlockForEachSystem()
    {
        string reference = Write("r.txt", "a b c d e"), first = Write("one.txt", "a b c d e"), second = Write("two.txt", "a b c d");
        Outcome outcome = await CommandLine.Run(
            "evaluate", "text", "--hypothesis", first, second, "--reference", reference, "--baseline", first);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        string[] block = ["metric", "BLEU", "chrF2", "chrF2++", "TER", "WER", "CER"];
        Assert.Equal([first, .. block, second, .. block],
            outcome.Lines.Select(line => line.Split(' ')[0]));
        Assert.Contains("BLEU 13a  100.00", outcome.Output);
        Assert.Contains("20.00", outcome.Lines[14]);
    }

    [Theory]
    [InlineData(2, "--hypothesis", "a")]
    [InlineData(2, "--reference", "a")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--metrics", "bleu,comet")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--tokenize", "14a")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--tokenize", "14a", "--metrics", "ter")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--tokenize", "")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--metrics", "")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--metrics", ",")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--resamples", "-1")]
    [InlineData(2, "--hypothesis", "a", "--reference", "a", "--seed", "x")]
    [InlineData(1, "--hypothesis", "missing.txt", "--reference", "missing.txt")]
    public async Task WrongUseIsOneSentence(int code, params string[] arguments) =>
        (await CommandLine.Run(["evaluate", "text", .. arguments])).AssertFailed(code);

    [Fact]
    public async Task FilesOfDifferentLengthAreRefused()
    {
        string one = Write("one.txt", "a"), two = Write("two.txt", "a", "b"), empty = Write("empty.txt");
        (await CommandLine.Run("evaluate", "text", "--hypothesis", two, "--reference", one))
            .AssertFailed(1, "two.txt has 2 lines", "one.txt has 1");
        (await CommandLine.Run("evaluate", "text", "--hypothesis", one, "--reference", one, two)).AssertFailed(1, "two.txt");
        (await CommandLine.Run("evaluate", "text", "--hypothesis", one, "--reference", one, "--baseline", two)).AssertFailed(1, "two.txt");
        (await CommandLine.Run("evaluate", "text", "--hypothesis", empty, "--reference", one)).AssertFailed(1, "empty.txt");
        File.WriteAllText(Path.Combine(_folder, "bad.gz"), "not compressed");
        (await CommandLine.Run("evaluate", "text", "--hypothesis", Path.Combine(_folder, "bad.gz"), "--reference", one))
            .AssertFailed(1, "bad.gz");
        using (MemoryStream content = new())
        {
            using (GZipStream packed = new(content, CompressionLevel.Fastest))
                packed.Write("A line.\nAnother.\n"u8);
            File.WriteAllBytes(Path.Combine(_folder, "cut.gz"), content.ToArray()[..^9]);
        }
        (await CommandLine.Run("evaluate", "text", "--hypothesis", Path.Combine(_folder, "cut.gz"), "--reference", one))
            .AssertFailed(1, "cut.gz", "cut off");
    }

    private static async Task<JsonElement[]> Scores(string[] arguments)
    {
        Outcome outcome = await CommandLine.Run(["evaluate", "text", "--json", "--hypothesis", .. arguments]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        return [.. Assert.Single(Assert.Single(outcome.Json).GetProperty("systems").EnumerateArray().ToArray())
            .GetProperty("scores").EnumerateArray()];
    }

    private static string Settings(string signature) => signature[..signature.IndexOf("|version:", StringComparison.Ordinal)];

    private string Write(string name, JsonElement lines) => Write(name, [.. lines.EnumerateArray().Select(line => line.GetString()!)]);

    private string Write(string name, params string[] lines)
    {
        string path = Path.Combine(_folder, name);
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")));
        using Stream file = File.Create(path);
        using Stream content = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        content.Write(text);
        return path;
    }
}
