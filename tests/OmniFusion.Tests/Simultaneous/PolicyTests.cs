using OmniFusion.Simultaneous;
using OmniFusion.Text;

namespace OmniFusion.Tests.Simultaneous;

public sealed class PolicyTests
{
    private static readonly Tokenizer s_tokenizer = Tokenizers.Translator;

    [Theory]
    [InlineData("wait-k", "wait-k:k=3,stride=1")]
    [InlineData("wait-k:5,stride=2", "wait-k:k=5,stride=2")]
    [InlineData("wait-k-chunks:2,seconds=0.96", "wait-k-chunks:k=2,stride=1,seconds=0.96")]
    [InlineData("local-agreement:3", "local-agreement:n=3")]
    [InlineData("hold-n:0", "hold-n:n=0")]
    [InlineData("alignatt:frames=8", "alignatt:frames=8")]
    [InlineData("alignatt:4,mass=0.3", "alignatt:frames=4,mass=0.3")]
    [InlineData("retranslate:mask=4", "retranslate:mask=4")]
    public void Reads_what_the_command_line_writes(string text, string canonical)
    {
        PolicyOptions options = PolicyOptions.Parse(text);
        Assert.Equal(canonical, options.ToString());
        Assert.Equal(canonical, PolicyOptions.Parse(canonical).ToString());
        Policy policy = options.Create(s_tokenizer);
        Assert.Equal(text.StartsWith("retranslate"), policy.Revises);
        Assert.Equal(text.StartsWith("alignatt"), policy is AttentionPolicy);
        Assert.Equal(text.StartsWith("alignatt"), options.NeedsAttention);
    }

    [Fact]
    public void Every_policy_that_has_a_name_is_made_and_is_another_one()
    {
        string[] made = [.. PolicyOptions.Names.Select(name => PolicyOptions.Parse(name).Create(s_tokenizer).GetType().Name)];
        // Wait-k has two names.
        Assert.Equal(PolicyOptions.Names.Count - 1, made.Distinct().Count());
    }

    [Theory]
    [InlineData("", "''")]
    [InlineData("wait", "'wait'")]
    [InlineData("wait-k:", "''")]
    [InlineData("wait-k:0", "1 to 1000")]
    [InlineData("wait-k:2.5", "whole")]
    [InlineData("wait-k:3,k=4", "twice")]
    [InlineData("wait-k:3,mask=4", "'mask'")]
    [InlineData("wait-k-chunks:seconds=NaN", "0.02 to 60")]
    [InlineData("local-agreement:1", "2 to 16")]
    [InlineData("hold-n:-1", "-1")]
    [InlineData("hold-n:99999999999999999999", "0 to 1000")]
    [InlineData("alignatt:mass=1e-9", "mass")]
    public void Says_what_is_wrong(string text, string word) =>
        Assert.Contains(word, Assert.Throws<OmniFusionException>(() => PolicyOptions.Parse(text)).Message);

    [Theory]
    // k = 3: nothing before 3 source words, then one for each.
    [InlineData(3, 1, 2, "")]
    [InlineData(3, 1, 3, "Ein")]
    [InlineData(3, 1, 4, "Ein Hund")]
    [InlineData(1, 1, 1, "Ein")]
    // A stride of 2: two at a time.
    [InlineData(3, 2, 3, "Ein Hund")]
    [InlineData(3, 2, 4, "Ein Hund")]
    [InlineData(3, 2, 5, "Ein Hund rennt durch")]
    // The last word may still go on; that it is the last one counts where it may be written.
    [InlineData(1, 1, 5, "Ein Hund rennt durch den")]
    [InlineData(1, 1, 6, "Ein Hund rennt durch den Schnee.")]
    [InlineData(1, 1, 50, "Ein Hund rennt durch den Schnee.")]
    [InlineData(1, 1, 50, "Ein Hund rennt durch den", false)]
    public void Wait_k_writes_in_turn_with_reading(int k, int stride, int words, string expected, bool ended = true)
    {
        int[] tokens = s_tokenizer.Encode("Ein Hund rennt durch den Schnee.", addSpecialTokens: false);
        PolicyStep step = new(new Hypothesis(tokens, ended, null), 0, 100, 1, words);
        int stable = new WaitKPolicy(s_tokenizer, k, stride).Stable(step);
        Assert.Equal(expected, s_tokenizer.Decode(tokens.AsSpan(0, stable), true).Trim());
    }

    [Theory]
    [InlineData(0.99, "")]
    [InlineData(1.0, "Ein")]
    [InlineData(1.5, "Ein Hund")]
    public void Wait_k_counts_stretches_of_audio(double seconds, string expected)
    {
        int[] tokens = s_tokenizer.Encode("Ein Hund rennt durch den Schnee.", addSpecialTokens: false);
        PolicyStep step = new(new Hypothesis(tokens, true, null), 0, 100, seconds, 0);
        int stable = new WaitKPolicy(s_tokenizer, 2, 1, secondsPerUnit: 0.5).Stable(step);
        Assert.Equal(expected, s_tokenizer.Decode(tokens.AsSpan(0, stable), true).Trim());
    }

    [Fact]
    public void Local_agreement_is_the_common_beginning_of_the_last_n()
    {
        LocalAgreementPolicy two = new(2), three = new(3);
        int[][] hypotheses = [[1, 2, 3], [1, 2, 4, 5], [1, 2, 4, 6], [1, 2, 4, 6, 7], [1, 2]];
        int[] agreed2 = [0, 2, 3, 4, 2], agreed3 = [0, 0, 2, 3, 2];
        for (int i = 0; i < hypotheses.Length; i++)
        {
            PolicyStep step = new(new Hypothesis(hypotheses[i], true, null), 0, 10, 1, 1);
            Assert.Equal(agreed2[i], two.Stable(step));
            Assert.Equal(agreed3[i], three.Stable(step));
        }
    }

    [Theory]
    [InlineData(3, 0, 2)]
    [InlineData(3, 4, 4)]
    [InlineData(9, 0, 0)]
    [InlineData(0, 0, 5)]
    public void Hold_n_keeps_the_last_n(int n, int kept, int expected) =>
        Assert.Equal(expected, new HoldPolicy(n).Stable(new PolicyStep(new Hypothesis([1, 2, 3, 4, 5], true, null), kept, 10, 1, 1)));

    [Fact]
    public void Retranslation_hides_the_last_k_whatever_was_shown() =>
        Assert.Equal(3, new RetranslationPolicy(2).Stable(new PolicyStep(new Hypothesis([1, 2, 3, 4, 5], true, null), 5, 10, 1, 1)));

    [Fact]
    public void Attention_stops_at_the_first_token_that_looks_at_the_end()
    {
        // Ten positions; the maxima lie at 2, 7, 8 and 1. Two tokens are out already.
        float[][] attention = [Peak(2), Peak(7), Peak(8), Peak(1)];
        PolicyStep step = new(new Hypothesis([1, 2, 3, 4, 5, 6], true, attention), 2, 10, 1, 1);
        Assert.Equal(4, new AttentionPolicy(frames: 2).Stable(step));
        Assert.Equal(3, new AttentionPolicy(frames: 3).Stable(step));
        Assert.Equal(6, new AttentionPolicy(frames: 1).Stable(step));
        // All of a short source is its end.
        Assert.Equal(2, new AttentionPolicy(frames: 10).Stable(step));
        Assert.Throws<OmniFusionException>(
            () => new AttentionPolicy().Stable(step with { Hypothesis = new Hypothesis([1], true, null) }));

        static float[] Peak(int at) => [.. Enumerable.Range(0, 10).Select(i => i == at ? 0.5f : 0.02f)];
    }

    [Fact]
    public void Attention_by_mass_stops_where_enough_of_it_lies_at_the_end()
    {
        float[][] attention = [[0.5f, 0.3f, 0.1f, 0.1f], [0.4f, 0.2f, 0.2f, 0.2f]];
        PolicyStep step = new(new Hypothesis([1, 2], true, attention), 0, 4, 1, 1);
        Assert.Equal(2, new AttentionPolicy(frames: 2, mass: 0.5).Stable(step));
        Assert.Equal(1, new AttentionPolicy(frames: 2, mass: 0.3).Stable(step));
        Assert.Equal(0, new AttentionPolicy(frames: 2, mass: 0.1).Stable(step));
    }
}
