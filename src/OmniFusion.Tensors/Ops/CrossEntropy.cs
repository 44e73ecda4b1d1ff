namespace OmniFusion.Tensors;

public sealed partial class Compute
{
    /// <summary>
    /// Mean cross entropy [1] of logits [rows, classes] over the rows whose target is not negative, with label smoothing
    /// (1−ε on the target, ε spread over all classes).
    /// </summary>
    public Tensor CrossEntropy(Tensor logits, ReadOnlyMemory<int> targets, float labelSmoothing = 0) =>
        MeanCrossEntropy(logits, targets, labelSmoothing, out _);

    /// <summary>
    /// The same, with the loss of each row [rows] beside it: −log p of its target without smoothing, 0 where there is none. That one is to
    /// be looked at; no gradient goes through it.
    /// </summary>
    public Tensor CrossEntropy(Tensor logits, ReadOnlyMemory<int> targets, float labelSmoothing, out Tensor rowLosses)
    {
        Tensor loss = MeanCrossEntropy(logits, targets, labelSmoothing, out Tensor logSumExp);
        rowLosses = Rent(new Shape(logits.Rows));
        Kernels.RowLosses(logits, targets.Span, logSumExp, rowLosses);
        return loss;
    }

    private Tensor MeanCrossEntropy(Tensor logits, ReadOnlyMemory<int> targets, float labelSmoothing, out Tensor logSumExp)
    {
        if (targets.Length != logits.Rows)
            throw new ArgumentException($"{targets.Length} targets do not fit logits {logits.Shape}");
        Tensor loss = Rent(new Shape(1));
        logSumExp = Rent(new Shape(logits.Rows));
        Kernels.CrossEntropy(logits, targets.Span, labelSmoothing, loss, logSumExp);
        if (Records(logits))
            CrossEntropyGradient(logits, targets, labelSmoothing, logSumExp, loss);
        return loss;
    }

    private void CrossEntropyGradient(Tensor logits, ReadOnlyMemory<int> targets, float labelSmoothing, Tensor logSumExp, Tensor loss) =>
        Tape!.Record(loss, () =>
            Kernels.CrossEntropyGrad(logits, targets.Span, labelSmoothing, logSumExp, loss.Grad!.Span[0], GradOf(logits)!));

    /// <summary>
    /// Mean cross entropy [1] between the distributions of a teacher's logits and these logits, both [rows, classes]: knowledge distillation
    /// (Hinton et al. 2015) at temperature 1. No gradient goes to the teacher.
    /// </summary>
    public Tensor Distil(Tensor logits, Tensor teacher)
    {
        if (logits.Shape != teacher.Shape)
            throw new ArgumentException($"A teacher's logits {teacher.Shape} do not fit logits {logits.Shape}");
        Tensor loss = Rent(new Shape(1));
        Tensor? gradient = Records(logits) ? Rent(logits.Shape) : null;
        Kernels.Distil(logits, teacher, loss, gradient);
        if (gradient is not null)
            AddScaledGradient(logits, gradient, loss);
        return loss;
    }

    /// <summary>
    /// CTC loss [1] of logits [rows, classes] per target symbol (Graves et al. 2006). A target that needs more frames than its segment has
    /// counts nothing.
    /// </summary>
    public Tensor Ctc(Tensor logits, Segments segments, IReadOnlyList<int[]> targets, int blank)
    {
        if (segments.Rows != logits.Rows || targets.Count != segments.Count)
            throw new ArgumentException($"{targets.Count} targets and {segments.Count} segments do not fit logits {logits.Shape}");
        Tensor loss = Rent(new Shape(1));
        Tensor? gradient = Records(logits) ? Rent(logits.Shape) : null;
        Kernels.Ctc(logits, segments, targets, blank, loss, gradient);
        if (gradient is not null)
            AddScaledGradient(logits, gradient, loss);
        return loss;
    }

    private void AddScaledGradient(Tensor logits, Tensor gradient, Tensor loss) => Tape!.Record(loss, () =>
        Kernels.Accumulate(gradient, loss.Grad!.Span[0], GradOf(logits)!));
}
