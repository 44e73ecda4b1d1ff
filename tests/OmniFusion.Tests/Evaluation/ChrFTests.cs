using System.Text.Json;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class ChrFTests
{
    [Fact]
    public void Equals_the_published_scores()
    {
        TextGolden golden = TextGolden.Load();
        int compared = 0;
        foreach (JsonElement score in golden.Scores("chrF"))
        {
            ChrFOptions options = score.GetProperty("metric").GetString() == "chrF2++" ? ChrFOptions.PlusPlus : new ChrFOptions();
            (string[] hypotheses, string[][] references) = golden.Data(score);
            ChrFScore corpus = ChrF.Corpus(hypotheses, references, options);
            Assert.Equal(score.GetProperty("score").GetDouble(), corpus.Score, 1e-6);
            Assert.Equal(score.GetProperty("text").GetString(), corpus.ToString());
            Assert.Equal(TextGolden.Settings(score.GetProperty("signature").GetString()!), TextGolden.Settings(corpus.Signature));
            double[] sentences = TextGolden.Doubles(score.GetProperty("sentences"));
            for (int i = 0; i < hypotheses.Length; i++)
                Assert.Equal(sentences[i], ChrF.Sentence(hypotheses[i], [.. references.Select(r => r[i])], options).Score, 1e-6);
            compared++;
        }
        Assert.Equal(6, compared);
    }

    // "ab" against "abc": precision 1 and recall 2/3 for characters, 1 and 1/2 for pairs, nothing longer in the hypothesis.
    [Fact]
    public void Short_texts_use_the_orders_they_have()
    {
        const double recall = (2.0 / 3 + 1.0 / 2) / 2;
        Assert.Equal(100 * 5 * recall / (4 + recall), ChrF.Sentence("ab", ["abc"]).Score, 1e-9);
    }

    [Fact]
    public void Epsilon_smoothing_divides_by_all_orders()
    {
        static double F(double recall) => 5 * recall / (4 + recall);
        double expected = 100 * (F(2.0 / 3) + F(1.0 / 2)) / 6;
        ChrFScore score = ChrF.Sentence("ab", ["abc"], new ChrFOptions { EpsSmoothing = true, Whitespace = true, Lowercase = true });
        Assert.Equal(expected, score.Score, 1e-9);
        Assert.StartsWith("nrefs:1|case:lc|eff:no|nc:6|nw:0|space:yes|", score.Signature);
    }

    [Fact]
    public void White_space_counts_only_if_asked_for()
    {
        Assert.Equal(100, ChrF.Sentence("a b c", ["abc"]).Score, 1e-9);
        Assert.True(ChrF.Sentence("a b c", ["abc"], new ChrFOptions { Whitespace = true }).Score < 60);
    }

    [Theory]
    [InlineData("hi !", "hi!", true)]
    [InlineData("( hi", "(hi", true)]
    [InlineData("(hi !", "(hi!", false)] // of two marks only the last is split off
    public void Word_order_sees_one_mark_apart(string hypothesis, string reference, bool same) =>
        Assert.Equal(same, ChrF.Sentence(hypothesis, [reference], ChrFOptions.PlusPlus).Score > 99.999);

    [Fact]
    public void Bad_input_is_named()
    {
        Assert.Throws<OmniFusionException>(() => ChrF.Corpus(["a"], ["a"], new ChrFOptions { CharOrder = 0 }));
        Assert.Throws<OmniFusionException>(() => ChrF.Corpus(["a"], ["a"], new ChrFOptions { WordOrder = int.MaxValue }));
        Assert.Throws<OmniFusionException>(() => ChrF.Corpus(["a"], ["a"], new ChrFOptions { Beta = 0 }));
        Assert.Throws<OmniFusionException>(() => ChrF.Corpus(["a"], ["a", "b"]));
    }
}
