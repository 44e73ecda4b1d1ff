namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>
    /// Rotary positions (Su et al. 2021), rotate-half form, <b>in place</b>: x [rows, heads·headDim], cos and sin [rows, headDim/2].
    /// </summary>
    public Tensor Rotary(Tensor x, Tensor cos, Tensor sin, int heads)
    {
        if (x.Columns != heads * cos.Columns * 2 || cos.Rows != x.Rows || sin.Shape != cos.Shape)
            throw new ArgumentException($"angles {cos.Shape} do not fit {heads} heads of {x.Shape}");
        Kernels.Rotary(x, cos, sin, heads, inverse: false);
        if (Records(x))
            RotaryGradient(x, cos, sin, heads);
        return x;
    }

    // A rotation's gradient is the rotation back; the gradient, too, is turned in place, before whoever made x reads it.
    private void RotaryGradient(Tensor x, Tensor cos, Tensor sin, int heads) => Tape!.Record(x, () =>
        Kernels.Rotary(x.Grad!, cos, sin, heads, inverse: true));
}
