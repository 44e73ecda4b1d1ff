using OmniFusion.Tensors;

namespace OmniFusion.Training;

/// <summary>AdamW over named parameters, with the gradient clipped as a whole.</summary>
public sealed class Optimizer
{
    private readonly IKernels _kernels;
    private readonly Entry[] _entries;

    /// <summary>Moments start at zero.</summary>
    public Optimizer(IKernels kernels, IReadOnlyDictionary<string, Tensor> parameters)
    {
        _kernels = kernels;
        _entries = [.. parameters.OrderBy(item => item.Key, StringComparer.Ordinal)
            .Select(item => new Entry(item.Key, item.Value, Tensor.Zeros(item.Value.Shape), Tensor.Zeros(item.Value.Shape)))];
    }

    /// <summary>Steps done.</summary>
    public int Steps { get; set; }

    /// <summary>Norm of the gradient of each group of parameters at the last step, before clipping; 0 where a group got none.</summary>
    public IReadOnlyDictionary<string, double> GroupNorms { get; private set; } = new Dictionary<string, double>();

    /// <summary>
    /// Everything that a checkpoint must hold: each parameter and, under <c>moment1.</c> and <c>moment2.</c>, its moments.
    /// </summary>
    public IEnumerable<(string Name, Tensor Tensor)> State => _entries.SelectMany(entry => new[]
    {
        (entry.Name, entry.Weight), ("moment1." + entry.Name, entry.Moment1), ("moment2." + entry.Name, entry.Moment2),
    });

    /// <summary>Clips, steps, and zeroes the gradients. A parameter that got no gradient since the last step is left alone.</summary>
    /// <param name="options">Settings; decay applies to matrices only.</param>
    /// <param name="clipNorm">Norm of all gradients together that is not exceeded; 0: no clipping.</param>
    /// <param name="rateFactor">Factor on the rate for a parameter's name.</param>
    /// <returns>The norm before clipping.</returns>
    public double Step(in AdamWOptions options, float clipNorm, Func<string, float>? rateFactor = null)
    {
        double[] squares = [.. _entries.Select(entry => _kernels.SumOfSquares(entry.Weight.Grad!))];
        double norm = Math.Sqrt(squares.Sum());
        GroupNorms = _entries.Zip(squares).GroupBy(item => item.First.Group, item => item.Second)
            .ToDictionary(group => group.Key, group => Math.Sqrt(group.Sum()));
        if (!double.IsFinite(norm))
        {
            Clear();
            return norm;
        }
        // The published training clips as torch does, with 1e-6 added to the norm.
        float scale = clipNorm > 0 ? (float)Math.Min(1, clipNorm / (norm + 1e-6)) : 1;
        Steps++;
        for (int i = 0; i < _entries.Length; i++)
        {
            if (squares[i] == 0)
                continue;
            Entry entry = _entries[i];
            AdamWOptions own = options with
            {
                LearningRate = options.LearningRate * (rateFactor?.Invoke(entry.Name) ?? 1),
                WeightDecay = entry.Weight.Shape.Rank > 1 ? options.WeightDecay : 0,
            };
            _kernels.AdamW(entry.Weight, entry.Weight.Grad!, entry.Moment1, entry.Moment2, ++entry.Steps, own, scale);
        }
        Clear();
        return norm;
    }

    /// <summary>How often each parameter has been stepped, for a checkpoint; setting it restores them.</summary>
    internal IReadOnlyDictionary<string, int> StepCounts
    {
        get => _entries.ToDictionary(entry => entry.Name, entry => entry.Steps);
        set
        {
            foreach (Entry entry in _entries)
                entry.Steps = value.GetValueOrDefault(entry.Name);
        }
    }

    private void Clear()
    {
        foreach (Entry entry in _entries)
            entry.Weight.Grad!.Span.Clear();
    }

    private sealed record Entry(string Name, Tensor Weight, Tensor Moment1, Tensor Moment2)
    {
        public string Group { get; } = ParameterGroups.Of(Name);

        public int Steps { get; set; }
    }
}
