namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>
    /// Convolution over the rows of each segment, zeros outside it: x [rows, channels], weight [outputs, channels, kernel] to [output rows, outputs].
    /// </summary>
    /// <param name="x">Rows in the order of time.</param>
    /// <param name="input">Segments of x.</param>
    /// <param name="weight">The kernel as stored by PyTorch's Conv1d.</param>
    /// <param name="bias">One number for each output.</param>
    /// <param name="stride">Rows between windows.</param>
    /// <param name="padding">Zeros before and after each segment.</param>
    /// <param name="output">Segments of the result.</param>
    public Tensor Conv1d(Tensor x, Segments input, Tensor weight, Tensor? bias, int stride, int padding, out Segments output)
    {
        if (weight.Shape.Rank != 3 || weight.Shape[1] != x.Columns || input.Rows != x.Rows || stride < 1 || padding < 0)
            throw new ArgumentException($"a kernel of {weight.Shape} does not fit {input.Rows} rows of {x.Shape}");
        int kernel = weight.Shape[2], channels = weight.Shape[1];
        Span<int> lengths = input.Count <= 256 ? stackalloc int[input.Count] : new int[input.Count];
        for (int i = 0; i < lengths.Length; i++)
            // Division rounds towards zero: of too few rows it would make a window.
            lengths[i] = input.Length(i) + 2 * padding < kernel ? 0 : (input.Length(i) + 2 * padding - kernel) / stride + 1;
        output = new Segments(lengths);
        // A convolution is a matrix product over the windows laid out as rows.
        Tensor windows = Rent(new Shape(output.Rows, channels * kernel));
        Kernels.Unfold(x, input, kernel, stride, padding, output, windows);
        if (Records(x))
            UnfoldGradient(x, input, kernel, stride, padding, output, windows);
        return Linear(windows, Flatten(weight), bias);
    }

    private void UnfoldGradient(Tensor x, Segments input, int kernel, int stride, int padding, Segments output, Tensor windows) =>
        Tape!.Record(windows, () => Kernels.UnfoldGrad(windows.Grad!, input, kernel, stride, padding, output, GradOf(x)!));

    // The view shares the parameter's gradient, too.
    private static Tensor Flatten(Tensor weight) => weight.Reshape(new Shape(weight.Shape[0], weight.Shape[1] * weight.Shape[2]));

    /// <summary>Mean of each <paramref name="window"/> rows of a segment; a shorter rest is dropped.</summary>
    public Tensor MeanPool(Tensor x, Segments input, int window, out Segments output)
    {
        if (input.Rows != x.Rows || window < 1)
            throw new ArgumentException($"windows of {window} do not fit {input.Rows} rows of {x.Shape}");
        Span<int> lengths = input.Count <= 256 ? stackalloc int[input.Count] : new int[input.Count];
        for (int i = 0; i < lengths.Length; i++)
            lengths[i] = input.Length(i) / window;
        output = new Segments(lengths);
        Tensor y = Rent(new Shape(output.Rows, x.Columns));
        Kernels.MeanPool(x, input, window, output, y);
        if (Records(x))
            MeanPoolGradient(x, input, window, output, y);
        return y;
    }

    private void MeanPoolGradient(Tensor x, Segments input, int window, Segments output, Tensor y) => Tape!.Record(y, () =>
        Kernels.MeanPoolGrad(y.Grad!, input, window, output, GradOf(x)!));
}
