using OmniFusion.Generation;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>A decoder that has read its prompts and is about to write.</summary>
/// <param name="Session">Writes behind the prompts.</param>
/// <param name="Logits">Scores of the first token of each item [items, vocabulary], valid until the session's first step.</param>
/// <param name="Histories">For each item all ids it has read, at which the n-gram ban looks.</param>
public sealed record DecoderStart(DecoderSession Session, Tensor Logits, IReadOnlyList<int[]> Histories)
{
    // Rows of the cache that generated tokens get at once; it grows when they are more.
    private const int FirstRows = 64;

    /// <summary>The translator reads embedded prompts.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="translator">The decoder.</param>
    /// <param name="embeddings">Prompts of all items, packed [rows, D].</param>
    /// <param name="segments">Rows of each item, at least one.</param>
    /// <param name="histories">For each item the ids that its embeddings stand for.</param>
    public static DecoderStart Of(
        Compute c, MistralModel translator, Tensor embeddings, Segments segments, IReadOnlyList<int[]> histories)
    {
        KvCache cache = new(translator.Decoder.Shape, segments.Rows + FirstRows);
        Tensor last = translator.Forward(c, embeddings, segments, cache);
        Tensor logits = translator.Logits(c, c.Gather(last, LastRows(segments)));
        int[] next = [.. Enumerable.Range(0, segments.Count).Select(segments.Length)];
        return new DecoderStart(new DecoderSession(translator, cache, segments, next, axes: 1), logits, histories);
    }

    /// <summary>The thinker reads embedded chats.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="thinker">The decoder.</param>
    /// <param name="embeddings">The chats as <see cref="Thinker"/> embeds them [rows, D].</param>
    /// <param name="batch">The layout of the chats.</param>
    /// <param name="wanted">Numbers of hidden states that somebody wants of the chats.</param>
    /// <param name="states">These states [rows, D], valid until the session's first step.</param>
    public static DecoderStart Of(
        Compute c, Thinker thinker, Tensor embeddings, ThinkerBatch batch, ReadOnlySpan<int> wanted, out Tensor[] states)
    {
        KvCache cache = new(thinker.Decoder.Shape, batch.Segments.Rows + FirstRows);
        states = thinker.Forward(c, embeddings, batch, cache, [.. wanted, thinker.Layers]);
        Tensor logits = thinker.Logits(c, c.Gather(states[^1], LastRows(batch.Segments)));
        states = states[..^1];
        int[][] histories = [.. Enumerable.Range(0, batch.Segments.Count)
            .Select(item => batch.Ids.AsSpan(batch.Segments.Start(item), batch.Segments.Length(item)).ToArray())];
        return new DecoderStart(new DecoderSession(thinker, cache, batch.Segments, batch.NextPositions, axes: 3), logits, histories);
    }

    /// <summary>Searches for the texts of all items.</summary>
    /// <param name="c">The same compute that read the prompts; its arena is taken back.</param>
    /// <param name="options">Beams, lengths and penalties.</param>
    /// <param name="cancellation">Checked at each step.</param>
    public Generated[] Search(Compute c, GenerationOptions options, CancellationToken cancellation = default) =>
        Generation.Search.Run(c, Session, Logits, Histories, options, cancellation);

    /// <summary>Scores given texts instead of searching for one; see <see cref="ForcedDecoding"/>.</summary>
    /// <param name="c">The same compute that read the prompts; its arena is taken back.</param>
    /// <param name="candidates">For each item, texts as token ids, each of at least one.</param>
    /// <returns>Natural logarithm of the probability of each token, by item and candidate.</returns>
    public float[][][] Score(Compute c, IReadOnlyList<IReadOnlyList<int[]>> candidates) =>
        ForcedDecoding.Run(c, Session, Logits, candidates);

    private static int[] LastRows(Segments segments) =>
        [.. Enumerable.Range(0, segments.Count).Select(item => segments.Start(item + 1) - 1)];
}
