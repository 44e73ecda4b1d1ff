using System.Numerics.Tensors;

namespace OmniFusion.Generation;

/// <summary>
/// What is read from the scores of a next token. Damaged weights make scores that are not numbers, which would pass for a text: they are refused.
/// </summary>
internal static class FiniteScores
{
    /// <summary>The token with the highest score.</summary>
    /// <exception cref="OmniFusionException">A score is not a number.</exception>
    internal static int Best(ReadOnlySpan<float> scores)
    {
        int best = TensorPrimitives.IndexOfMax(scores);
        // The n-gram ban may have forbidden every token, so that −∞ is no damage.
        return scores[best] < float.PositiveInfinity ? best : throw Damaged();
    }

    /// <summary>The logarithm of the sum of the exponentials of all scores.</summary>
    /// <param name="scores">A score for each token.</param>
    /// <param name="buffer">As long, to be overwritten.</param>
    /// <exception cref="OmniFusionException">A score is not a number.</exception>
    internal static float LogSumExp(ReadOnlySpan<float> scores, Span<float> buffer)
    {
        float max = TensorPrimitives.Max(scores);
        TensorPrimitives.Subtract(scores, max, buffer);
        TensorPrimitives.Exp(buffer, buffer);
        float sum = max + MathF.Log(TensorPrimitives.Sum<float>(buffer));
        return float.IsFinite(sum) ? sum : throw Damaged();
    }

    private static OmniFusionException Damaged() => new("The model computes values that are not numbers: its weights are damaged.");
}
