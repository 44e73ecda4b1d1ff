using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>
/// The weights of a model as its code asks for them: the path under which a weight is asked for is the checkpoint's key.
/// <code>
/// Weights layer = weights.Under("model.layers.0");
/// Tensor query = layer.Get("self_attn.q_proj.weight", heads * headDim, hidden);
/// </code>
/// Every view of the same weights hands out the same tensor for the same key, so tied weights are one tensor.
/// </summary>
public sealed class Weights
{
    private readonly Shared _shared;
    private readonly string _prefix;

    /// <summary>The weights of a checkpoint.</summary>
    /// <param name="checkpoint">Where they come from.</param>
    /// <param name="trainable">
    /// Whether to hand out copies in single precision that require a gradient; null or false: the stored tensors themselves.
    /// </param>
    /// <param name="initializer">Makes the weights that the checkpoint lacks; without it, a missing one is an error.</param>
    public Weights(Checkpoint checkpoint, bool trainable = false, WeightInitializer? initializer = null)
        : this(new Shared(checkpoint, _ => trainable, initializer), "")
    {
    }

    /// <summary>The weights of a checkpoint of which some are trained.</summary>
    /// <param name="checkpoint">Where they come from.</param>
    /// <param name="trainable">
    /// Says of a full key whether to hand out a copy in single precision that requires a gradient instead of the stored tensor.
    /// </param>
    public Weights(Checkpoint checkpoint, Func<string, bool> trainable)
        : this(new Shared(checkpoint, trainable, null), "")
    {
    }

    private Weights(Shared shared, string prefix)
    {
        _shared = shared;
        _prefix = prefix;
    }

    /// <summary>Trainable weights of a model that starts from nothing.</summary>
    public static Weights FromScratch(WeightInitializer initializer) => new(Checkpoint.Of([], "a new model"), trainable: true, initializer);

    /// <summary>
    /// The tensors handed out so far under this prefix, by full key: what a trainer updates, and saves again under the same names.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Taken => _shared.Taken.Where(item => item.Key.StartsWith(_prefix, StringComparison.Ordinal))
        .ToDictionary(item => item.Key, item => item.Value);

    /// <summary>The weights under a path, with or without its final dot.</summary>
    public Weights Under(string path) => path.Length == 0 ? this : new(_shared, _prefix + (path.EndsWith('.') ? path : path + "."));

    /// <summary>The weights under <c>path.index</c>.</summary>
    public Weights Under(string path, int index) => Under($"{path}.{index}");

    /// <summary>Whether there is such a weight, stored or already made.</summary>
    public bool Has(string name) => _shared.Taken.ContainsKey(_prefix + name) || _shared.Source.Has(_prefix + name);

    /// <summary>A weight of the given sizes; the initializer, when there is one, makes it if it is not there.</summary>
    /// <param name="name">Its name under this prefix.</param>
    /// <param name="shape">The sizes it must have; -1 stands for any size, and no sizes at all for any shape.</param>
    /// <exception cref="OmniFusionException">It is not there, or has other sizes.</exception>
    public Tensor Get(string name, params ReadOnlySpan<int> shape) => Find(name, shape) ?? Make(name, shape)
        ?? throw new OmniFusionException($"{_shared.Source.Where(_prefix + name)} has no tensor '{_prefix}{name}' {Text(shape)}".TrimEnd());

    /// <summary>A weight of the given sizes, or null when there is none: for weights that a model may lack. It is never made.</summary>
    /// <param name="name">Its name under this prefix.</param>
    /// <param name="shape">The sizes it must have; -1 stands for any size, and no sizes at all for any shape.</param>
    /// <exception cref="OmniFusionException">It has other sizes.</exception>
    public Tensor? Find(string name, params ReadOnlySpan<int> shape)
    {
        string key = _prefix + name;
        if (!_shared.Taken.TryGetValue(key, out Tensor? tensor))
        {
            // The sizes are checked before the copy is made.
            if (_shared.Source.Find(key) is not { } stored)
                return null;
            _shared.Taken[key] = tensor = ForUse(key, Checked(key, stored, shape));
        }
        return Checked(key, tensor, shape);
    }

    /// <summary>
    /// The same weights with the low-rank updates of an adapter merged in and its whole tensors in place of the stored ones.
    /// </summary>
    /// <param name="adapter">The adapter's part for this model; its keys are those of the whole checkpoint.</param>
    /// <param name="mergedType">
    /// How merged matrices are stored, F32 or BF16. By default F32 (exact) when the matrices concerned are stored as F32 anyway or take
    /// at most 64 MB in the checkpoint, else BF16, because F32 would double the memory of a large model. Merging is done in F32.
    /// </param>
    /// <exception cref="OmniFusionException">The adapter was made for a model of other sizes.</exception>
    public Weights With(AdapterPart adapter, DType? mergedType = null) =>
        new(_shared.Over(new AdaptedSource(_shared.Source, adapter, merge: true, mergedType)), _prefix);

    /// <summary>
    /// The same weights with an adapter's low-rank updates beside them, unmerged: the model asks <see cref="LowRank"/> for each matrix
    /// and computes y = W x + scale B (A x). That is how an adapter is trained. Whole tensors take the place of the stored ones.
    /// </summary>
    /// <exception cref="OmniFusionException">The adapter was made for a model of other sizes.</exception>
    public Weights Beside(AdapterPart adapter) => new(_shared.Over(new AdaptedSource(_shared.Source, adapter, merge: false)), _prefix);

    /// <summary>The low-rank update that an adapter put beside a matrix, or null.</summary>
    public LowRankUpdate? LowRank(string name) => (_shared.Source as AdaptedSource)?.Unmerged(_prefix + name);

    /// <summary>Refuses a checkpoint whose own weight, without any adapter, has other sizes; one that it lacks is none of its faults.</summary>
    /// <exception cref="OmniFusionException">It has other sizes.</exception>
    internal void CheckStored(string name, params ReadOnlySpan<int> shape)
    {
        if (_shared.Source.Stored(_prefix + name) is { } stored)
            Checked(_prefix + name, stored, shape);
    }

    private Tensor Checked(string key, Tensor tensor, ReadOnlySpan<int> shape)
    {
        bool same = shape.Length == 0 || shape.Length == tensor.Shape.Rank;
        for (int axis = 0; same && axis < shape.Length; axis++)
            same = shape[axis] == -1 || shape[axis] == tensor.Shape[axis];
        return same ? tensor : throw new OmniFusionException(
            $"{_shared.Source.Where(key)}: the tensor '{key}' is {tensor.Shape}, but the configuration asks for {Text(shape)}");
    }

    private Tensor? Make(string name, ReadOnlySpan<int> shape)
    {
        if (_shared.Initializer is not { } initializer || shape.Length == 0 || shape.Contains(-1))
            return null;
        string key = _prefix + name;
        return _shared.Taken[key] = ForUse(key, initializer.Make(key, new Shape(shape)));
    }

    private static string Text(ReadOnlySpan<int> shape) => shape.Length == 0 ? "" : $"[{string.Join(", ", shape.ToArray())}]";

    // A tensor that requires a gradient already (of an adapter that is being trained) must stay the one that its owner updates.
    private Tensor ForUse(string key, Tensor tensor) =>
        _shared.Trainable(key) && !tensor.RequiresGrad ? tensor.ToF32().RequireGrad() : tensor;

    // What all views of the same weights have in common.
    private sealed class Shared(IWeightSource source, Func<string, bool> trainable, WeightInitializer? initializer)
    {
        public IWeightSource Source => source;

        public Func<string, bool> Trainable => trainable;

        public WeightInitializer? Initializer => initializer;

        public Dictionary<string, Tensor> Taken { get; } = [];

        public Shared Over(IWeightSource other) => new(other, trainable, initializer);
    }
}
