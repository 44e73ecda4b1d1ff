using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Fusion;

/// <summary>
/// The seam of the system: makes one state per token out of several hidden states of the thinker. The states are those of
/// <see cref="Selected"/>, in that order; the published choice is first, middle and last. Keys: <c>omni_fusion.…</c>.
/// </summary>
public abstract class FusionLayer
{
    /// <summary>What the bundle calls it: mid, last, weighted, concat, attention or gated.</summary>
    public abstract string Mode { get; }

    /// <summary>Numbers of the hidden states that it wants of a thinker with that many decoder layers (0 = embeddings, L = after the final norm).</summary>
    public virtual int[] Selected(int layers) => [0, (layers + 1) / 2, layers];

    /// <summary>[tokens, D] of each selected hidden state to [tokens, D].</summary>
    public abstract FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states);

    /// <summary>The layer that a bundle names.</summary>
    /// <param name="mode">mid, last, weighted, concat, attention or gated.</param>
    /// <param name="hiddenSize">D of the thinker.</param>
    /// <param name="weights">Weights under <c>omni_fusion</c>.</param>
    /// <exception cref="OmniFusionException">There is no such mode.</exception>
    public static FusionLayer Create(string mode, int hiddenSize, Weights weights) => mode switch
    {
        "mid" => new SingleStateFusion("mid", 1),
        "last" => new SingleStateFusion("last", 2),
        "weighted" => new WeightedFusion(weights),
        "concat" => new ConcatFusion(hiddenSize, weights),
        "attention" => new AttentionFusion(hiddenSize, weights),
        "gated" => new GatedFusion(hiddenSize, weights),
        _ => throw new OmniFusionException($"There is no fusion mode '{mode}'; known are mid, last, weighted, concat, attention and gated."),
    };
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

/// <summary>Softmax of three scalars.</summary>
internal sealed class WeightedFusion(Weights weights) : FusionLayer
{
    private readonly Tensor _alpha = weights.Get("alpha", 3);

    public override string Mode => "weighted";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
    {
        Tensor gates = c.Softmax(c.Reshape(_alpha, new Shape(1, 3)));
        return new(c.WeightedSum(gates, states), gates);
    }
}

/// <summary>A linear layer from the three states side by side.</summary>
internal sealed class ConcatFusion(int hiddenSize, Weights weights) : FusionLayer
{
    private readonly LinearLayer _proj = new(weights.Under("proj"), hiddenSize, 3 * hiddenSize, bias: true);

    public override string Mode => "concat";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states) =>
        new(_proj.Forward(c, c.ConcatColumns(states[0], states[1], states[2])), null);
}

/// <summary>The mean of the three states asks, and each state answers with a dot product.</summary>
internal sealed class AttentionFusion(int hiddenSize, Weights weights) : FusionLayer
{
    private readonly LinearLayer _query = new(weights.Under("query"), hiddenSize, hiddenSize, bias: true);
    private readonly Tensor _third = Tensor.From([1 / 3f, 1 / 3f, 1 / 3f], new Shape(1, 3));

    public override string Mode => "attention";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
    {
        Tensor query = _query.Forward(c, c.WeightedSum(_third, states));
        Tensor gates = c.Softmax(c.RowDots(query, 1, states));
        return new(c.WeightedSum(gates, states), gates);
    }
}

/// <summary>The published one: a gate for each token, softmax(Linear(3D to 3)) of the three states side by side.</summary>
internal sealed class GatedFusion(int hiddenSize, Weights weights) : FusionLayer
{
    private readonly LinearLayer _gate = new(weights.Under("gate_layer"), 3, 3 * hiddenSize, bias: true);

    public override string Mode => "gated";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
    {
        Tensor gates = c.Softmax(_gate.Forward(c, c.ConcatColumns(states[0], states[1], states[2])));
        return new(c.WeightedSum(gates, states), gates);
    }
}
