using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Fusion;

/// <summary>Layers whose state is the sum of the hidden states, each times its gate.</summary>
internal abstract class MixingFusion : FusionLayer
{
    /// <summary>How much each hidden state counts [tokens or 1, selected]: not below 0, and 1 in all.</summary>
    protected abstract Tensor Gates(Compute c, ReadOnlySpan<Tensor> states);

    public sealed override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states)
    {
        Tensor gates = Gates(c, states);
        return new(c.WeightedSum(gates, states), gates);
    }

    /// <summary>Its gate is zero, and the others are scaled to a sum of one.</summary>
    public sealed override FusedStates Without(Compute c, ReadOnlySpan<Tensor> states, int missing)
    {
        Tensor gates = Gates(c, states), rest = c.Rent(gates.Shape);
        gates.Span.CopyTo(rest.Span);
        for (int row = 0; row < rest.Rows; row++)
        {
            Span<float> weights = rest.Row(row);
            weights[missing] = 0;
            float sum = 0;
            foreach (float weight in weights)
                sum += weight;
            // A gate that was all on the missing state leaves nothing to scale: the others share.
            for (int i = 0; i < weights.Length; i++)
                if (i != missing)
                    weights[i] = sum > 0 ? weights[i] / sum : 1f / (weights.Length - 1);
        }
        return new(c.WeightedSum(rest, states), rest);
    }
}

/// <summary>Softmax of one scalar for each state.</summary>
internal sealed class WeightedFusion(int count, Weights weights) : MixingFusion
{
    private readonly Tensor _alpha = Single(weights.Get("alpha", count));

    public override string Mode => "weighted";

    protected override Tensor Gates(Compute c, ReadOnlySpan<Tensor> states) => c.Softmax(c.Reshape(_alpha, new Shape(1, count)));

    // Only matrices may be of another type, and a training stores everything as BF16.
    private static Tensor Single(Tensor stored) => stored.DType == DType.F32 ? stored : stored.ToF32();
}

/// <summary>The mean of the states asks, and each state answers with a dot product.</summary>
internal sealed class AttentionFusion(int count, int hiddenSize, Weights weights) : MixingFusion
{
    private readonly LinearLayer _query = new(weights.Under("query"), hiddenSize, hiddenSize, bias: true);
    private readonly Tensor _mean = Tensor.From([.. Enumerable.Repeat(1f / count, count)], new Shape(1, count));

    public override string Mode => "attention";

    protected override Tensor Gates(Compute c, ReadOnlySpan<Tensor> states) =>
        c.Softmax(c.RowDots(_query.Forward(c, c.WeightedSum(_mean, states)), 1, states));
}

/// <summary>The published one: a gate for each token, softmax(Linear(nD to n)) of the n states side by side.</summary>
internal class GatedFusion(int count, int hiddenSize, Weights weights) : MixingFusion
{
    private readonly LinearLayer _gate = new(weights.Under("gate_layer"), count, count * hiddenSize, bias: true);

    public override string Mode => "gated";

    protected override Tensor Gates(Compute c, ReadOnlySpan<Tensor> states) => c.Softmax(_gate.Forward(c, c.ConcatColumns(states)));
}
