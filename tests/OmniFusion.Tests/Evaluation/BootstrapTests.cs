using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class BootstrapTests
{
    private static readonly string[] s_references = [.. Enumerable.Range(0, 60).Select(i => $"a{i} b{i} c{i} d{i} e{i} f{i}")];
    private static readonly string[] s_good = [.. s_references.Select((r, i) => i % 6 == 0 ? r.Replace("c", "x") : r)];
    private static readonly string[] s_bad = [.. s_references.Select((r, i) => i % 2 == 0 ? r.Replace("c", "x") : r)];

    [Fact]
    public void Statistics_give_the_corpus_score()
    {
        Assert.Equal(Bleu.Corpus(s_good, s_references).Score, Bleu.Statistics(s_good, [s_references]).Score(), 1e-12);
        Assert.Equal(ChrF.Corpus(s_good, s_references).Score, ChrF.Statistics(s_good, [s_references]).Score(), 1e-12);
        Assert.Equal(Ter.Corpus(s_good, s_references).Score, Ter.Statistics(s_good, [s_references]).Score(), 1e-12);
        Assert.Equal(WordErrors.Compute(s_references, s_good).Wer, WordErrors.Statistics(s_references, s_good).Score(), 1e-12);
        int[] selection = [0, 0, 7];
        Assert.Equal(Bleu.Corpus([s_good[0], s_good[0], s_good[7]], [s_references[0], s_references[0], s_references[7]]).Score,
            Bleu.Statistics(s_good, [s_references]).Score(selection), 1e-12);
    }

    [Fact]
    public void Interval_holds_the_score_and_is_reproducible()
    {
        SegmentStatistics statistics = Bleu.Statistics(s_bad, [s_references]);
        BootstrapInterval interval = Bootstrap.Confidence(statistics, 500, seed: 7);
        Assert.InRange(interval.Score, interval.Lower, interval.Upper);
        Assert.True(interval.HalfWidth > 1);
        Assert.Equal(interval, Bootstrap.Confidence(statistics, 500, seed: 7));
        Assert.NotEqual(interval, Bootstrap.Confidence(statistics, 500, seed: 8));
    }

    [Fact]
    public void Paired_test_tells_a_real_difference_from_none()
    {
        SegmentStatistics good = Bleu.Statistics(s_good, [s_references]), bad = Bleu.Statistics(s_bad, [s_references]);
        PairedBootstrap real = Bootstrap.Paired(bad, good);
        Assert.True(real.PValue < 0.01);
        Assert.True(real.SystemWins > 0.99);
        Assert.True(real.Difference > 5);
        PairedBootstrap none = Bootstrap.Paired(good, good);
        Assert.Equal(0, none.SystemWins);
        Assert.Equal(0, none.Difference);
        Assert.Equal(1, none.PValue);
        PairedBootstrap rates = Bootstrap.Paired(WordErrors.Statistics(s_references, s_bad), WordErrors.Statistics(s_references, s_good));
        Assert.True(rates.SystemWins > 0.99);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        SegmentStatistics one = Bleu.Statistics(["a"], [["a"]]), two = Bleu.Statistics(["a", "b"], [["a", "b"]]);
        Assert.Throws<OmniFusionException>(() => Bootstrap.Paired(one, two));
        Assert.Throws<OmniFusionException>(() => Bootstrap.Confidence(one, 0));
        Assert.Throws<OmniFusionException>(() => one.Score([1]));
    }
}
