using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>Weights with an adapter laid over them: merged when they are asked for, or left beside them for training.</summary>
internal sealed class AdaptedSource : IWeightSource
{
    private const long LargestExact = 64 << 20;

    private readonly IWeightSource _base;
    private readonly Dictionary<string, LowRankUpdate> _updates = [];
    private readonly Dictionary<string, Tensor> _whole = [];
    private readonly string _adapter;
    private readonly bool _merge;
    private readonly DType? _mergedType;

    public AdaptedSource(IWeightSource model, AdapterPart adapter, bool merge, DType? mergedType = null)
    {
        if (mergedType is DType.F16)
            throw new ArgumentException("merged matrices are stored as F32 or BF16", nameof(mergedType));
        _base = model;
        _adapter = adapter.Source;
        _merge = merge;
        foreach (var (key, tensor) in adapter.Whole)
            if (adapter.Place(key, model) is { } place)
                _whole[place] = Fitting(place, tensor);
        long bytes = 0;
        foreach (var (key, update) in adapter.LowRank)
            if (adapter.Place(key, model) is { } place)
            {
                _updates[place] = update;
                bytes += Fitting(place, update);
            }
        _mergedType = mergedType ?? (bytes <= LargestExact ? DType.F32 : null);
    }

    public bool Has(string key) => _base.Has(key);

    public Tensor? Find(string key)
    {
        Tensor? stored = _base.Find(key);
        if (_whole.TryGetValue(key, out Tensor? whole))
            stored = whole;
        if (stored is null || !_merge || !_updates.TryGetValue(key, out LowRankUpdate? update))
            return stored;
        Tensor merged = update.AddTo(stored);
        return (_mergedType ?? (stored.DType == DType.F32 ? DType.F32 : DType.BF16)) == DType.BF16 ? merged.ToBF16() : merged;
    }

    public Tensor? Stored(string key) => _base.Stored(key);

    public string Where(string key) => _whole.ContainsKey(key) ? _adapter : _base.Where(key);

    public LowRankUpdate? Unmerged(string key) =>
        !_merge && _updates.TryGetValue(key, out LowRankUpdate? update) ? update : (_base as AdaptedSource)?.Unmerged(key);

    // An embedding or output layer may bring rows for tokens that were added after the model was published.
    private Tensor Fitting(string key, Tensor tensor)
    {
        Shape stored = _base.Find(key)!.Shape, own = tensor.Shape;
        bool vocabulary = key.EndsWith("embed_tokens.weight", StringComparison.Ordinal)
            || key.EndsWith("lm_head.weight", StringComparison.Ordinal);
        bool longer = own.Rank == 2 && stored.Rank == 2 && own.Columns == stored.Columns && own.Rows >= stored.Rows;
        return own == stored || (vocabulary && longer) ? tensor : throw new OmniFusionException(
            $"the adapter {_adapter} was made for a model of another size: its '{key}' is {own}, that of {_base.Where(key)} is {stored}");
    }

    private long Fitting(string key, LowRankUpdate update)
    {
        Tensor stored = _whole.GetValueOrDefault(key) ?? _base.Find(key)!;
        return update.MatrixShape == stored.Shape
            ? stored.Count * stored.DType.Size()
            : throw new OmniFusionException($"the adapter {_adapter} was made for a model of another size: its update of '{key}' is "
                + $"{update.MatrixShape}, the matrix of {_base.Where(key)} is {stored.Shape}");
    }
}
