namespace OmniFusion.Tensors;

/// <summary>What was computed, in order, so that gradients can be computed in the reverse order.</summary>
public sealed class Tape
{
    private readonly List<(Tensor Result, Action Gradient)> _steps = [];

    internal void Record(Tensor result, Action gradient)
    {
        result.RequiresGrad = true;
        _steps.Add((result, gradient));
    }

    /// <summary>Forgets everything recorded, when a step is over.</summary>
    public void Clear() => _steps.Clear();

    internal void Replay()
    {
        for (int i = _steps.Count - 1; i >= 0; i--)
            // A value that the loss does not depend on has no gradient to pass on.
            if (_steps[i].Result.Grad is not null)
                _steps[i].Gradient();
    }
}
