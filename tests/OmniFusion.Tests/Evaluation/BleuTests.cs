using System.Text.Json;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class BleuTests
{
    [Fact]
    public void Equals_the_published_scores_for_every_tokenizer()
    {
        TextGolden golden = TextGolden.Load();
        int compared = 0;
        foreach (JsonElement score in golden.Scores("BLEU:"))
        {
            BleuOptions options = new() { Tokenizer = Tokenizer(score.GetProperty("metric").GetString()![5..]) };
            (string[] hypotheses, string[][] references) = golden.Data(score);
            BleuScore corpus = Bleu.Corpus(hypotheses, references, options);
            Assert.Equal(score.GetProperty("score").GetDouble(), corpus.Score, 1e-6);
            Assert.Equal(score.GetProperty("text").GetString(), corpus.ToString());
            Assert.Equal(TextGolden.Settings(score.GetProperty("signature").GetString()!), TextGolden.Settings(corpus.Signature));
            double[] sentences = TextGolden.Doubles(score.GetProperty("sentences"));
            for (int i = 0; i < hypotheses.Length; i++)
            {
                BleuScore one = Bleu.Sentence(hypotheses[i], [.. references.Select(r => r[i])], options with { EffectiveOrder = true });
                Assert.Equal(sentences[i], one.Score, 1e-6);
            }
            compared++;
        }
        Assert.Equal(10, compared);
    }

    // Expected by hand: "a b c d" against "a b x y" has 2/4, 1/3, 0/2, 0/1.
    [Theory]
    [InlineData(BleuSmoothing.Exp, null, 2.0 / 4 * 1 / 3 * 1 / 4 * 1 / 4)]
    [InlineData(BleuSmoothing.Floor, null, 2.0 / 4 * 1 / 3 * 0.1 / 2 * 0.1 / 1)]
    [InlineData(BleuSmoothing.Floor, 0.5, 2.0 / 4 * 1 / 3 * 0.5 / 2 * 0.5 / 1)]
    [InlineData(BleuSmoothing.AddK, null, 2.0 / 4 * 2 / 4 * 1 / 3 * 1 / 2)]
    [InlineData(BleuSmoothing.None, null, 0.0)]
    public void Smooths_orders_without_a_match(BleuSmoothing smoothing, double? value, double product)
    {
        BleuScore score = Bleu.Corpus(["a b c d"], ["a b x y"], new BleuOptions { Smoothing = smoothing, SmoothValue = value });
        Assert.Equal(100 * Math.Pow(product, 0.25), score.Score, 1e-9);
    }

    [Fact]
    public void Signature_names_every_setting()
    {
        BleuOptions options = new()
        {
            Lowercase = true, EffectiveOrder = true, Smoothing = BleuSmoothing.Floor, Tokenizer = BleuTokenizer.Chinese,
        };
        string signature = Bleu.Corpus(["a"], [["a"], ["b"]], options).Signature;
        Assert.StartsWith("nrefs:2|case:lc|eff:yes|tok:zh|smooth:floor[0.10]|version:omnifusion-", signature);
        Assert.StartsWith("nrefs:var|", Bleu.Corpus(["a", "b"], [["a", "b"], ["c", null]], options).Signature);
    }

    [Theory]
    [InlineData(BleuTokenizer.V13a, "It's 3.5% (of 1,000), e.g. A-B 3-4 &amp; x.", "It's 3.5 % ( of 1,000 ) , e . g . A-B 3 - 4 & x .")]
    [InlineData(BleuTokenizer.International, "\"Ja,\" 3.5 km² 😀¿no?", "\" Ja , \" 3.5 km² 😀 ¿ no ?")]
    [InlineData(BleuTokenizer.International, "in 1999.", "in 1999.")]
    [InlineData(BleuTokenizer.Character, "a 😀", "a 😀")]
    [InlineData(BleuTokenizer.Chinese, "他说“好”。OK, 5.", "他 说 “ 好 ” 。 OK , 5.")]
    [InlineData(BleuTokenizer.None, " a,\tb ", "a, b")]
    public void Splits_words(BleuTokenizer tokenizer, string sentence, string words) =>
        Assert.Equal(words, string.Join(' ', BleuTokenization.Split(sentence, tokenizer)));

    [Fact]
    public void Lowercase_ignores_case()
    {
        BleuOptions options = new() { Lowercase = true };
        Assert.Equal(100, Bleu.Corpus(["EIN KURZER SATZ HIER ΟΔΟΣ"], ["ein kurzer Satz hier οδος"], options).Score, 1e-9);
    }

    [Fact]
    public void Empty_hypothesis_scores_zero()
    {
        BleuScore score = Bleu.Corpus([""], ["a b"]);
        Assert.Equal(0, score.Score);
        Assert.Equal(0, score.BrevityPenalty);
        Assert.Equal(0, Bleu.Corpus([""], [""]).Score);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        Assert.Contains("2 hypotheses", Assert.Throws<OmniFusionException>(() => Bleu.Corpus(["a", "b"], ["a"])).Message);
        Assert.Throws<OmniFusionException>(() => Bleu.Corpus([], Array.Empty<string>()));
        Assert.Throws<OmniFusionException>(() => Bleu.Corpus(["a"], Array.Empty<string[]>()));
        Assert.Throws<OmniFusionException>(() => Bleu.Corpus(["a"], new string?[][] { [null] }));
        Assert.Throws<OmniFusionException>(() => Bleu.Corpus(["a"], ["a"], new BleuOptions { MaxOrder = 0 }));
        Assert.Throws<OmniFusionException>(() => Bleu.Corpus(["a"], ["a"], new BleuOptions { SmoothValue = double.NaN }));
        Assert.Throws<OmniFusionException>(() => Bleu.Corpus(["a"], ["a"], new BleuOptions { Tokenizer = (BleuTokenizer)99 }));
    }

    private static BleuTokenizer Tokenizer(string name) =>
        Enum.GetValues<BleuTokenizer>().Single(t => BleuTokenization.Name(t) == name);
}
