using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public class TermAccuracyTests
{
    [Theory]
    [InlineData("Das ist Anna.", "Anna", 1)]
    [InlineData("Anna", "Anna", 1)]
    [InlineData("Das ist anna.", "Anna", 0)]
    [InlineData("Das ist Annas Haus.", "Anna", 0)]
    [InlineData("Hannas Anna", "Anna", 1)]
    [InlineData("Das ist Jean-Luc.", "Luc", 1)]
    [InlineData("", "Anna", 0)]
    public void ATermCountsWhereItStandsAsAWordOfItsOwn(string text, string term, double expected) =>
        Assert.Equal(expected, TermAccuracy.Compute([text], [term]));

    [Fact]
    public void TextsWithoutATermDoNotCount()
    {
        Assert.Equal(0.5, TermAccuracy.Compute(["Das ist Anna.", "Nichts.", "Das ist Otto."], ["Anna", null, "Hugo"]));
        Assert.Equal(0, TermAccuracy.Compute(["Nichts."], [null]));
        Assert.Throws<ArgumentException>(() => TermAccuracy.Compute(["a", "b"], ["a"]));
    }
}
