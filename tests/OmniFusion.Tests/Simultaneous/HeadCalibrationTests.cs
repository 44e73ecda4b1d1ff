using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

public sealed class HeadCalibrationTests
{
    private const int Tokens = 12, Positions = 60;

    [Fact]
    public void A_head_that_follows_the_source_beats_all_that_do_not()
    {
        Random random = new(5);
        int[] order = [.. Enumerable.Range(0, Tokens)];
        random.Shuffle(order);
        float[][][] heads =
        [
            // Everywhere at once.
            Attention((_, _) => 1f / Positions),
            // At the end, at the beginning, in the middle.
            Attention((_, at) => at == Positions - 1 ? 0.9f : 0),
            Attention((_, at) => at == 0 ? 0.9f : 0),
            Attention((_, at) => Math.Abs(at - Positions / 2) < 2 ? 0.3f : 0),
            // At the end, and ever so little on the way there.
            Attention((i, at) => at == Positions - 1 ? 0.8f : Near(i, at) ? 0.01f : 0),
            // Backwards, and to and fro.
            Attention((i, at) => Near(Tokens - 1 - i, at) ? 0.2f : 0),
            Attention((i, at) => Near(order[i], at) ? 0.2f : 0),
            // Forwards, but a wide view; forwards.
            Attention((i, at) => Near(i, at) ? 0.05f : 0.005f),
            Attention((i, at) => Near(i, at) ? 0.2f : 0),
        ];
        HeadCalibration calibration = new(layers: 3, headsPerLayer: 3);
        Assert.True(calibration.Add(heads));
        Assert.True(calibration.Add(heads));
        Assert.Equal(2, calibration.Texts);
        IReadOnlyList<HeadScore> ranked = calibration.Ranked();
        Assert.Equal([new AttentionHead(2, 2), new AttentionHead(2, 1)], ranked.Take(2).Select(score => score.Head));
        Assert.Equal(1, ranked[0].Monotonicity, 1e-6);
        // From position 2 to 57, where the last is 59.
        Assert.Equal(55.0 / 59, ranked[0].Reach, 1e-6);
        // Five of sixty positions: 1 - ln 5 / ln 60.
        Assert.Equal(1 - Math.Log(5) / Math.Log(Positions), ranked[0].Concentration, 1e-6);
        Assert.Equal(1, ranked[0].Share, 1e-6);
        Assert.True(ranked[0].Score > 2 * ranked[1].Score);
        HeadScore Of(int number) => ranked.Single(score => score.Head == new AttentionHead(number / 3, number % 3));
        Assert.All([0, 1, 2, 3, 5], number => Assert.Equal(0, Of(number).Score, 1e-6));
        // Only 0.05 of 0.85 move (and the last token has its last position in common with the end).
        Assert.Equal(55.0 / 59 * 0.05 / 0.85, Of(4).Reach, 1e-4);
        Assert.True(Of(4).Score < ranked[0].Score / 8);
        Assert.InRange(Of(6).Score, 0, ranked[0].Score / 4);
        Assert.Equal(0.9, Of(1).Share, 1e-6);
    }

    [Fact]
    public void A_head_that_never_looks_at_the_source_scores_nothing()
    {
        HeadCalibration calibration = new(1, 2);
        Assert.True(calibration.Add([Attention((_, _) => 0), Attention((i, at) => Near(i, at) ? 0.2f : 0)]));
        HeadScore last = calibration.Ranked()[1];
        Assert.Equal(new HeadScore(new AttentionHead(0, 0), 0, 0, 0, 0, 0), last);
    }

    [Fact]
    public void Short_texts_do_not_count_and_without_any_there_is_no_ranking()
    {
        HeadCalibration calibration = new(1, 1);
        float[][] attention = Attention((i, at) => Near(i, at) ? 0.2f : 0);
        Assert.False(calibration.Add([attention[..3]]));
        Assert.False(calibration.Add([[.. attention.Select(token => token[..7])]]));
        Assert.Contains("nothing to calibrate on", Assert.Throws<OmniFusionException>(calibration.Ranked).Message);
        Assert.Throws<ArgumentException>(() => calibration.Add([attention, attention]));
    }

    // Five positions for each token.
    private static bool Near(int token, int at) => at / 5 == token;

    private static float[][] Attention(Func<int, int, float> weight) =>
        [.. Enumerable.Range(0, Tokens).Select(i => Enumerable.Range(0, Positions).Select(at => weight(i, at)).ToArray())];
}
