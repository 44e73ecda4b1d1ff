using OmniFusion.Generation;

namespace OmniFusion.Tests.Models;

public class TokenSamplerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(0.5)]
    public void Tokens_come_as_often_as_they_are_probable(float temperature)
    {
        const int draws = 20_000;
        double[] p = [0.5, 0.3, 0.15, 0.05];
        float[] scores = [float.NegativeInfinity, .. p.Select(value => 7 + MathF.Log((float)value))];
        double[] sharpened = [0, .. p.Select(value => Math.Pow(value, 1 / temperature))];
        TokenSampler sampler = new(temperature, new Random(1));
        int[] counts = new int[scores.Length];
        for (int i = 0; i < draws; i++)
            counts[sampler.Draw(scores)]++;
        Assert.Equal(0, counts[0]);
        for (int token = 1; token < counts.Length; token++)
            Assert.Equal(sharpened[token] / sharpened.Sum(), counts[token] / (double)draws, 0.015);
    }

    [Fact]
    public void Scores_that_are_no_numbers_are_refused() =>
        Assert.Throws<OmniFusionException>(() => new TokenSampler(1, new Random(1)).Draw([0, float.NaN, 1]));
}
