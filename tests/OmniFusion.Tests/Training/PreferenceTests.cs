using OmniFusion.Tensors;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public class PreferenceTests
{
    private const float Before = 3, Weight = 0.5f;

    // Two right translations, of two and one token, one that nothing is compared with, and the wrong ones of the two.
    private static readonly int[][] s_targets = [[1, 4], [0], [2], [3], [2, 2, 1]];

    private static readonly int[] s_right = [0, 1];

    [Fact]
    public void It_is_the_logistic_loss_of_the_difference_of_mean_log_probabilities()
    {
        Dictionary<string, double> report = [];
        float[] logits = Logits();
        double expected = s_right.Average(right => Math.Log(1 + Math.Exp(-10 * (Mean(logits, right) - Mean(logits, 3 + right)))));
        Assert.Equal(Before + Weight * expected, Loss(logits, report, out _), 1e-4);
        Assert.Equal(expected, report["#preferred_loss"], 1e-4);
        Assert.Equal(2, report["#pairs_compared"]);
        Assert.Equal(s_right.Count(right => Mean(logits, right) > Mean(logits, 3 + right)), report["#pairs_in_order"]);
    }

    [Fact]
    public void Its_gradient_is_that_of_its_value()
    {
        float[] logits = Logits();
        Loss(logits, [], out float[] gradient);
        const float Step = 1e-2f;
        for (int i = 0; i < logits.Length; i++)
        {
            float[] more = [.. logits], less = [.. logits];
            more[i] += Step;
            less[i] -= Step;
            Assert.Equal((Loss(more, [], out _) - Loss(less, [], out _)) / (2 * Step), gradient[i], 2e-3);
        }
        // The third translation is not compared with anything.
        Assert.All(gradient[(3 * 5)..(4 * 5)], value => Assert.Equal(0, value));
    }

    [Fact]
    public void Without_pairs_the_loss_stays_as_it_is()
    {
        Dictionary<string, double> report = [];
        Compute c = new(new CpuKernels(1));
        Tensor loss = Tensor.From([Before], new Shape(1));
        Assert.Same(loss, Preference.Add(c, loss, Weight, Tensor.From(Logits(), new Shape(8, 5)), s_targets, [], report));
        Assert.Empty(report);
    }

    private static float[] Logits() => [.. Enumerable.Range(0, 8 * 5).Select(i => MathF.Sin(1.7f * i) * 0.4f)];

    private static double Loss(float[] logits, Dictionary<string, double> report, out float[] gradient)
    {
        Compute c = new(new CpuKernels(1)) { Tape = new Tape() };
        Tensor scores = Tensor.From([.. logits], new Shape(8, 5));
        scores.RequireGrad();
        Tensor before = Tensor.From([Before], new Shape(1));
        Tensor loss = Preference.Add(c, before, Weight, scores, s_targets, s_right, report);
        c.Backward(loss);
        gradient = scores.Grad!.Span.ToArray();
        return loss.Span[0];
    }

    private static double Mean(float[] logits, int item)
    {
        int first = s_targets.Take(item).Sum(target => target.Length);
        return s_targets[item].Select((token, i) =>
        {
            float[] row = logits[((first + i) * 5)..((first + i + 1) * 5)];
            return row[token] - Math.Log(row.Sum(score => Math.Exp(score)));
        }).Average();
    }
}
