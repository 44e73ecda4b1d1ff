using OmniFusion.Tensors;

namespace OmniFusion.Training;

/// <summary>
/// Learns that of two translations of a sentence the one that its picture makes right is the more probable for each token: the pairwise loss of
/// SimPO (Meng et al. 2024, arXiv 2405.14734), −log σ(β (mean log p(right) − mean log p(wrong))). Cross entropy alone spreads over all tokens of a
/// sentence, of which hardly more than one hangs on the picture, and leaves long words, whose later pieces are sure, the better mean.
/// </summary>
internal static class Preference
{
    // About the tokens of a sentence, so that a difference counts as it would in the sum.
    private const float Beta = 10;

    /// <summary>Adds the mean loss of some pairs to a loss.</summary>
    /// <param name="c">Where it is computed.</param>
    /// <param name="loss">The loss so far [1].</param>
    /// <param name="weight">Weight of what is added.</param>
    /// <param name="logits">Scores for the tokens of all translations, one after the other [tokens, vocabulary].</param>
    /// <param name="targets">Their tokens; the last translations are the wrong ones.</param>
    /// <param name="right">For each wrong translation the number of the right one.</param>
    /// <param name="report">Gets <c>preferred_loss</c>, and how many of how many pairs are in order.</param>
    internal static Tensor Add(Compute c, Tensor loss, float weight, Tensor logits, IReadOnlyList<int[]> targets,
        int[] right, IDictionary<string, double> report)
    {
        if (right.Length == 0)
            return loss;
        Segments rows = new([.. targets.Select(target => target.Length)]);
        double sum = 0, shift = 0;
        int inOrder = 0;
        for (int pair = 0; pair < right.Length; pair++)
        {
            Tensor ofRight = Mean(right[pair]), ofWrong = Mean(targets.Count - right.Length + pair);
            double margin = Beta * (ofWrong.Span[0] - ofRight.Span[0]), value = Math.Log(1 + Math.Exp(-margin));
            // The slope of the loss here, so that a sum of the two has its gradient; and what makes that sum its value.
            float slope = (float)(Beta * weight / right.Length / (1 + Math.Exp(margin)));
            loss = c.Add(c.Add(loss, ofRight, slope), ofWrong, -slope);
            shift += weight / right.Length * value - slope * (ofRight.Span[0] - ofWrong.Span[0]);
            sum += value;
            inOrder += margin > 0 ? 1 : 0;
        }
        report.TallyLoss("preferred", Tensor.From([(float)(sum / right.Length)], new Shape(1)));
        report.Tally("#pairs_in_order", inOrder);
        report.Tally("#pairs_compared", right.Length);
        return c.Add(loss, Tensor.From([(float)shift], new Shape(1)));

        Tensor Mean(int item) => c.CrossEntropy(c.Gather(logits, Enumerable.Range(rows.Start(item), rows.Length(item)).ToArray()), targets[item]);
    }
}
