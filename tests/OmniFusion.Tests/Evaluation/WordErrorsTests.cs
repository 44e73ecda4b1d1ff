using System.Text.Json;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class WordErrorsTests
{
    [Fact]
    public void Equals_the_published_rates()
    {
        JsonElement golden = TextGolden.Load().Wer;
        string[] references = TextGolden.Strings(golden.GetProperty("references"));
        string[] hypotheses = TextGolden.Strings(golden.GetProperty("hypotheses"));
        WordErrors words = WordErrors.Compute(references, hypotheses);
        Assert.Equal(golden.GetProperty("wer").GetDouble(), words.Wer, 1e-6);
        Assert.Equal(golden.GetProperty("mer").GetDouble(), words.Mer, 1e-6);
        Assert.Equal(golden.GetProperty("wil").GetDouble(), words.Wil, 1e-6);
        Assert.Equal(golden.GetProperty("substitutions").GetInt64(), words.Substitutions);
        Assert.Equal(golden.GetProperty("insertions").GetInt64(), words.Insertions);
        Assert.Equal(golden.GetProperty("deletions").GetInt64(), words.Deletions);
        Assert.Equal(golden.GetProperty("cer").GetDouble(), WordErrors.Characters(references, hypotheses).Wer, 1e-6);
    }

    [Theory]
    [InlineData("a b c", "a b c", 3, 0, 0, 0)]
    [InlineData("a b c", "", 0, 0, 3, 0)]
    [InlineData("", "a b", 0, 0, 0, 2)]
    [InlineData("a b c d", "x a c d", 3, 0, 1, 1)]
    [InlineData("a b c d e", "b c d e x", 4, 0, 1, 1)]
    [InlineData(" a\tb \n c ", "a b c", 3, 0, 0, 0)]
    public void Counts_edits(string reference, string hypothesis, int hits, int substitutions, int deletions, int insertions) =>
        Assert.Equal(new WordErrors(hits, substitutions, deletions, insertions), WordErrors.Compute(reference, hypothesis));

    [Fact]
    public void Empty_reference_gives_a_finite_rate()
    {
        Assert.Equal(0, WordErrors.Compute("", "").Wer);
        Assert.Equal(0, WordErrors.Compute("", "").Wil);
        Assert.Equal(2, WordErrors.Compute("", "a b").Wer);
        Assert.Equal(1, WordErrors.Compute("", "a b").Wil);
    }

    [Fact]
    public void Characters_are_code_points() => Assert.Equal(new WordErrors(2, 1, 0, 0), WordErrors.Characters("a😀b", "a😃b"));

    [Fact]
    public void Bad_input_is_named()
    {
        Assert.Contains("1 references", Assert.Throws<OmniFusionException>(() => WordErrors.Compute(["a"], ["a", "b"])).Message);
        Assert.Throws<OmniFusionException>(() => WordErrors.Compute(Array.Empty<string>(), []));
    }

    [Theory]
    [InlineData("Hello, World! Don’t stop - e-mail me at 5.30 (p.m.).", "hello world don't stop e-mail me at 5.30 p m")]
    [InlineData("  «Grüße»…  ", "grüße")]
    [InlineData("1.000,50 €", "1.000,50")]
    [InlineData("Cafe\u0301!", "caf\u00e9")]
    [InlineData("你好,世界。", "你好 世界")]
    public void Normalizer_keeps_words_only(string text, string expected) => Assert.Equal(expected, TextNormalizer.ForRecognition(text));
}
