using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>
/// First values of weights, by their names and shapes: 0 for biases and gates, 1 for other vectors (the weights of norms), normal(0, std) for
/// matrices and embeddings, normal(0, 1/sqrt(fan in)) for convolutions. Each weight has a random stream of its own, made from the seed
/// and its name, so the order in which they are asked for does not matter.
/// </summary>
/// <param name="seed">Another seed gives another model.</param>
/// <param name="std">Standard deviation of matrices and embeddings; transformers' initializer_range.</param>
public sealed class WeightInitializer(int seed, float std = 0.02f)
{
    /// <summary>A new weight in single precision.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="shape">Its sizes.</param>
    public Tensor Make(string name, Shape shape)
    {
        Tensor tensor = Tensor.Zeros(shape);
        // Random gates over hidden states, whose entries are large, would settle each token's layer before anything is learnt: a fusion
        // begins as the mean of its layers.
        if (name.EndsWith(".bias", StringComparison.Ordinal) || name.EndsWith("gate_layer.weight", StringComparison.Ordinal))
            return tensor;
        if (shape.Rank == 1)
            tensor.Span.Fill(1);
        else
            FillNormal(tensor, StreamOf(name), shape.Rank == 2 ? std : 1 / MathF.Sqrt(Math.Max(1, shape.Count / Math.Max(1, shape[0]))));
        return tensor;
    }

    private static void FillNormal(Tensor tensor, Random random, float deviation)
    {
        for (int row = 0; row < tensor.Rows; row++)
            foreach (ref float value in tensor.Row(row))
                value = deviation * Normal(random);
    }

    // Box and Muller; 1 - x keeps the logarithm away from zero.
    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    // FNV-1a, because string.GetHashCode differs from run to run.
    private Random StreamOf(string name)
    {
        uint hash = 2166136261 ^ (uint)seed;
        foreach (char c in name)
            hash = (hash ^ c) * 16777619;
        return new Random((int)hash);
    }
}
