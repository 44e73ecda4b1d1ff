using OmniFusion.Simultaneous;
using OmniFusion.Text;

namespace OmniFusion.Tests.Simultaneous;

public sealed class PartialTextTests
{
    private static readonly string[] s_words =
    [
        "Ein", "Hund", "rennt", "Unabhängigkeitserklärung", "Donaudampfschiff", "durch", "den", "Schnee,", "„schön“", "naïve",
        "🐶🐕‍🦺", "Привет", "x", "2024", "don't", "...", "東京", "ひらがな",
    ];

    // Per policy and tokenizer 20 random streams of hypotheses that change their mind behind what is out.
    [Theory]
    [InlineData("wait-k:1")]
    [InlineData("wait-k:3,stride=2")]
    [InlineData("wait-k-chunks:2")]
    [InlineData("local-agreement:2")]
    [InlineData("local-agreement:3")]
    [InlineData("hold-n:0")]
    [InlineData("hold-n:3")]
    [InlineData("alignatt:frames=8")]
    [InlineData("alignatt:frames=8,mass=0.2")]
    public void No_word_that_is_out_is_lost_or_changed_or_half(string policy)
    {
        foreach (Tokenizer tokenizer in Tokenizers.All)
            for (int seed = 0; seed < 20; seed++)
                Run(policy, tokenizer, seed);
    }

    private static void Run(string policyText, Tokenizer tokenizer, int seed)
    {
        Random random = new(seed);
        Hypothesis last = null!;
        ScriptedDecoder decoder = new(tokenizer, (_, kept) =>
        {
            string more = string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => " " + s_words[random.Next(s_words.Length)]));
            int[] own = tokenizer.Encode(more, addSpecialTokens: false);
            // A hypothesis may stop anywhere, in a word or a character too.
            own = own[..random.Next(own.Length + 1)];
            float[][] attention = [.. own.Select(_ => Enumerable.Range(0, 100).Select(_ => random.NextSingle()).ToArray())];
            return last = new Hypothesis([.. kept, .. own], random.Next(2) == 0, attention);
        });
        PartialText text = new(decoder, PolicyOptions.Parse(policyText).Create(tokenizer));
        string before = "";
        for (int step = 1; step <= 12; step++)
        {
            decoder.SourceEnded = step == 12;
            text.Advance(step * 0.5, step, 1000, default);
            Assert.StartsWith(before, text.Text, StringComparison.Ordinal);
            string whole = tokenizer.Decode(last.Tokens, skipSpecialTokens: true);
            Assert.StartsWith(text.Text, whole, StringComparison.Ordinal);
            if (!decoder.SourceEnded)
            {
                Assert.DoesNotContain('\uFFFD', text.Text);
                if (text.Text != before)
                    AssertWordEnds(text.Text, whole);
            }
            before = text.Text;
        }
        Assert.Equal(tokenizer.Decode(last.Tokens, skipSpecialTokens: true), text.Text);
        Assert.Equal("", text.Tentative);
    }

    private static void AssertWordEnds(string part, string whole)
    {
        if (part.Length == 0)
            return;
        Assert.True(part.Length < whole.Length, "The last word may still go on.");
        char last = part[^1], next = whole[part.Length];
        Assert.True(char.IsWhiteSpace(last) || char.IsWhiteSpace(next) || last > '\u3000' || next > '\u3000',
            $"'{part}' ends within a word of '{whole}'");
    }

    [Fact]
    public void Japanese_comes_out_character_by_character()
    {
        // Byte tokens are only decoded as whole runs.
        Tokenizer[] able = [.. Tokenizers.All.Where(
            one => !one.HasByteTokens && one.Decode(one.Encode("東京は大きい。", false), true).Trim() == "東京は大きい。")];
        Assert.NotEmpty(able);
        foreach (Tokenizer tokenizer in able)
        {
            int[] tokens = tokenizer.Encode("東京は大きい。", addSpecialTokens: false);
            WordCuts cuts = new(tokenizer);
            string[] parts = [.. Enumerable.Range(0, tokens.Length)
                .Select(most => tokenizer.Decode(tokens.AsSpan(0, cuts.LastCut(tokens, 0, most)), true)).Distinct()];
            Assert.All(parts, part => Assert.StartsWith(part.Trim(), "東京は大きい。"));
            Assert.Contains("東京", parts.Select(part => part.Trim()));
        }
    }

    [Fact]
    public void A_mark_stays_with_the_character_before_it()
    {
        int able = 0;
        foreach (Tokenizer tokenizer in Tokenizers.All)
        {
            int[] tokens = tokenizer.Encode("東京は。大きい", addSpecialTokens: false);
            if (tokenizer.HasByteTokens || tokenizer.Decode(tokens, true).Trim() != "東京は。大きい")
                continue;
            able++;
            WordCuts cuts = new(tokenizer);
            string[] parts = [.. Enumerable.Range(0, tokens.Length)
                .Select(most => tokenizer.Decode(tokens.AsSpan(0, cuts.LastCut(tokens, 0, most)), true).Trim()).Distinct()];
            Assert.DoesNotContain("東京は", parts);
            Assert.Contains("東京は。", parts);
        }
        Assert.True(able > 0);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("  ein  Hund ", 2)]
    [InlineData("don't", 1)]
    [InlineData("東京 abc", 3)]
    [InlineData("abc東京def", 4)]
    [InlineData("東京、「大阪」。", 4)]
    [InlineData("你好！", 2)]
    [InlineData("OK。yes", 2)]
    public void Counts_words(string text, int expected) => Assert.Equal(expected, WordCuts.Count(text));

    [Fact]
    public void Retranslation_shows_each_hypothesis_but_its_end_and_keeps_nothing()
    {
        Tokenizer tokenizer = Tokenizers.Translator;
        string[] hypotheses = ["Ein Hund bellt laut", "Eine Katze rennt weg", "Eine Katze rennt durch den Schnee."];
        ScriptedDecoder decoder = new(tokenizer, (step, kept) =>
        {
            Assert.Empty(kept);
            return new Hypothesis(tokenizer.Encode(hypotheses[step], addSpecialTokens: false), true, null);
        });
        PartialText text = new(decoder, new RetranslationPolicy(mask: 1));
        text.Advance(1, 1, 100, default);
        // One token is hidden, which is not the whole word.
        Assert.Equal("Ein Hund bellt la", text.Text);
        Assert.Equal("ut", text.Tentative);
        text.Advance(2, 2, 100, default);
        Assert.Equal(tokenizer.Decode(tokenizer.Encode(hypotheses[1], addSpecialTokens: false)[..^1], skipSpecialTokens: true), text.Text);
        decoder.SourceEnded = true;
        text.Advance(3, 3, 100, default);
        Assert.Equal(hypotheses[2], text.Text);
    }

    [Fact]
    public void Retranslation_without_a_mask_shows_all_of_a_hypothesis_but_half_a_character()
    {
        foreach (Tokenizer tokenizer in Tokenizers.All)
        {
            int[] tokens = tokenizer.Encode("Ein Hund sieht 🐶", addSpecialTokens: false);
            for (int count = 1; count <= tokens.Length; count++)
            {
                ScriptedDecoder decoder = new(tokenizer, (_, _) => new Hypothesis(tokens[..count], true, null));
                PartialText text = new(decoder, new RetranslationPolicy(mask: 0));
                text.Advance(1, 1, 100, default);
                Assert.DoesNotContain('\uFFFD', text.Text);
                string whole = tokenizer.Decode(tokens.AsSpan(0, count), skipSpecialTokens: true);
                Assert.StartsWith(text.Text, whole, StringComparison.Ordinal);
                if (!whole.Contains('\uFFFD'))
                    Assert.Equal((whole, ""), (text.Text, text.Tentative));
            }
        }
    }

    [Fact]
    public void A_cancelled_step_changes_nothing()
    {
        Tokenizer tokenizer = Tokenizers.Translator;
        int[] tokens = tokenizer.Encode("Ein Hund rennt", addSpecialTokens: false);
        ScriptedDecoder decoder = new(tokenizer, (_, _) => new Hypothesis(tokens, true, null));
        PartialText text = new(decoder, new HoldPolicy(0));
        text.Advance(1, 1, 100, default);
        Assert.Equal("Ein Hund", text.Text);
        Assert.Throws<OperationCanceledException>(() => text.Advance(2, 2, 100, new CancellationToken(canceled: true)));
        Assert.Equal("Ein Hund", text.Text);
    }
}
