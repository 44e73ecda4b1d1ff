namespace OmniFusion.Tensors;

/// <summary>
/// Where tensors are computed: the operations (one file each under Ops/), the kernels behind them, the arena their results live in and,
/// while training, the tape. With no tape nothing is recorded and memory is used again. One thread calls it at a time; make one for each.
/// </summary>
public sealed partial class Compute
{
    /// <summary>Computes with the given kernels, or with the best this processor has.</summary>
    public Compute(IKernels? kernels = null) => Kernels = kernels ?? CpuKernels.Default;

    /// <summary>The arithmetic.</summary>
    public IKernels Kernels { get; }

    /// <summary>Where results live.</summary>
    public Arena Arena { get; } = new();

    /// <summary>Records operations for <see cref="Backward"/>, or null when only values are wanted.</summary>
    public Tape? Tape { get; set; }

    /// <summary>Source of dropout; null while evaluating, when dropout does nothing.</summary>
    public Random? DropoutRandom { get; set; }

    /// <summary>A tensor of undefined content that lives until its scope ends.</summary>
    public Tensor Rent(Shape shape) => Arena.Rent(shape);

    /// <summary>Starts a scope: temporaries made in it are given back when <see cref="Keep"/> ends it.</summary>
    public Arena.Mark Scope() => Arena.Position;

    /// <summary>
    /// Ends a scope: only <paramref name="result"/> survives, moved to the scope's start or, when given, into the memory of
    /// <paramref name="into"/>, an older tensor of the same shape. While a tape records, everything survives, because gradients need it.
    /// </summary>
    public Tensor Keep(Arena.Mark scope, Tensor result, Tensor? into = null)
    {
        if (Tape is not null)
            return result;
        if (into is null)
            return Arena.Release(scope, result);
        result.Span.CopyTo(into.Span);
        Arena.Release(scope);
        return into;
    }

    /// <summary>Computes without the tape: no gradient goes through the result.</summary>
    public T Unrecorded<T>(Func<T> compute)
    {
        Tape? tape = Tape;
        Tape = null;
        try
        {
            return compute();
        }
        finally
        {
            Tape = tape;
        }
    }

    /// <summary>
    /// Computes the gradient of a scalar with respect to every tensor that requires one; the gradients of parameters accumulate.
    /// </summary>
    /// <param name="loss">One number, shape [1].</param>
    /// <param name="scale">The gradient of the loss itself, for instance 1 / number of accumulated batches.</param>
    public void Backward(Tensor loss, float scale = 1)
    {
        Tape tape = Tape ?? throw new InvalidOperationException("there is no tape to go back on");
        if (loss.Count != 1)
            throw new ArgumentException($"a loss is one number, not {loss.Shape}", nameof(loss));
        if (GradOf(loss) is not { } grad)
            return;
        grad.Span[0] = scale;
        tape.Replay();
    }

    // Null where no gradient is wanted; zeros at the first call of a step.
    private Tensor? GradOf(Tensor tensor)
    {
        if (!tensor.RequiresGrad)
            return null;
        if (tensor.Grad is null)
        {
            tensor.Grad = Arena.Rent(tensor.Shape);
            tensor.Grad.Clear();
        }
        return tensor.Grad;
    }

    private bool Records(Tensor a, Tensor? b = null, Tensor? c = null) =>
        Tape is not null && (a.RequiresGrad || b is { RequiresGrad: true } || c is { RequiresGrad: true });
}
