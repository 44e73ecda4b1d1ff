using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>What an adapter changes in one of the two models.</summary>
public sealed class AdapterPart
{
    private readonly HashSet<string> _placed = [];

    internal AdapterPart(string source, Dictionary<string, LowRankUpdate> lowRank, Dictionary<string, Tensor> whole)
    {
        Source = source;
        LowRank = lowRank;
        Whole = whole;
    }

    /// <summary>The adapter's folder, for messages.</summary>
    public string Source { get; }

    /// <summary>Low-rank updates by the key of the matrix, for instance <c>model.layers.0.self_attn.q_proj.weight</c>.</summary>
    public IReadOnlyDictionary<string, LowRankUpdate> LowRank { get; }

    /// <summary>Tensors that take the place of the stored ones, by key, for instance <c>model.embed_tokens.weight</c>.</summary>
    public IReadOnlyDictionary<string, Tensor> Whole { get; }

    /// <summary>Keys of this part that no model has taken yet.</summary>
    internal IEnumerable<string> Unplaced => LowRank.Keys.Concat(Whole.Keys).Where(key => !_placed.Contains(key));

    /// <summary>
    /// The key under which the model has what the adapter calls <paramref name="key"/>, or null. Adapters are saved from classes that
    /// wrap the model more or less deeply, so the outermost names may be missing or too many.
    /// </summary>
    internal string? Place(string key, IWeightSource model)
    {
        string inner = key.StartsWith("model.", StringComparison.Ordinal) ? key["model.".Length..] : key;
        string? place = new[] { key, $"model.{key}", inner, $"thinker.{key}", $"thinker.model.{key}" }.FirstOrDefault(model.Has);
        if (place is not null)
            _placed.Add(key);
        return place;
    }
}
