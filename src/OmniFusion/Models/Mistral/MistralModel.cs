using OmniFusion.Checkpoints;
using OmniFusion.Generation;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Mistral;

/// <summary>
/// The translation model: a Mistral decoder (arXiv 2310.06825; Seed-X-PPO in the published system). Its input is a fused prefix followed by
/// the embeddings of the tower text. Keys: <c>model.…</c>, <c>lm_head.weight</c>.
/// </summary>
public sealed class MistralModel : ICausalModel
{
    private readonly Tensor _embedTokens, _lmHead;
    private readonly RotaryTable _rotary;

    /// <summary>Takes the weights.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The checkpoint, with its adapter where there is one.</param>
    /// <param name="addedTokens">
    /// Tokens that the tokenizer has beyond the checkpoint's vocabulary: each gets a row in the embedding and in the output, the mean of the
    /// old rows, as the published code does for <c>&lt;pad&gt;</c>.
    /// </param>
    public MistralModel(MistralConfig config, Weights weights, int addedTokens = 0)
    {
        Tensor embed = Table(weights, "model.embed_tokens.weight", config);
        int missing = Math.Max(0, config.VocabSize + addedTokens - embed.Rows);
        _embedTokens = WithMeanRows(embed, missing);
        Decoder = new DecoderStack(DecoderShape.Of(config, attentionBias: false, config.SlidingWindow), weights.Under("model"));
        if (config.TieWordEmbeddings)
        {
            _lmHead = _embedTokens;
        }
        else
        {
            Tensor head = Table(weights, "lm_head.weight", config);
            _lmHead = WithMeanRows(head, Math.Max(0, config.VocabSize + addedTokens - head.Rows));
        }
        _rotary = new RotaryTable(config.HeadDim, config.RopeTheta);
    }

    /// <summary>The layers.</summary>
    public DecoderStack Decoder { get; }

    /// <summary>Length of a hidden state.</summary>
    public int HiddenSize => Decoder.Shape.HiddenSize;

    /// <summary>Number of tokens, the added ones among them.</summary>
    public int VocabularySize => _lmHead.Rows;

    /// <summary>Embeddings of tokens.</summary>
    public Tensor EmbedTokens(Compute c, ReadOnlyMemory<int> ids) => c.Embedding(ids, _embedTokens);

    /// <summary>The embedding that distributions over all tokens make one expect: [rows, vocabulary] to [rows, D].</summary>
    public Tensor Expect(Compute c, Tensor probabilities) => c.Mix(probabilities, _embedTokens);

    /// <summary>Rotary angles of rows.</summary>
    public RotaryAngles Angles(Compute c, Positions positions) => _rotary.At(c, positions);

    /// <summary>Runs whole sequences, packed, each from position 0, to their last hidden states [rows, D].</summary>
    public Tensor Forward(Compute c, Tensor embeddings, Segments segments, KvCache? cache = null) =>
        Decoder.Forward(c, embeddings, Angles(c, Positions.Of(segments)), segments, cache, Decoder.Shape.Layers)[0];

    /// <summary>Scores of the next token: [rows, D] to [rows, vocabulary].</summary>
    public Tensor Logits(Compute c, Tensor last) => c.Linear(last, _lmHead);

    // An adapter may bring a table that has the added rows already, a checkpoint may not; a new model gets one of the configured size.
    private static Tensor Table(Weights weights, string name, MistralConfig config)
    {
        weights.CheckStored(name, config.VocabSize, config.HiddenSize);
        // Rows of a table are looked up, not multiplied: an update beside it would be left out without a word.
        if (weights.LowRank(name) is not null)
            throw new OmniFusionException($"The adapter updates '{name}', which can be merged but not trained beside the model.");
        return weights.Find(name, -1, config.HiddenSize) ?? weights.Get(name, config.VocabSize, config.HiddenSize);
    }

    // Stays in the stored type, so that a large table is copied once and not widened.
    private static Tensor WithMeanRows(Tensor table, int added)
    {
        if (added == 0)
            return table;
        double[] sums = new double[table.Columns];
        Tensor row = Tensor.Zeros(new Shape(1, table.Columns));
        Compute c = new(new CpuKernels(1));
        for (int i = 0; i < table.Rows; i++)
        {
            c.Arena.Reset();
            Span<float> values = c.Embedding(new[] { i }, table).Span;
            for (int d = 0; d < sums.Length; d++)
                sums[d] += values[d];
        }
        for (int d = 0; d < sums.Length; d++)
            row.Span[d] = (float)(sums[d] / table.Rows);
        return table.AppendRows(row, added);
    }
}
