using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Fusion;

/// <summary>
/// From the thinker's space to the translator's: a linear layer, then depth − 1 times GELU and a linear layer. Keys: <c>omni_projection.0</c>,
/// <c>omni_projection.2</c>, … (the odd numbers are the activations).
/// </summary>
public sealed class Projection
{
    private readonly LinearLayer[] _layers;

    /// <summary>Takes the weights under <c>omni_projection</c>.</summary>
    public Projection(int from, int to, int depth, Weights weights) =>
        _layers = [.. Enumerable.Range(0, depth).Select(i => new LinearLayer(weights.Under($"{2 * i}"), to, i == 0 ? from : to, bias: true))];

    /// <summary>[tokens, D of the thinker] to [tokens, D of the translator].</summary>
    public Tensor Forward(Compute c, Tensor x)
    {
        x = _layers[0].Forward(c, x);
        foreach (LinearLayer layer in _layers.AsSpan(1))
            x = layer.Forward(c, c.Gelu(x));
        return x;
    }
}
