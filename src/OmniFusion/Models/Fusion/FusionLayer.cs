using OmniFusion.Checkpoints;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Fusion;

/// <summary>
/// The seam of the system: makes the rows of a prefix out of several hidden states of the thinker, in two steps. <see cref="Forward"/> makes one
/// state per token, which no other token changes; <see cref="Rows"/> makes of these the rows, as many as there are or fewer. The hidden states
/// are those of <see cref="Selected"/>, in that order; the published choice is first, middle and last. Keys: <c>omni_fusion.…</c>, the same for
/// any number of states, which only changes their sizes.
/// </summary>
public abstract class FusionLayer
{
    /// <summary>Most hidden states that can be fused.</summary>
    public const int MostLayers = 64;

    // Name, whether it takes a list of hidden states, and how it is made for their number and length. The last is not the published system's.
    private static readonly (string Name, bool TakesLayers, Func<int, int, Weights, FusionLayer> Make)[] s_modes =
    [
        ("mid", false, (_, _, _) => new SingleStateFusion("mid", 1)),
        ("last", false, (_, _, _) => new SingleStateFusion("last", 2)),
        ("weighted", true, (count, _, weights) => new WeightedFusion(count, weights)),
        ("concat", true, (count, size, weights) => new ConcatFusion(count, size, weights)),
        ("attention", true, (count, size, weights) => new AttentionFusion(count, size, weights)),
        ("gated", true, (count, size, weights) => new GatedFusion(count, size, weights)),
        ("pooled", true, (count, size, weights) => new PooledFusion(count, size, weights)),
    ];

    private int[]? _layers;

    /// <summary>What a bundle can call a layer.</summary>
    public static IReadOnlyList<string> Modes { get; } = [.. s_modes.Select(mode => mode.Name)];

    /// <summary>What the bundle calls it, one of <see cref="Modes"/>.</summary>
    public abstract string Mode { get; }

    /// <summary>Numbers of the hidden states that it wants of a thinker with that many decoder layers (0 = embeddings, L = after the final norm).</summary>
    public virtual int[] Selected(int layers) => _layers is null ? [0, (layers + 1) / 2, layers] : [.. _layers];

    /// <summary>[tokens, D] of each selected hidden state to [tokens, D].</summary>
    public abstract FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states);

    /// <summary>
    /// The same without one of the hidden states, to see what that one is good for; for measuring, not for training. Where a layer does not say
    /// how, the state's numbers are zero.
    /// </summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="states">[tokens, D] of each selected hidden state.</param>
    /// <param name="missing">Place of the missing one among them.</param>
    public virtual FusedStates Without(Compute c, ReadOnlySpan<Tensor> states, int missing)
    {
        Tensor[] remaining = states.ToArray();
        Tensor nothing = remaining[missing] = c.Rent(states[missing].Shape);
        nothing.Span.Clear();
        return Forward(c, remaining);
    }

    /// <summary>The rows of a prefix [rows, D] out of one state per token [tokens, D]; without more, these.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="states">What <see cref="Forward"/> made.</param>
    /// <param name="media">Which of the tokens are images and speech, in their order; no row tells of tokens of two of them.</param>
    public virtual FusedRows Rows(Compute c, Tensor states, IReadOnlyList<MediaStretch> media) =>
        new(states, [.. Enumerable.Range(0, states.Rows)]);

    /// <summary>Most rows of so many tokens.</summary>
    public virtual int MostRows(int tokens) => tokens;

    /// <summary>
    /// While speech arrives, the tokens from some on are new. This is the first that <see cref="Rows"/> has to see then: what it made of those
    /// before stays as it is.
    /// </summary>
    /// <param name="token">The first new token.</param>
    /// <param name="media">As for <see cref="Rows"/>, the new tokens included.</param>
    /// <returns>A token not behind <paramref name="token"/>, and of the same speech where that is one of it.</returns>
    public virtual int From(int token, IReadOnlyList<MediaStretch> media) => token;

    /// <summary>The layer that a bundle names.</summary>
    /// <param name="mode">One of <see cref="Modes"/>.</param>
    /// <param name="hiddenSize">D of the thinker.</param>
    /// <param name="weights">Weights under <c>omni_fusion</c>.</param>
    /// <param name="layers">
    /// Numbers of the hidden states to fuse, in the order of the weights; null: first, middle and last. Not for mid and last, whose name
    /// says it.
    /// </param>
    /// <exception cref="OmniFusionException">There is no such mode, or the layers are no list of different states for it.</exception>
    public static FusionLayer Create(string mode, int hiddenSize, Weights weights, IReadOnlyList<int>? layers = null)
    {
        CheckLayers(mode, layers);
        FusionLayer layer = Find(mode).Make(layers?.Count ?? 3, hiddenSize, weights);
        layer._layers = layers is null ? null : [.. layers];
        return layer;
    }

    /// <summary>Checks a list of hidden states that somebody wrote down.</summary>
    /// <exception cref="OmniFusionException">
    /// It is empty, too long, names a state twice or none, or the mode takes no list or does not exist.
    /// </exception>
    internal static void CheckLayers(string mode, IReadOnlyList<int>? layers)
    {
        bool takesLayers = Find(mode).TakesLayers;
        if (layers is null)
            return;
        if (!takesLayers)
            throw new OmniFusionException($"The fusion mode '{mode}' takes no list of layers; one alone is 'gated' with a list of one.");
        if (layers.Count is 0 or > MostLayers || layers.Any(layer => layer < 0) || layers.Distinct().Count() != layers.Count)
            throw new OmniFusionException(
                $"The fused layers [{string.Join(", ", layers)}] are not 1 to {MostLayers} different numbers of hidden states from 0 up.");
    }

    private static (string Name, bool TakesLayers, Func<int, int, Weights, FusionLayer> Make) Find(string mode) =>
        Array.Find(s_modes, known => known.Name == mode) is { Name: not null } found ? found
            : throw new OmniFusionException($"There is no fusion mode '{mode}'; known are {string.Join(", ", Modes)}.");
}

/// <summary>What a fusion layer makes of tokens.</summary>
/// <param name="States">One state per token [tokens, D].</param>
/// <param name="Gates">How much each hidden state counts [tokens or 1, selected], or null where that means nothing.</param>
public readonly record struct FusedStates(Tensor States, Tensor? Gates);

/// <summary>Rows of a prefix.</summary>
/// <param name="States">The rows [rows, D].</param>
/// <param name="Tokens">For each row the token that it tells of, the last where it tells of several; they do not fall.</param>
public readonly record struct FusedRows(Tensor States, int[] Tokens);

/// <summary>One of the hidden states as it is.</summary>
internal sealed class SingleStateFusion(string mode, int index) : FusionLayer
{
    public override string Mode => mode;

    public override int[] Selected(int layers) => [base.Selected(layers)[index]];

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states) => new(states[0], null);
}

/// <summary>A linear layer from the states side by side.</summary>
internal sealed class ConcatFusion(int count, int hiddenSize, Weights weights) : FusionLayer
{
    private readonly LinearLayer _proj = new(weights.Under("proj"), hiddenSize, count * hiddenSize, bias: true);

    public override string Mode => "concat";

    public override FusedStates Forward(Compute c, ReadOnlySpan<Tensor> states) => new(_proj.Forward(c, c.ConcatColumns(states)), null);
}
