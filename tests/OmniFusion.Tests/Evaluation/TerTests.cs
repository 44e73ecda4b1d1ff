using System.Text.Json;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class TerTests
{
    [Fact]
    public void Equals_the_published_scores()
    {
        TextGolden golden = TextGolden.Load();
        int compared = 0;
        foreach (JsonElement score in golden.Scores("TER"))
        {
            TerOptions options = new() { Normalized = score.GetProperty("metric").GetString() == "TER-normalized-lower" };
            (string[] hypotheses, string[][] references) = golden.Data(score);
            TerScore corpus = Ter.Corpus(hypotheses, references, options);
            Assert.Equal(score.GetProperty("score").GetDouble(), corpus.Score, 1e-6);
            Assert.Equal(score.GetProperty("text").GetString(), corpus.ToString());
            Assert.Equal(TextGolden.Settings(score.GetProperty("signature").GetString()!), TextGolden.Settings(corpus.Signature));
            double[] sentences = TextGolden.Doubles(score.GetProperty("sentences"));
            for (int i = 0; i < hypotheses.Length; i++)
                Assert.Equal(sentences[i], Ter.Sentence(hypotheses[i], [.. references.Select(r => r[i])], options).Score, 1e-6);
            compared++;
        }
        Assert.Equal(4, compared);
    }

    [Theory]
    [InlineData("a b c d", "a b c d", 0)]
    [InlineData("c d a b", "a b c d", 1)] // one shift
    [InlineData("a b d e c", "a b c d e", 1)]
    [InlineData("e a b c d", "a b c d e", 1)]
    [InlineData("a x c", "a b c", 1)]
    [InlineData("", "a b", 2)]
    [InlineData("a b", "", 2)]
    [InlineData("", "", 0)]
    public void Counts_edits_and_shifts(string hypothesis, string reference, int edits) =>
        Assert.Equal(edits, Ter.Sentence(hypothesis, [reference]).Edits);

    [Fact]
    public void Band_follows_texts_of_very_different_length()
    {
        string two = "a b", long_ = string.Join(' ', Enumerable.Range(0, 300));
        Assert.Equal(300, Ter.Sentence(two, [long_]).Edits);
        Assert.Equal(300, Ter.Sentence(long_, [two]).Edits);
    }

    [Theory]
    [InlineData("Tom's (3.5) dog, it's.", true, false, false, "tom 's ( 3.5 ) dog , it's .")]
    [InlineData("Ja, \"nein\"!", false, true, false, "ja nein")]
    [InlineData("译者,看。", true, false, true, "译 者 , 看 。")]
    [InlineData("译者、看。", false, true, true, "译者看")]
    [InlineData("译者、看。", true, false, false, "译者、看。")]
    public void Splits_words(string sentence, bool normalized, bool noPunctuation, bool asian, string words) =>
        Assert.Equal(words, string.Join(' ', TerTokenization.Split(sentence,
            new TerOptions { Normalized = normalized, NoPunctuation = noPunctuation, AsianSupport = asian })));

    [Fact]
    public void Case_counts_only_if_asked_for()
    {
        Assert.Equal(0, Ter.Corpus(["Ja"], ["ja"]).Score);
        Assert.Equal(100, Ter.Corpus(["Ja"], ["ja"], new TerOptions { CaseSensitive = true }).Score);
    }
}
