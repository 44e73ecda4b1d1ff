using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public class ChanceTests
{
    [Fact]
    public void How_an_example_sounds_says_nothing_about_what_goes_with_it()
    {
        const int Items = 20_000;
        (double Content, double Sound)[] first = [.. Enumerable.Range(0, Items).Select(item =>
            (Chance.OfContent(7, 3, item).NextDouble(), Chance.OfSound(7, 3, item).NextDouble()))];
        Assert.InRange(Correlation(first), -0.03, 0.03);
        // Nor does an example about the next one, or about itself in the next pass.
        Assert.InRange(Correlation([.. first.Zip(first.Skip(1), (a, b) => (a.Content, b.Content))]), -0.03, 0.03);
        Assert.InRange(Correlation([.. first.Index().Select(example =>
            (example.Item.Content, Chance.OfContent(7, 4, example.Index).NextDouble()))]), -0.03, 0.03);
        // Whether a slide is seen says nothing about who writes the transcript.
        Assert.InRange(Correlation([.. first.Index().Select(example =>
            (example.Item.Content, Chance.OfSlide(7, 3, example.Index).NextDouble()))]), -0.03, 0.03);
        Assert.InRange(first.Average(example => example.Sound), 0.49, 0.51);
    }

    [Fact]
    public void A_resumed_run_draws_the_same() => Assert.Equal(Chance.OfSound(1, 2, 3).Next(), Chance.OfSound(1, 2, 3).Next());

    private static double Correlation((double X, double Y)[] pairs)
    {
        double x = pairs.Average(pair => pair.X), y = pairs.Average(pair => pair.Y);
        return pairs.Sum(pair => (pair.X - x) * (pair.Y - y))
            / Math.Sqrt(pairs.Sum(pair => (pair.X - x) * (pair.X - x)) * pairs.Sum(pair => (pair.Y - y) * (pair.Y - y)));
    }
}
