using OmniFusion.Tensors;

namespace OmniFusion.Generation;

/// <summary>
/// Scores given texts token by token (teacher forcing): what a model thinks of a translation that somebody else wrote. The prefix of an
/// item is read once, all texts of all items then run over its keys and values in a single pass.
/// </summary>
public static class ForcedDecoding
{
    // Rows of scores that exist at once: a large vocabulary makes them far larger than the states they come from.
    private const int RowsAtOnce = 128;

    /// <summary>Scores the candidates of every item.</summary>
    /// <param name="c">Where to compute; its arena is taken back.</param>
    /// <param name="session">The decoder behind its prefixes.</param>
    /// <param name="firstLogits">Scores of the first token of each item [items, vocabulary].</param>
    /// <param name="candidates">For each item, texts as token ids, each of at least one.</param>
    /// <returns>Natural logarithm of the probability of each token, by item and candidate.</returns>
    /// <exception cref="OmniFusionException">The model computes scores that are not numbers.</exception>
    public static float[][][] Run(
        Compute c, DecoderSession session, Tensor firstLogits, IReadOnlyList<IReadOnlyList<int[]>> candidates)
    {
        if (candidates.Count != session.Items)
            throw new ArgumentException($"candidates of {candidates.Count} items do not fit {session.Items} prefixes", nameof(candidates));
        float[] buffer = new float[session.VocabularySize];
        float[][][] scores = [.. candidates.Select(texts => texts.Select(ids => new float[ids.Length]).ToArray())];
        List<int[]> read = [];
        List<int> items = [], targets = [];
        List<(float[] Scores, int At)> places = [];
        for (int item = 0; item < scores.Length; item++)
        {
            ReadOnlySpan<float> first = firstLogits.Row(item);
            float sum = FiniteScores.LogSumExp(first, buffer);
            for (int text = 0; text < scores[item].Length; text++)
            {
                int[] ids = candidates[item][text];
                scores[item][text][0] = first[ids[0]] - sum;
                if (ids.Length == 1)
                    continue;
                read.Add(ids[..^1]);
                items.Add(item);
                for (int i = 1; i < ids.Length; i++)
                {
                    targets.Add(ids[i]);
                    places.Add((scores[item][text], i));
                }
            }
        }
        if (read.Count == 0)
            return scores;
        Tensor states = session.Read(c, read, items.ToArray());
        foreach (int[] rows in Enumerable.Range(0, states.Rows).Chunk(RowsAtOnce))
        {
            Arena.Mark scope = c.Scope();
            Tensor logits = session.Logits(c, c.Gather(states, rows));
            for (int i = 0; i < rows.Length; i++)
            {
                ReadOnlySpan<float> row = logits.Row(i);
                (float[] text, int at) = places[rows[i]];
                text[at] = row[targets[rows[i]]] - FiniteScores.LogSumExp(row, buffer);
            }
            c.Arena.Release(scope);
        }
        return scores;
    }
}
