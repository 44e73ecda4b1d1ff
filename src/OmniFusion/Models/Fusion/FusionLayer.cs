using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Fusion;

/// <summary>
/// The seam of the system: makes one state per token out of several hidden states of the thinker. The states are those of
/// <see cref="Selected"/>, in that order; the published choice is first, middle and last. Keys: <c>omni_fusion.…</c>, the same for any
/// number of states, which only changes their sizes.
/// </summary>
public abstract class FusionLayer
{
    /// <summary>Most hidden states that can be fused.</summary>
    public const int MostLayers = 64;

    private int[]? _layers;

    /// <summary>What the bundle calls it: mid, last, weighted, concat, attention or gated.</summary>
    public abstract string Mode { get; }

    /// <summary>Numbers of the hidden states that it wants of a thinker with that many decoder layers (0 = embeddings, L = after the final norm).</summary>
    public virtual int[] Selected(int layers) => _layers is null ? [0, (layers + 1) / 2, layers] : [.. _layers];

    /// <summary>[tokens, D] of each selected hidden state to [tokens, D].</summary>
    public abstract FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states);

    /// <summary>The layer that a bundle names.</summary>
    /// <param name="mode">mid, last, weighted, concat, attention or gated.</param>
    /// <param name="hiddenSize">D of the thinker.</param>
    /// <param name="weights">Weights under <c>omni_fusion</c>.</param>
    /// <param name="layers">
    /// Numbers of the hidden states to fuse, in the order of the weights; null: first, middle and last. Not for mid and last, whose name
    /// says it.
    /// </param>
    /// <exception cref="OmniFusionException">There is no such mode, or the layers are no list of different states for it.</exception>
    public static FusionLayer Create(string mode, int hiddenSize, Weights weights, IReadOnlyList<int>? layers = null)
    {
        CheckLayers(mode, layers);
        int count = layers?.Count ?? 3;
        FusionLayer layer = mode switch
        {
            "mid" => new SingleStateFusion("mid", 1),
            "last" => new SingleStateFusion("last", 2),
            "weighted" => new WeightedFusion(count, weights),
            "concat" => new ConcatFusion(count, hiddenSize, weights),
            "attention" => new AttentionFusion(count, hiddenSize, weights),
            "gated" => new GatedFusion(count, hiddenSize, weights),
            _ => throw new OmniFusionException(
                $"There is no fusion mode '{mode}'; known are mid, last, weighted, concat, attention and gated."),
        };
        layer._layers = layers is null ? null : [.. layers];
        return layer;
    }

    /// <summary>Checks a list of hidden states that somebody wrote down.</summary>
    /// <exception cref="OmniFusionException">It is empty, too long, names a state twice or none, or the mode takes no list.</exception>
    internal static void CheckLayers(string mode, IReadOnlyList<int>? layers)
    {
        if (layers is null)
            return;
        if (mode is "mid" or "last")
            throw new OmniFusionException($"The fusion mode '{mode}' takes no list of layers; one alone is 'gated' with a list of one.");
        if (layers.Count is 0 or > MostLayers || layers.Any(layer => layer < 0) || layers.Distinct().Count() != layers.Count)
            throw new OmniFusionException(
                $"The fused layers [{string.Join(", ", layers)}] are not 1 to {MostLayers} different numbers of hidden states from 0 up.");
    }
}

/// <summary>What a fusion layer makes.</summary>
/// <param name="States">One state per token [tokens, D].</param>
/// <param name="Gates">How much each hidden state counts [tokens or 1, selected], or null where that means nothing.</param>
public readonly record struct FusedStates(Tensor States, Tensor? Gates);

/// <summary>One of the hidden states as it is.</summary>
internal sealed class SingleStateFusion(string mode, int index) : FusionLayer
{
    public override string Mode => mode;

    public override int[] Selected(int layers) => [base.Selected(layers)[index]];

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states) => new(states[0], null);
}

/// <summary>Softmax of one scalar for each state.</summary>
internal sealed class WeightedFusion(int count, Weights weights) : FusionLayer
{
    private readonly Tensor _alpha = weights.Get("alpha", count);

    public override string Mode => "weighted";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
    {
        Tensor gates = c.Softmax(c.Reshape(_alpha, new Shape(1, count)));
        return new(c.WeightedSum(gates, states), gates);
    }
}

/// <summary>A linear layer from the states side by side.</summary>
internal sealed class ConcatFusion(int count, int hiddenSize, Weights weights) : FusionLayer
{
    private readonly LinearLayer _proj = new(weights.Under("proj"), hiddenSize, count * hiddenSize, bias: true);

    public override string Mode => "concat";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states) => new(_proj.Forward(c, c.ConcatColumns(states)), null);
}

/// <summary>The mean of the states asks, and each state answers with a dot product.</summary>
internal sealed class AttentionFusion(int count, int hiddenSize, Weights weights) : FusionLayer
{
    private readonly LinearLayer _query = new(weights.Under("query"), hiddenSize, hiddenSize, bias: true);
    private readonly Tensor _mean = Tensor.From([.. Enumerable.Repeat(1f / count, count)], new Shape(1, count));

    public override string Mode => "attention";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
    {
        Tensor query = _query.Forward(c, c.WeightedSum(_mean, states));
        Tensor gates = c.Softmax(c.RowDots(query, 1, states));
        return new(c.WeightedSum(gates, states), gates);
    }
}

/// <summary>The published one: a gate for each token, softmax(Linear(nD to n)) of the n states side by side.</summary>
internal sealed class GatedFusion(int count, int hiddenSize, Weights weights) : FusionLayer
{
    private readonly LinearLayer _gate = new(weights.Under("gate_layer"), count, count * hiddenSize, bias: true);

    public override string Mode => "gated";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
    {
        Tensor gates = c.Softmax(_gate.Forward(c, c.ConcatColumns(states)));
        return new(c.WeightedSum(gates, states), gates);
    }
}
