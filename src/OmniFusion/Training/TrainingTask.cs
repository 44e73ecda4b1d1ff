using OmniFusion.Tensors;

namespace OmniFusion.Training;

/// <summary>What a stage trains, on what, and how it is judged. <see cref="Trainer"/> does the rest.</summary>
public abstract class TrainingTask
{
    /// <summary>The trainable tensors by name.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> Parameters { get; }

    /// <summary>Number of examples of each part of the data, in words: a run on other data is another run.</summary>
    public virtual string DataSizes => "";

    /// <summary>
    /// Computes the loss of the batch of one step. The batch depends on the step alone, so that a resumed run sees the same ones.
    /// </summary>
    /// <param name="c">Where to compute; its tape records.</param>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="report">
    /// Figures for the log, summed up until its next line: the value of each loss, of which the log gets the mean over all steps, and
    /// under names that start with # what it gets as a total.
    /// </param>
    /// <returns>The loss, shape [1].</returns>
    public abstract Tensor Loss(Compute c, int step, IDictionary<string, double> report);

    /// <summary>
    /// The losses of the examples without and with a picture of one batch, whose gradients are compared; by default, and where a batch has
    /// only one of them, less than two. Which batch depends on the step alone.
    /// </summary>
    public virtual IReadOnlyList<PartialLoss> PartialLosses(int step) => [];

    /// <summary>Judges the present weights on the validation set.</summary>
    /// <param name="c">Where to compute; nothing is recorded, and its arena is taken back.</param>
    /// <param name="step">The last step done.</param>
    /// <param name="cancellation">Checked for every batch.</param>
    /// <returns>Figures by name, such as <c>wer</c> (percent) or <c>bleu_de</c> (0 to 100).</returns>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public abstract IReadOnlyDictionary<string, double> Evaluate(Compute c, int step, CancellationToken cancellation);

    /// <summary>Writes the present model into a folder, each file whole or not at all.</summary>
    /// <exception cref="OmniFusionException">A file cannot be written.</exception>
    public abstract void Save(string folder);
}
