using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>A matrix of a checkpoint, applied to rows: x·Wᵀ + b, with a low-rank update beside it while an adapter is being trained.</summary>
public sealed class LinearLayer
{
    /// <summary>Reads <c>weight</c> [outputs, inputs] and, where wanted, <c>bias</c> [outputs].</summary>
    public LinearLayer(Weights weights, int outputs, int inputs, bool bias)
    {
        Weight = weights.Get("weight", outputs, inputs);
        Bias = bias ? weights.Get("bias", outputs) : null;
        Update = weights.LowRank("weight");
    }

    /// <summary>[outputs, inputs].</summary>
    public Tensor Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>The low-rank update in training (Hu et al. 2022), or null: when an adapter is only used, it is merged into the weight.</summary>
    public LowRankUpdate? Update { get; }

    /// <summary>[rows, inputs] to [rows, outputs].</summary>
    public Tensor Forward(Compute c, Tensor x)
    {
        Tensor y = c.Linear(x, Weight, Bias);
        return Update is null ? y : c.Add(y, c.Linear(c.Linear(x, Update.A), Update.B), Update.Scale);
    }
}
