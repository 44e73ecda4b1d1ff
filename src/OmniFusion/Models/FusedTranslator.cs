using OmniFusion.Models.Fusion;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>
/// The published computation (arXiv 2512.00234) from prepared inputs to scores of the first token, in two halves that streaming and
/// training use one by one: <see cref="Encode(Compute, IReadOnlyList{ThinkerInput})"/> and <see cref="Start"/>.
/// </summary>
/// <param name="thinker">Listens and looks; its hidden states are used.</param>
/// <param name="fusion">Makes the rows of a prefix out of its states.</param>
/// <param name="projection">Brings them into the translator's space.</param>
/// <param name="translator">Writes behind the fused states.</param>
/// <param name="gloss">Says behind the fused states what they say, or null: the published system.</param>
/// <exception cref="OmniFusionException">The fusion asks for a hidden state that the thinker does not have.</exception>
public sealed class FusedTranslator(
    Thinker thinker, FusionLayer fusion, Projection projection, MistralModel translator, PrefixGloss? gloss = null)
{
    private readonly int[] _layers = Existing(thinker, fusion);

    /// <summary>Listens and looks.</summary>
    public Thinker Thinker => thinker;

    /// <summary>Numbers of the thinker's hidden states that are fused (0 = embeddings, L = after the final norm).</summary>
    public IReadOnlyList<int> Layers => _layers;

    /// <summary>Makes the rows of a prefix out of the thinker's states.</summary>
    public FusionLayer Fusion => fusion;

    /// <summary>From the thinker's space to the translator's.</summary>
    public Projection Projection => projection;

    /// <summary>Writes.</summary>
    public MistralModel Translator => translator;

    /// <summary>Says behind the fused states what they say; null: nothing does.</summary>
    public PrefixGloss? Gloss => gloss;

    /// <summary>Runs the thinker once over a batch, and makes the translator's prefix of its hidden states.</summary>
    public FusedPrefix Encode(Compute c, IReadOnlyList<ThinkerInput> inputs)
    {
        ThinkerBatch batch = thinker.Prepare(inputs);
        return Encode(c, thinker.Forward(c, inputs, batch, cache: null, _layers), batch);
    }

    /// <summary>Makes the prefix of hidden states, those of <see cref="FusionLayer.Selected"/> in that order.</summary>
    public FusedPrefix Encode(Compute c, ReadOnlySpan<Tensor> hiddenStates, ThinkerBatch batch) =>
        Glossed(c, Fuse(c, hiddenStates, batch), batch);

    /// <summary>Fuses and projects hidden states, without a gloss.</summary>
    public FusedPrefix Fuse(Compute c, ReadOnlySpan<Tensor> hiddenStates, ThinkerBatch batch)
    {
        FusedRows rows = Fuse(c, hiddenStates, batch.Media, out Tensor? gates);
        int[] starts = [.. Enumerable.Range(0, batch.Segments.Count + 1).Select(item => FusedPrefix.RowOf(rows.Tokens, batch.Segments.Start(item)))];
        return new FusedPrefix(rows.States, new Segments([.. starts.Zip(starts.Skip(1), (start, end) => end - start)]),
            Array.ConvertAll(rows.Tokens, token => batch.Ids[token]), rows.Tokens, gates);
    }

    /// <summary>The same of tokens whose layout the caller knows.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="hiddenStates">Those of <see cref="Layers"/> [tokens, D of the thinker].</param>
    /// <param name="media">Which of these tokens are images and speech.</param>
    /// <param name="gates">As in <see cref="FusedPrefix.Gates"/>.</param>
    internal FusedRows Fuse(Compute c, ReadOnlySpan<Tensor> hiddenStates, IReadOnlyList<MediaStretch> media, out Tensor? gates)
    {
        FusedStates fused = fusion.Forward(c, hiddenStates);
        gates = fused.Gates;
        FusedRows rows = fusion.Rows(c, fused.States, media);
        return rows with { States = projection.Forward(c, rows.States) };
    }

    /// <summary>Most rows of a prefix of so many tokens: a gloss has at most one more for each row.</summary>
    public int MostRows(int tokens) => (gloss is null ? 1 : 2) * fusion.MostRows(tokens);

    /// <summary>The prefix with its gloss, where the system has one.</summary>
    public FusedPrefix Glossed(Compute c, FusedPrefix prefix, ThinkerBatch batch) => gloss?.Append(c, prefix, batch) ?? prefix;

    /// <summary>
    /// The translator's input: for each item its fused prefix, then the embeddings of its text. Without a prefix, the texts alone.
    /// </summary>
    /// <returns>Embeddings [rows, D], packed, and the rows of each item.</returns>
    public (Tensor Embeddings, Segments Segments) Join(Compute c, FusedPrefix? prefix, IReadOnlyList<int[]> texts)
    {
        Tensor embedded = translator.EmbedTokens(c, texts.SelectMany(text => text).ToArray());
        Segments own = new([.. texts.Select(text => text.Length)]);
        if (prefix is null)
            return (embedded, own);
        if (prefix.Segments.Count != texts.Count)
            throw new ArgumentException($"{texts.Count} texts do not fit {prefix.Segments.Count} prefixes", nameof(texts));
        int[] fromPrefix = new int[prefix.Segments.Rows + own.Rows], fromText = new int[fromPrefix.Length];
        int[] lengths = new int[texts.Count];
        int at = 0;
        for (int item = 0; item < texts.Count; item++)
        {
            lengths[item] = prefix.Segments.Length(item) + own.Length(item);
            for (int i = 0; i < lengths[item]; i++, at++)
            {
                int inText = i - prefix.Segments.Length(item);
                fromPrefix[at] = inText < 0 ? prefix.Segments.Start(item) + i : -1;
                fromText[at] = inText < 0 ? -1 : own.Start(item) + inText;
            }
        }
        return (c.Interleave(prefix.States, fromPrefix, embedded, fromText), new Segments(lengths));
    }

    /// <summary>The translator reads prefixes and texts; what it has read is kept once for all beams.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="prefix">Fused states, or null: the translator by itself.</param>
    /// <param name="texts">The text (the "tower") of each item, at least one token.</param>
    public DecoderStart Start(Compute c, FusedPrefix? prefix, IReadOnlyList<int[]> texts)
    {
        (Tensor embeddings, Segments segments) = Join(c, prefix, texts);
        int[][] histories = [.. texts.Select((text, item) => prefix is null ? text : [.. prefix.IdsOf(item), .. text])];
        return DecoderStart.Of(c, translator, embeddings, segments, histories);
    }

    /// <summary>The thinker reads chats (with the generation prompt) to write its own text, as a recogniser does.</summary>
    public DecoderStart StartThinker(Compute c, IReadOnlyList<ThinkerInput> inputs) => StartThinker(c, inputs, [], out _);

    /// <summary>
    /// The same, and on the same pass the prefix, without a gloss, of the chats as they are without that prompt: the thinker sees no token
    /// before its time, so their hidden states are the same.
    /// </summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="inputs">Chats that end with the generation prompt.</param>
    /// <param name="prompt">Its length in tokens.</param>
    /// <returns>What writes, the prefix, and the tokens that it is made of.</returns>
    public (DecoderStart Start, FusedPrefix Prefix, ThinkerBatch Layout) StartThinker(Compute c, IReadOnlyList<ThinkerInput> inputs, int prompt)
    {
        DecoderStart start = StartThinker(c, inputs, _layers, out Tensor[] states);
        ThinkerBatch batch = thinker.Prepare([.. inputs.Select(input => input with { Ids = input.Ids[..^prompt] })]);
        int[] rows = [.. Enumerable.Range(0, batch.Segments.Count).SelectMany(
            item => Enumerable.Range(batch.Segments.Start(item) + item * prompt, batch.Segments.Length(item)))];
        return (start, Fuse(c, states.Select(state => c.Gather(state, rows)).ToArray(), batch), batch);
    }

    private DecoderStart StartThinker(Compute c, IReadOnlyList<ThinkerInput> inputs, ReadOnlySpan<int> wanted, out Tensor[] states)
    {
        ThinkerBatch batch = thinker.Prepare(inputs);
        return DecoderStart.Of(c, thinker, thinker.Embed(c, inputs, batch), batch, wanted, out states);
    }

    private static int[] Existing(Thinker thinker, FusionLayer fusion)
    {
        int[] layers = fusion.Selected(thinker.Layers);
        return layers.All(layer => layer <= thinker.Layers) ? layers : throw new OmniFusionException(
            $"The fusion takes the hidden states {string.Join(", ", layers)}, but the thinker's are numbered 0 to {thinker.Layers}.");
    }
}
