using System.Runtime.InteropServices;

namespace OmniFusion.Training;

/// <summary>
/// Deals items into batches of about the same cost, over and over. Nothing is padded, so a batch may mix lengths; but items of like length
/// are put together, because a batch of them takes the same time. Which batch a step gets depends on the seed and the step alone.
/// </summary>
internal sealed class Batches
{
    private readonly int _seed;
    private readonly double[] _costs;
    private readonly double _capacity;

    // The epoch that was dealt last: its batches, and the step of the first of them.
    private List<int[]> _dealt = [];
    private int _epoch = -1, _firstStep = 1;

    /// <summary>Deals nothing yet.</summary>
    /// <param name="costs">Seconds or tokens of each item.</param>
    /// <param name="capacity">Cost of a batch.</param>
    /// <param name="seed">Of the order.</param>
    /// <exception cref="OmniFusionException">There is no item.</exception>
    internal Batches(IEnumerable<double> costs, double capacity, int seed)
    {
        _costs = [.. costs];
        _capacity = capacity;
        _seed = seed;
        if (_costs.Length == 0)
            throw new OmniFusionException("There is no item to train on: the data is empty, or its speech too long or too short.");
    }

    /// <summary>Passes over the data that were begun at the last batch asked for.</summary>
    internal int Epoch => _epoch + 1;

    /// <summary>The items of the batch with a number, from 1.</summary>
    internal int[] At(int number)
    {
        if (number < _firstStep)
            (_epoch, _firstStep, _dealt) = (-1, 1, []);
        while (number >= _firstStep + _dealt.Count)
        {
            _firstStep += _dealt.Count;
            _dealt = Deal(++_epoch);
        }
        return _dealt[number - _firstStep];
    }

    private List<int[]> Deal(int epoch)
    {
        Random random = new(unchecked(_seed * 7919 + epoch));
        // Lengths are blurred before sorting: like goes with like, but not always with the same.
        int[] items = [.. Enumerable.Range(0, _costs.Length)];
        double[] keys = [.. items.Select(item => _costs[item] * (0.75 + 0.5 * random.NextDouble()))];
        Array.Sort(keys, items);
        List<int[]> batches = [];
        List<int> batch = [];
        double cost = 0;
        foreach (int item in items)
        {
            if (batch.Count > 0 && cost + _costs[item] > _capacity)
            {
                batches.Add([.. batch]);
                batch.Clear();
                cost = 0;
            }
            batch.Add(item);
            cost += _costs[item];
        }
        batches.Add([.. batch]);
        random.Shuffle(CollectionsMarshal.AsSpan(batches));
        return batches;
    }
}
