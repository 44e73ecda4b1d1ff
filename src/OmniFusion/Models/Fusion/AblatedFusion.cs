using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Fusion;

/// <summary>
/// A fusion layer without one of its hidden states, to see what that one is good for. The layer says itself how it does without
/// (<see cref="FusionLayer.Without"/>): where it has gates, that of the state is zero and the others are scaled to a sum of one; where it has
/// none (concat), the state's numbers are zero. For measuring, not for training.
/// </summary>
public sealed class AblatedFusion : FusionLayer
{
    private readonly FusionLayer _inner;
    private readonly int _without;

    /// <summary>Wraps a layer.</summary>
    /// <param name="inner">A layer with more than one hidden state.</param>
    /// <param name="without">Place of the missing state in <see cref="FusionLayer.Selected"/>, from 0.</param>
    /// <exception cref="OmniFusionException">The layer has no such state, or no other.</exception>
    public AblatedFusion(FusionLayer inner, int without)
    {
        ArgumentNullException.ThrowIfNull(inner);
        // How many states a layer takes does not depend on how deep the thinker is.
        int states = inner.Selected(2).Length;
        if (states < 2)
            throw new OmniFusionException($"The fusion '{inner.Mode}' takes a single hidden state, which cannot be left out.");
        if (without < 0 || without >= states)
            throw new OmniFusionException($"The fusion '{inner.Mode}' takes {states} hidden states; there is no state {without}.");
        (_inner, _without) = (inner, without);
    }

    /// <inheritdoc/>
    public override string Mode => _inner.Mode;

    /// <inheritdoc/>
    public override int[] Selected(int layers) => _inner.Selected(layers);

    /// <inheritdoc/>
    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states) => _inner.Without(c, states, _without);

    /// <inheritdoc/>
    public override FusedRows Rows(Compute c, Tensor states, IReadOnlyList<MediaStretch> media) => _inner.Rows(c, states, media);

    /// <inheritdoc/>
    public override int MostRows(int tokens) => _inner.MostRows(tokens);

    /// <inheritdoc/>
    public override int From(int token, IReadOnlyList<MediaStretch> media) => _inner.From(token, media);
}
