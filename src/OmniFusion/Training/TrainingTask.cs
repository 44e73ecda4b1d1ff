using OmniFusion.Tensors;

namespace OmniFusion.Training;

/// <summary>What a stage trains, on what, and how it is judged. <see cref="Trainer"/> does the rest.</summary>
public abstract class TrainingTask
{
    /// <summary>The trainable tensors by name.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> Parameters { get; }

    /// <summary>
    /// Computes the loss of the batch of one step. The batch depends on the step alone, so that a resumed run sees the same ones.
    /// </summary>
    /// <param name="c">Where to compute; its tape records.</param>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="report">Figures for the log, summed up by the trainer: the value of each loss, and counts whose name starts with #.</param>
    public abstract Tensor Loss(Compute c, int step, IDictionary<string, double> report);

    /// <summary>Judges the present weights on the validation set.</summary>
    public abstract IReadOnlyDictionary<string, double> Evaluate(Compute c, CancellationToken cancellation);

    /// <summary>Writes the present model, whole or not at all.</summary>
    public abstract void Save(string folder);

    /// <summary>A random stream for one purpose at one step.</summary>
    protected static Random StreamOf(int seed, long step, int purpose) =>
        new(HashCode(seed, step, purpose));

    private static int HashCode(int seed, long step, int purpose)
    {
        ulong z = (ulong)seed * 0x9E3779B97F4A7C15 + (ulong)step * 0xBF58476D1CE4E5B9 + (ulong)purpose * 0x94D049BB133111EB;
        z = (z ^ (z >> 31)) * 0xD6E8FEB86659FD93;
        return (int)(z >> 33);
    }
}
