using System.Numerics.Tensors;

namespace OmniFusion.Generation;

/// <summary>Draws tokens from their probabilities.</summary>
/// <param name="temperature">The scores are divided by it: below 1 what is probable becomes more so.</param>
/// <param name="random">Where chance comes from.</param>
internal sealed class TokenSampler(float temperature, Random random)
{
    private float[] _weights = [];

    /// <summary>A token.</summary>
    /// <param name="scores">Logits.</param>
    /// <exception cref="OmniFusionException">A score is not a number.</exception>
    internal int Draw(ReadOnlySpan<float> scores)
    {
        if (_weights.Length < scores.Length)
            _weights = new float[scores.Length];
        Span<float> weights = _weights.AsSpan(0, scores.Length);
        int best = FiniteScores.Best(scores);
        TensorPrimitives.Subtract(scores, scores[best], weights);
        TensorPrimitives.Divide(weights, temperature, weights);
        TensorPrimitives.Exp(weights, weights);
        double left = random.NextDouble() * TensorPrimitives.Sum<float>(weights);
        for (int token = 0; token < weights.Length; token++)
            if ((left -= weights[token]) < 0)
                return token;
        // The sum was rounded up.
        return best;
    }
}
