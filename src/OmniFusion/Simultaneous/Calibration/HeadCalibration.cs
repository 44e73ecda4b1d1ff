using System.Numerics.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Ranks the attention heads of a decoder by how well they follow the source, over many texts. The attention policies take it for granted
/// that a token looks at the part of the source that it is about; in a decoder-only model few heads do (Papi, Negri and Turchi 2023 chose
/// the layer in the same way: on a development set).
/// </summary>
public sealed class HeadCalibration
{
    /// <summary>Shorter texts, and shorter sources, say nothing about an order.</summary>
    public const int FewestTokens = 4, FewestPositions = 8;

    private readonly int _headsPerLayer;
    private readonly Measures[] _sums;

    /// <summary>Begins with no texts.</summary>
    /// <param name="layers">Layers of the decoder.</param>
    /// <param name="headsPerLayer">Query heads of each.</param>
    public HeadCalibration(int layers, int headsPerLayer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(headsPerLayer, 1);
        (_headsPerLayer, _sums) = (headsPerLayer, new Measures[layers * headsPerLayer]);
    }

    /// <summary>Texts that counted.</summary>
    public int Texts { get; private set; }

    /// <summary>Takes the attention while one text was written, and says whether it counted: very short ones do not.</summary>
    /// <param name="attention">
    /// For each head (those of layer 0 first) and each token, weights of the positions of the source: not negative, and together at most 1.
    /// </param>
    /// <exception cref="ArgumentException">There are not as many heads as the decoder has.</exception>
    public bool Add(IReadOnlyList<IReadOnlyList<float[]>> attention)
    {
        ArgumentNullException.ThrowIfNull(attention);
        if (attention.Count != _sums.Length)
            throw new ArgumentException($"attention of {attention.Count} heads is not that of {_sums.Length}", nameof(attention));
        if (attention[0].Count < FewestTokens || attention[0][0].Length < FewestPositions)
            return false;
        for (int head = 0; head < _sums.Length; head++)
            _sums[head] += Measure(attention[head]);
        Texts++;
        return true;
    }

    /// <summary>All heads, the best first.</summary>
    /// <exception cref="OmniFusionException">No text counted.</exception>
    public IReadOnlyList<HeadScore> Ranked()
    {
        if (Texts == 0)
            throw new OmniFusionException($"There is nothing to calibrate on: no text has {FewestTokens} tokens and a source long enough.");
        return [.. _sums
            .Select((sum, number) => new HeadScore(
                new AttentionHead(number / _headsPerLayer, number % _headsPerLayer), sum.Monotonicity / Texts, sum.Reach / Texts,
                sum.Concentration / Texts, sum.Share / Texts, sum.Score / Texts))
            .OrderByDescending(head => head.Score).ThenBy(head => head.Head.Layer).ThenBy(head => head.Head.Head)];
    }

    private static Measures Measure(IReadOnlyList<float[]> tokens)
    {
        double[] centres = new double[tokens.Count];
        double concentration = 0, share = 0;
        for (int i = 0; i < tokens.Count; i++)
        {
            ReadOnlySpan<float> weights = tokens[i];
            double all = TensorPrimitives.Sum(weights), centre = 0, entropy = 0;
            share += all / tokens.Count;
            for (int at = 0; all > 0 && at < weights.Length; at++)
            {
                double p = weights[at] / all;
                centre += p * at;
                entropy -= p > 0 ? p * Math.Log(p) : 0;
            }
            // A token that does not look at the source at all says as little as one that looks everywhere.
            centres[i] = all > 0 ? centre / (weights.Length - 1) : 0.5;
            concentration += all > 0 ? Math.Max(1 - entropy / Math.Log(weights.Length), 0) / tokens.Count : 0;
        }
        double monotonicity = Math.Max(Tau(centres), 0), reach = Math.Clamp(Slope(centres), 0, 1);
        return new Measures(monotonicity, reach, concentration, share, monotonicity * reach * concentration);
    }

    private static double Tau(double[] centres)
    {
        int order = 0;
        for (int i = 0; i < centres.Length; i++)
            for (int j = i + 1; j < centres.Length; j++)
                order += Math.Sign(centres[j] - centres[i]);
        return order / (centres.Length * (centres.Length - 1) / 2.0);
    }

    // Of the regression line from the first token, at 0, to the last, at 1.
    private static double Slope(double[] centres)
    {
        double mean = centres.Average(), covariance = 0, variance = 0;
        for (int i = 0; i < centres.Length; i++)
        {
            double at = (double)i / (centres.Length - 1) - 0.5;
            covariance += at * (centres[i] - mean);
            variance += at * at;
        }
        return covariance / variance;
    }

    private readonly record struct Measures(double Monotonicity, double Reach, double Concentration, double Share, double Score)
    {
        public static Measures operator +(Measures a, Measures b) => new(
            a.Monotonicity + b.Monotonicity, a.Reach + b.Reach, a.Concentration + b.Concentration, a.Share + b.Share, a.Score + b.Score);
    }
}
