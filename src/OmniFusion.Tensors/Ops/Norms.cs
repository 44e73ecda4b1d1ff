namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>Root mean square normalisation of each row (Zhang and Sennrich 2019).</summary>
    public Tensor RmsNorm(Tensor x, Tensor weight, float eps)
    {
        if (weight.Count != x.Columns)
            throw new ArgumentException($"a weight of {weight.Shape} does not fit rows of {x.Shape}");
        Tensor y = Rent(x.Shape);
        bool records = Records(x, weight);
        Tensor? inverseRoot = records ? Rent(new Shape(x.Rows)) : null;
        Kernels.RmsNorm(x, weight, eps, y, inverseRoot);
        if (records)
            RmsNormGradient(x, weight, inverseRoot!, y);
        return y;
    }

    private void RmsNormGradient(Tensor x, Tensor weight, Tensor inverseRoot, Tensor y) => Tape!.Record(y, () =>
        Kernels.RmsNormGrad(x, weight, inverseRoot, y.Grad!, GradOf(x), GradOf(weight)));

    /// <summary>Layer normalisation of each row (Ba et al. 2016).</summary>
    public Tensor LayerNorm(Tensor x, Tensor weight, Tensor bias, float eps)
    {
        if (weight.Count != x.Columns || bias.Count != x.Columns)
            throw new ArgumentException($"a weight of {weight.Shape} and a bias of {bias.Shape} do not fit rows of {x.Shape}");
        Tensor y = Rent(x.Shape);
        bool records = Records(x, weight, bias);
        Tensor? statistics = records ? Rent(new Shape(x.Rows, 2)) : null;
        Kernels.LayerNorm(x, weight, bias, eps, y, statistics);
        if (records)
            LayerNormGradient(x, weight, bias, statistics!, y);
        return y;
    }

    private void LayerNormGradient(Tensor x, Tensor weight, Tensor bias, Tensor statistics, Tensor y) => Tape!.Record(y, () =>
        Kernels.LayerNormGrad(x, weight, statistics, y.Grad!, GradOf(x), GradOf(weight), GradOf(bias)));
}
