namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>x·Φ(x), with the exact error function.</summary>
    public Tensor Gelu(Tensor x)
    {
        Tensor y = Rent(x.Shape);
        Kernels.Gelu(x, y);
        if (Records(x))
            GeluGradient(x, y);
        return y;
    }

    private void GeluGradient(Tensor x, Tensor y) => Tape!.Record(y, () => Kernels.GeluGrad(x, y.Grad!, GradOf(x)!));

    /// <summary>silu(gate)·up, the gated unit of Llama, Qwen and Mistral.</summary>
    public Tensor SwiGlu(Tensor gate, Tensor up)
    {
        if (gate.Shape != up.Shape)
            throw new ArgumentException($"a gate of {gate.Shape} does not fit {up.Shape}");
        Tensor y = Rent(gate.Shape);
        Kernels.SwiGlu(gate, up, y);
        if (Records(gate, up))
            SwiGluGradient(gate, up, y);
        return y;
    }

    private void SwiGluGradient(Tensor gate, Tensor up, Tensor y) => Tape!.Record(y, () =>
        Kernels.SwiGluGrad(gate, up, y.Grad!, GradOf(gate), GradOf(up)));
}
