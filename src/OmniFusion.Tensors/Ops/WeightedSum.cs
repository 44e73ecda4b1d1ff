namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>Softmax of each row.</summary>
    public Tensor Softmax(Tensor x)
    {
        Tensor y = Rent(new Shape(x.Rows, x.Columns));
        Kernels.SoftmaxRows(x, y);
        if (Records(x))
            SoftmaxGradient(x, y);
        return y;
    }

    private void SoftmaxGradient(Tensor x, Tensor y) => Tape!.Record(y, () => Kernels.SoftmaxRowsGrad(y, y.Grad!, GradOf(x)!));

    /// <summary>Σ weights[:, i]·states[i] per row: the core of hidden-state fusion. weights is [rows, n], or [1, n] for all rows alike.</summary>
    public Tensor WeightedSum(Tensor weights, params ReadOnlySpan<Tensor> states)
    {
        if (states.Length == 0 || weights.Columns != states.Length || (weights.Rows != 1 && weights.Rows != states[0].Rows))
            throw new ArgumentException($"weights of {weights.Shape} do not fit {states.Length} states");
        foreach (Tensor state in states)
            if (state.Shape != states[0].Shape)
                throw new ArgumentException($"{states[0].Shape} and {state.Shape} cannot be added");
        Tensor y = Rent(states[0].Shape);
        y.Clear();
        bool records = Records(weights);
        for (int i = 0; i < states.Length; i++)
        {
            Kernels.AddWeighted(weights, i, states[i], y);
            records |= Records(states[i]);
        }
        if (records)
            WeightedSumGradient(weights, states.ToArray(), y);
        return y;
    }

    private void WeightedSumGradient(Tensor weights, Tensor[] states, Tensor y) => Tape!.Record(y, () =>
    {
        for (int i = 0; i < states.Length; i++)
            Kernels.AddWeightedGrad(weights, i, states[i], y.Grad!, GradOf(weights), GradOf(states[i]));
    });

    /// <summary>scale·dot(query[row], states[i][row]) for each state: [rows, n].</summary>
    public Tensor RowDots(Tensor query, float scale, params ReadOnlySpan<Tensor> states)
    {
        foreach (Tensor state in states)
            if (state.Shape != query.Shape)
                throw new ArgumentException($"queries {query.Shape} do not fit states {state.Shape}");
        Tensor y = Rent(new Shape(query.Rows, states.Length));
        bool records = Records(query);
        for (int i = 0; i < states.Length; i++)
        {
            Kernels.RowDot(query, states[i], scale, y, i);
            records |= Records(states[i]);
        }
        if (records)
            RowDotsGradient(query, scale, states.ToArray(), y);
        return y;
    }

    private void RowDotsGradient(Tensor query, float scale, Tensor[] states, Tensor y) => Tape!.Record(y, () =>
    {
        for (int i = 0; i < states.Length; i++)
            Kernels.RowDotGrad(query, states[i], scale, y.Grad!, i, GradOf(query), GradOf(states[i]));
    });
}
