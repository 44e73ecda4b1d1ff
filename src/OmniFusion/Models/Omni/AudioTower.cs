using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Omni;

/// <summary>
/// The audio encoder of Qwen2.5-Omni (arXiv 2503.20215): two convolutions over 2-second chunks of log-mel, transformer layers whose
/// attention stays inside a chunk, and a projection to 25 tokens a second. A finished chunk never changes. Keys: <c>audio_tower.…</c>.
/// </summary>
public sealed class AudioTower
{
    private const float LayerNormEps = 1e-5f;

    private readonly OmniAudioConfig _config;
    private readonly Tensor _conv1Weight, _conv1Bias, _conv2Weight, _conv2Bias, _lnPostWeight, _lnPostBias;
    private readonly EncoderLayer[] _layers;
    private readonly LinearLayer _proj;
    private readonly Tensor _positions;

    /// <summary>Takes the weights under <c>audio_tower</c>.</summary>
    public AudioTower(OmniAudioConfig config, Weights weights)
    {
        _config = config;
        int d = config.DModel;
        _conv1Weight = weights.Get("conv1.weight", d, config.NumMelBins, 3);
        _conv1Bias = weights.Get("conv1.bias", d);
        _conv2Weight = weights.Get("conv2.weight", d, d, 3);
        _conv2Bias = weights.Get("conv2.bias", d);
        _layers = [.. Enumerable.Range(0, config.EncoderLayers).Select(i => new EncoderLayer(config, weights.Under($"layers.{i}")))];
        _lnPostWeight = weights.Get("ln_post.weight", d);
        _lnPostBias = weights.Get("ln_post.bias", d);
        _proj = new LinearLayer(weights.Under("proj"), config.OutputDim, d, bias: true);
        // Part of the checkpoint, read by the published class, used by no computation of the thinker.
        weights.Find("audio_bos_eos_token.weight");
        _positions = Sinusoids(config.NWindow, d);
    }

    /// <summary>Dropout of what each block adds, while training.</summary>
    public float Dropout { get; set; }

    /// <summary>Log-mel frames in a chunk: 2 s.</summary>
    public int ChunkFrames => 2 * _config.NWindow;

    /// <summary>Audio tokens that the thinker sees for a number of log-mel frames.</summary>
    public static int TokenCount(int frames) => frames < 1 ? 0 : ((frames - 1) / 2 + 1) / 2;

    /// <summary>Length of a row of <see cref="AudioStates.Frames"/>.</summary>
    public int FrameSize => _config.DModel;

    /// <summary>Encodes log-mel spectrograms, packed.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="mel">[frames of all utterances, mel bins], 100 frames a second.</param>
    /// <param name="utterances">Frames of each utterance.</param>
    public AudioStates Forward(Compute c, Tensor mel, Segments utterances)
    {
        Tensor x = EncodeChunks(c, mel, Chunks(utterances));
        // From here on the chunks of an utterance are one again.
        Segments frames = Utterances(utterances);
        return new AudioStates(x, frames, Embed(c, x, frames, out Segments tokens), tokens);
    }

    /// <summary>Encodes chunks, which know nothing of each other, to 50 frames a second [frames, d_model].</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="mel">[log-mel frames of all chunks, mel bins].</param>
    /// <param name="chunks">Log-mel frames of each chunk: <see cref="ChunkFrames"/>, or fewer in the last of an utterance.</param>
    public Tensor EncodeChunks(Compute c, Tensor mel, Segments chunks)
    {
        Arena.Mark front = c.Scope();
        Tensor x = c.Gelu(c.Conv1d(mel, chunks, _conv1Weight, _conv1Bias, stride: 1, padding: 1, out Segments full));
        x = c.Gelu(c.Conv1d(x, full, _conv2Weight, _conv2Bias, stride: 2, padding: 1, out Segments halved));
        x = c.Keep(front, c.Dropout(c.Add(x, PositionsOf(c, halved)), Dropout));
        foreach (EncoderLayer layer in _layers)
        {
            Arena.Mark scope = c.Scope();
            x = c.Keep(scope, layer.Forward(c, x, halved, Dropout), into: x);
        }
        return x;
    }

    /// <summary>Makes audio tokens [tokens, output_dim] of the frames of whole utterances; an odd last frame is dropped.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="frames">What <see cref="EncodeChunks"/> gave.</param>
    /// <param name="utterances">Rows of each utterance.</param>
    /// <param name="tokens">Tokens of each utterance.</param>
    public Tensor Embed(Compute c, Tensor frames, Segments utterances, out Segments tokens)
    {
        Tensor pooled = c.MeanPool(frames, utterances, 2, out tokens);
        return _proj.Forward(c, c.LayerNorm(pooled, _lnPostWeight, _lnPostBias, LayerNormEps));
    }

    private Segments Chunks(Segments utterances)
    {
        List<int> lengths = [];
        for (int u = 0; u < utterances.Count; u++)
            for (int left = utterances.Length(u); left > 0; left -= ChunkFrames)
                lengths.Add(Math.Min(left, ChunkFrames));
        return new Segments(lengths.ToArray());
    }

    private static Segments Utterances(Segments utterances)
    {
        int[] lengths = new int[utterances.Count];
        for (int u = 0; u < lengths.Length; u++)
            lengths[u] = utterances.Length(u) < 1 ? 0 : (utterances.Length(u) - 1) / 2 + 1;
        return new Segments(lengths);
    }

    // Positions start again in each chunk.
    private Tensor PositionsOf(Compute c, Segments chunks)
    {
        Tensor rows = c.Rent(new Shape(chunks.Rows, _config.DModel));
        for (int chunk = 0; chunk < chunks.Count; chunk++)
            for (int i = 0; i < chunks.Length(chunk); i++)
                _positions.Row(i).CopyTo(rows.Row(chunks.Start(chunk) + i));
        return rows;
    }

    // As in Whisper: sines in the first half of the channels, cosines in the second.
    private static Tensor Sinusoids(int length, int channels)
    {
        Tensor table = Tensor.Zeros(new Shape(length, channels));
        int half = channels / 2;
        float step = MathF.Log(10000) / (half - 1);
        for (int t = 0; t < length; t++)
            for (int i = 0; i < half; i++)
                (table.Row(t)[i], table.Row(t)[half + i]) = MathF.SinCos(t * MathF.Exp(-step * i));
        return table;
    }

    private sealed class EncoderLayer
    {
        private readonly int _heads, _headDim;
        private readonly Tensor _attentionNormWeight, _attentionNormBias, _finalNormWeight, _finalNormBias;
        private readonly LinearLayer _qProj, _kProj, _vProj, _outProj, _fc1, _fc2;

        internal EncoderLayer(OmniAudioConfig config, Weights weights)
        {
            int d = config.DModel;
            _heads = config.EncoderAttentionHeads;
            _headDim = d / _heads;
            _attentionNormWeight = weights.Get("self_attn_layer_norm.weight", d);
            _attentionNormBias = weights.Get("self_attn_layer_norm.bias", d);
            _qProj = new LinearLayer(weights.Under("self_attn.q_proj"), d, d, bias: true);
            _kProj = new LinearLayer(weights.Under("self_attn.k_proj"), d, d, bias: false);
            _vProj = new LinearLayer(weights.Under("self_attn.v_proj"), d, d, bias: true);
            _outProj = new LinearLayer(weights.Under("self_attn.out_proj"), d, d, bias: true);
            _finalNormWeight = weights.Get("final_layer_norm.weight", d);
            _finalNormBias = weights.Get("final_layer_norm.bias", d);
            _fc1 = new LinearLayer(weights.Under("fc1"), config.EncoderFfnDim, d, bias: true);
            _fc2 = new LinearLayer(weights.Under("fc2"), d, config.EncoderFfnDim, bias: true);
        }

        internal Tensor Forward(Compute c, Tensor x, Segments chunks, float dropout)
        {
            Tensor normed = c.LayerNorm(x, _attentionNormWeight, _attentionNormBias, LayerNormEps);
            Tensor attended = c.Attention(_qProj.Forward(c, normed), _kProj.Forward(c, normed), _vProj.Forward(c, normed),
                new AttentionShape(chunks, _heads, _heads, Causal: false, Scale: 1 / MathF.Sqrt(_headDim)));
            x = c.Add(x, c.Dropout(_outProj.Forward(c, attended), dropout));
            normed = c.LayerNorm(x, _finalNormWeight, _finalNormBias, LayerNormEps);
            return c.Add(x, c.Dropout(_fc2.Forward(c, c.Gelu(_fc1.Forward(c, normed))), dropout));
        }
    }
}

/// <summary>What the audio tower makes of a packed batch.</summary>
/// <param name="Frames">Output of the last layer, 50 rows a second [rows, d_model]; the CTC head reads it.</param>
/// <param name="FrameSegments">Rows of each utterance in <paramref name="Frames"/>.</param>
/// <param name="Embeddings">Audio tokens for the thinker, 25 a second [tokens, output_dim].</param>
/// <param name="Tokens">Tokens of each utterance.</param>
public readonly record struct AudioStates(Tensor Frames, Segments FrameSegments, Tensor Embeddings, Segments Tokens);
