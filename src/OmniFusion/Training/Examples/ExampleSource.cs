namespace OmniFusion.Training.Examples;

/// <summary>A part of the training data. An example depends on the seed, its index and the pass alone, so that a resumed run sees the same.</summary>
internal abstract class ExampleSource
{
    // What a picture costs beside speech, in seconds of it.
    protected const double PictureCost = 1;

    // A written word, likewise.
    protected const double WordCost = 0.06;

    /// <summary>Examples in a pass.</summary>
    internal abstract int Count { get; }

    /// <summary>What an example takes of a batch, in seconds of speech.</summary>
    internal abstract double Cost(int index);

    /// <summary>Makes an example; called from several threads.</summary>
    internal abstract Example Make(int index, int pass);

    /// <summary>What a sentence costs as text.</summary>
    protected static double CostOf(string text) => WordCost * (1 + text.Count(' '));
}
