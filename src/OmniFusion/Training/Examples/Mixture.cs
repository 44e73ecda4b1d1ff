using System.Runtime.ExceptionServices;

namespace OmniFusion.Training.Examples;

/// <summary>All sources of a training dealt into batches together: what a source has is its share of a pass.</summary>
internal sealed class Mixture
{
    private readonly (ExampleSource Source, int Index, int Copy, int Copies)[] _items;
    private readonly Batches _batches;
    private readonly int _threads;

    /// <summary>Deals nothing yet.</summary>
    /// <param name="sources">Each with how often a pass goes through it.</param>
    /// <param name="batchSeconds">Cost of a batch.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="threads">Examples made at once.</param>
    /// <exception cref="OmniFusionException">There is no example.</exception>
    internal Mixture(IEnumerable<(ExampleSource Source, int Repeat)> sources, double batchSeconds, int seed, int threads)
    {
        _items = [.. from part in sources
                     from copy in Enumerable.Range(0, part.Repeat)
                     from index in Enumerable.Range(0, part.Source.Count)
                     select (part.Source, index, copy, part.Repeat)];
        _batches = new Batches(_items.Select(item => item.Source.Cost(item.Index)), batchSeconds, seed);
        _threads = threads;
    }

    /// <summary>Passes that were begun at the last batch asked for.</summary>
    internal int Pass => _batches.Epoch;

    /// <summary>The examples of the batch with a number, from 1.</summary>
    /// <exception cref="OmniFusionException">A file that one of them is made of cannot be read.</exception>
    internal Example[] At(int number)
    {
        int[] batch = _batches.At(number);
        Example[] examples = new Example[batch.Length];
        try
        {
            Parallel.For(0, batch.Length, new ParallelOptions { MaxDegreeOfParallelism = _threads == 0 ? -1 : _threads }, i =>
            {
                (ExampleSource source, int index, int copy, int copies) = _items[batch[i]];
                examples[i] = source.Make(index, Pass * copies + copy);
            });
        }
        catch (AggregateException errors)
        {
            ExceptionDispatchInfo.Throw(errors.InnerExceptions[0]);
        }
        return examples;
    }
}
