using System.Globalization;
using System.Text;
using OmniFusion.Text;

namespace OmniFusion.Tests.Text;

public sealed class UnicodeNormalizerTests
{
    // Expected values from the examples and definitions of Unicode Standard Annex 15.
    [Theory]
    [InlineData(NormalizationForm.FormC, "e\u0301", "\u00e9")]
    [InlineData(NormalizationForm.FormD, "\u00e9", "e\u0301")]
    [InlineData(NormalizationForm.FormC, "\u212b\u2126", "\u00c5\u03a9")]
    [InlineData(NormalizationForm.FormC, "\ufb01", "\ufb01")]
    [InlineData(NormalizationForm.FormKC, "\ufb01", "fi")]
    [InlineData(NormalizationForm.FormKC, "2\u2075", "25")]
    [InlineData(NormalizationForm.FormC, "\u1e9b\u0323", "\u1e9b\u0323")]
    [InlineData(NormalizationForm.FormD, "\u1e9b\u0323", "\u017f\u0323\u0307")]
    [InlineData(NormalizationForm.FormKC, "\u1e9b\u0323", "\u1e69")]
    [InlineData(NormalizationForm.FormKD, "\u1e9b\u0323", "s\u0323\u0307")]
    [InlineData(NormalizationForm.FormKC, "\u0385", " \u0308\u0301")]
    [InlineData(NormalizationForm.FormC, "d\u0307\u0323", "\u1e0d\u0307")]
    [InlineData(NormalizationForm.FormC, "\u1112\u1161\u11ab", "\ud55c")]
    [InlineData(NormalizationForm.FormD, "\ud55c", "\u1112\u1161\u11ab")]
    [InlineData(NormalizationForm.FormC, "\uac00\u11a8", "\uac01")]
    [InlineData(NormalizationForm.FormC, "\u0958", "\u0915\u093c")]
    [InlineData(NormalizationForm.FormC, "\U0001d15e", "\U0001d157\U0001d165")]
    [InlineData(NormalizationForm.FormC, "\u0301a", "\u0301a")]
    public void Gives_the_forms_of_the_standard(NormalizationForm form, string text, string expected) =>
        Assert.Equal(expected, UnicodeNormalizer.Normalize(text, form));

    [Fact]
    public void Stand_ins_have_the_category_of_what_they_stand_for()
    {
        HashSet<UnicodeCategory> seen = [];
        for (int point = 0x10000; point < 0x110000; point += 1)
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(new Rune(point));
            if (seen.Add(category))
                Assert.Equal(category, char.GetUnicodeCategory(SplitPattern.StandIn(new Rune(point))));
        }
        Assert.True(seen.Count > 15);
    }
}
