namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>a + scale·b.</summary>
    public Tensor Add(Tensor a, Tensor b, float scale = 1)
    {
        if (a.Shape != b.Shape)
            throw new ArgumentException($"{a.Shape} and {b.Shape} cannot be added");
        Tensor y = Rent(a.Shape);
        Kernels.Add(a, b, scale, y);
        if (Records(a, b))
            AddGradient(a, b, scale, y);
        return y;
    }

    private void AddGradient(Tensor a, Tensor b, float scale, Tensor y) => Tape!.Record(y, () =>
    {
        if (GradOf(a) is { } da)
            Kernels.Accumulate(y.Grad!, 1, da);
        if (GradOf(b) is { } db)
            Kernels.Accumulate(y.Grad!, scale, db);
    });
}
