using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>Sizes of a decoder of the Llama family, which Qwen2 and Mistral both are.</summary>
/// <param name="HiddenSize">Length of a hidden state.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads.</param>
/// <param name="HeadDim">Length of a head.</param>
/// <param name="IntermediateSize">Width of the gated unit.</param>
/// <param name="RmsNormEps">Added to the mean square.</param>
/// <param name="AttentionBias">Whether q, k and v have a bias (Qwen2 does, Mistral does not).</param>
/// <param name="SlidingWindow">How many positions back a row sees, or null for all.</param>
public sealed record DecoderShape(
    int HiddenSize, int Layers, int Heads, int KvHeads, int HeadDim, int IntermediateSize, float RmsNormEps, bool AttentionBias, int? SlidingWindow = null)
{
    internal static DecoderShape Of(DecoderConfig config, bool attentionBias, int? slidingWindow = null) => new(
        config.HiddenSize, config.NumHiddenLayers, config.NumAttentionHeads, config.NumKeyValueHeads, config.HeadDim, config.IntermediateSize,
        config.RmsNormEps, attentionBias, slidingWindow);
}

/// <summary>
/// The layers and the final norm of a Llama-style decoder: pre-norm attention with rotary positions and grouped key heads, then a gated
/// unit. Keys of the checkpoint: <c>layers.N.…</c> and <c>norm.weight</c>.
/// </summary>
public sealed class DecoderStack
{
    private readonly DecoderLayer[] _layers;
    private readonly Tensor _norm;

    /// <summary>Takes the weights under the stack's path.</summary>
    public DecoderStack(DecoderShape shape, Weights weights)
    {
        Shape = shape;
        _layers = [.. Enumerable.Range(0, shape.Layers).Select(i => new DecoderLayer(shape, weights.Under($"layers.{i}")))];
        _norm = weights.Get("norm.weight", shape.HiddenSize);
    }

    /// <summary>Sizes.</summary>
    public DecoderShape Shape { get; }

    /// <summary>The layers, first to last.</summary>
    public IReadOnlyList<DecoderLayer> Layers => _layers;

    /// <summary>Dropout of what each block adds, while training.</summary>
    public float Dropout { get; set; }

    /// <summary>
    /// Runs whole sequences: x [rows, D] packed, one segment an item; a row sees its segment up to itself. Keys and values are appended to
    /// <paramref name="cache"/> when given.
    /// </summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="x">Input embeddings.</param>
    /// <param name="angles">Rotary angles of the rows.</param>
    /// <param name="segments">Items of the batch.</param>
    /// <param name="cache">Receives keys and values, or null.</param>
    /// <param name="wanted">
    /// Numbers of the hidden states to return: 0 is x itself, L the output after the final norm. The result has them in that order.
    /// </param>
    public Tensor[] Forward(Compute c, Tensor x, RotaryAngles angles, Segments segments, KvCache? cache, params ReadOnlySpan<int> wanted)
    {
        AttentionShape attention = new(segments, Shape.Heads, Shape.KvHeads, Causal: true, Scale: 1 / MathF.Sqrt(Shape.HeadDim));
        Tensor[] states = new Tensor[wanted.Length];
        for (int layer = 0; ; layer++)
        {
            if (layer == Shape.Layers)
                break;
            Hand(x, layer, wanted, states);
            // A hidden state that somebody wants, or the caller's own input, is left as it is; any other is overwritten by the next.
            bool keeps = layer == 0 || wanted.Contains(layer);
            Arena.Mark scope = c.Scope();
            x = c.Keep(scope, _layers[layer].Forward(c, x, angles, attention, cache?.Layer(layer), Dropout), into: keeps ? null : x);
        }
        if (wanted.Contains(Shape.Layers))
        {
            Hand(c.RmsNorm(x, _norm, Shape.RmsNormEps), Shape.Layers, wanted, states);
        }
        cache?.Advance(segments.Rows);
        return states;
    }

    /// <summary>Runs new rows over a cache, which grows by them: x [rows, D] to the last hidden state [rows, D]. Inference only.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="x">Input embeddings of the new rows.</param>
    /// <param name="angles">Their rotary angles.</param>
    /// <param name="cache">Keys and values so far.</param>
    /// <param name="visible">For each new row, the cache rows it sees, its own among them (new row r becomes cache row Count + r).</param>
    public Tensor Step(Compute c, Tensor x, RotaryAngles angles, KvCache cache, CacheRows visible) =>
        Step(c, x, angles, cache, visible, probe: null, wanted: [], states: []);

    /// <inheritdoc cref="Step(Compute, Tensor, RotaryAngles, KvCache, CacheRows)"/>
    /// <param name="c">Where to compute.</param>
    /// <param name="x">Input embeddings of the new rows.</param>
    /// <param name="angles">Their rotary angles.</param>
    /// <param name="cache">Keys and values so far.</param>
    /// <param name="visible">For each new row, the cache rows it sees.</param>
    /// <param name="probe">Looks at the attention of some heads, or null.</param>
    /// <param name="wanted">Numbers of the hidden states to hand out, as in <see cref="Forward"/>.</param>
    /// <param name="states">Receives them [rows, D], in that order.</param>
    public Tensor Step(
        Compute c, Tensor x, RotaryAngles angles, KvCache cache, CacheRows visible, AttentionProbe? probe, ReadOnlySpan<int> wanted,
        Span<Tensor> states)
    {
        for (int layer = 0; layer < Shape.Layers; layer++)
        {
            Hand(x, layer, wanted, states);
            bool keeps = layer == 0 || wanted.Contains(layer);
            Arena.Mark scope = c.Scope();
            Tensor y = _layers[layer].Step(c, x, angles, cache.Layer(layer), visible, probe, layer);
            x = c.Keep(scope, y, into: keeps ? null : x);
        }
        cache.Advance(x.Rows);
        Tensor last = c.RmsNorm(x, _norm, Shape.RmsNormEps);
        Hand(last, Shape.Layers, wanted, states);
        return last;
    }

    private static void Hand(Tensor x, int number, ReadOnlySpan<int> wanted, Span<Tensor> states)
    {
        for (int i = 0; i < wanted.Length; i++)
            if (wanted[i] == number)
                states[i] = x;
    }
}

/// <summary>One layer of a <see cref="DecoderStack"/>; its property names are the checkpoint's.</summary>
public sealed class DecoderLayer
{
    private readonly DecoderShape _shape;
    private readonly Tensor _inputNorm, _postAttentionNorm;

    internal DecoderLayer(DecoderShape shape, Weights weights)
    {
        _shape = shape;
        int d = shape.HiddenSize, q = shape.Heads * shape.HeadDim, kv = shape.KvHeads * shape.HeadDim;
        _inputNorm = weights.Get("input_layernorm.weight", d);
        _postAttentionNorm = weights.Get("post_attention_layernorm.weight", d);
        QProj = new LinearLayer(weights.Under("self_attn.q_proj"), q, d, shape.AttentionBias);
        KProj = new LinearLayer(weights.Under("self_attn.k_proj"), kv, d, shape.AttentionBias);
        VProj = new LinearLayer(weights.Under("self_attn.v_proj"), kv, d, shape.AttentionBias);
        OProj = new LinearLayer(weights.Under("self_attn.o_proj"), d, q, bias: false);
        GateProj = new LinearLayer(weights.Under("mlp.gate_proj"), shape.IntermediateSize, d, bias: false);
        UpProj = new LinearLayer(weights.Under("mlp.up_proj"), shape.IntermediateSize, d, bias: false);
        DownProj = new LinearLayer(weights.Under("mlp.down_proj"), d, shape.IntermediateSize, bias: false);
    }

    /// <summary>Queries.</summary>
    public LinearLayer QProj { get; }

    /// <summary>Keys.</summary>
    public LinearLayer KProj { get; }

    /// <summary>Values.</summary>
    public LinearLayer VProj { get; }

    /// <summary>Output of the attention.</summary>
    public LinearLayer OProj { get; }

    /// <summary>Gate of the gated unit.</summary>
    public LinearLayer GateProj { get; }

    /// <summary>Value of the gated unit.</summary>
    public LinearLayer UpProj { get; }

    /// <summary>Output of the gated unit.</summary>
    public LinearLayer DownProj { get; }

    internal Tensor Forward(Compute c, Tensor x, RotaryAngles angles, in AttentionShape attention, KvCache.LayerCache? cache, float dropout)
    {
        (Tensor q, Tensor k, Tensor v) = Project(c, x, angles);
        cache?.Append(k, v);
        Tensor attended = _shape.SlidingWindow is { } window && attention.Segments.MaxLength > window
            ? throw new OmniFusionException($"an input of {attention.Segments.MaxLength} positions is longer than the model's sliding window of {window}, which is not supported.")
            : c.Attention(q, k, v, attention);
        x = c.Add(x, c.Dropout(OProj.Forward(c, attended), dropout));
        return c.Add(x, c.Dropout(FeedForward(c, x), dropout));
    }

    internal Tensor Step(
        Compute c, Tensor x, RotaryAngles angles, KvCache.LayerCache cache, CacheRows visible, AttentionProbe? probe, int number)
    {
        (Tensor q, Tensor k, Tensor v) = Project(c, x, angles);
        cache.Append(k, v);
        probe?.Look(number, q, cache.Keys, visible);
        Tensor attended = c.CachedAttention(q, cache.Keys, cache.Values, visible, _shape.Heads, _shape.KvHeads, 1 / MathF.Sqrt(_shape.HeadDim));
        x = c.Add(x, OProj.Forward(c, attended));
        return c.Add(x, FeedForward(c, x));
    }

    private (Tensor Q, Tensor K, Tensor V) Project(Compute c, Tensor x, RotaryAngles angles)
    {
        Tensor normed = c.RmsNorm(x, _inputNorm, _shape.RmsNormEps);
        Tensor q = c.Rotary(QProj.Forward(c, normed), angles.Cos, angles.Sin, _shape.Heads);
        Tensor k = c.Rotary(KProj.Forward(c, normed), angles.Cos, angles.Sin, _shape.KvHeads);
        return (q, k, VProj.Forward(c, normed));
    }

    private Tensor FeedForward(Compute c, Tensor x)
    {
        Tensor normed = c.RmsNorm(x, _postAttentionNorm, _shape.RmsNormEps);
        return DownProj.Forward(c, c.SwiGlu(GateProj.Forward(c, normed), UpProj.Forward(c, normed)));
    }
}
