namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>Zeroes a share p of the elements and scales the rest by 1/(1−p), while <see cref="DropoutRandom"/> is set; else x itself.</summary>
    public Tensor Dropout(Tensor x, float p)
    {
        if (DropoutRandom is null || p == 0)
            return x;
        ulong seed = (ulong)DropoutRandom.NextInt64();
        Tensor y = Rent(x.Shape);
        Kernels.Dropout(x, p, seed, y);
        if (Records(x))
            DropoutGradient(x, p, seed, y);
        return y;
    }

    private void DropoutGradient(Tensor x, float p, ulong seed, Tensor y) => Tape!.Record(y, () =>
        Kernels.DropoutGrad(y.Grad!, p, seed, GradOf(x)!));
}
