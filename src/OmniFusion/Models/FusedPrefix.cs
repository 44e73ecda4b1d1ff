using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>
/// What the thinker's side makes of a batch: the seam between the two models. The tensors live in the <see cref="Compute"/> that made them,
/// until its arena is taken back. A search does that with its own: a prefix that is to serve several searches is made with another one.
/// </summary>
/// <param name="States">The projected states of each item, and the rows of its gloss behind them, packed [rows, D of the translator].</param>
/// <param name="Segments">Rows of each item.</param>
/// <param name="Ids">The id of each row's token, and for a row of a gloss that of the translator, packed; the n-gram ban looks at them.</param>
/// <param name="Tokens">
/// For each row the thinker's token that it tells of, counted over the batch: the last where it tells of several, for a row of a gloss that of
/// the state that says it. But for the gloss they do not fall.
/// </param>
/// <param name="Gates">How much each hidden state counts [thinker tokens or 1, selected], or null where the fusion layer has no gates.</param>
public sealed record FusedPrefix(Tensor States, Segments Segments, int[] Ids, int[] Tokens, Tensor? Gates)
{
    /// <summary>The translator's tokens that the gloss of each item says; null without a gloss.</summary>
    public IReadOnlyList<int[]>? Glosses { get; init; }

    /// <summary>The ids of one item.</summary>
    public ReadOnlySpan<int> IdsOf(int item) => Ids.AsSpan(Segments.Start(item), Segments.Length(item));

    /// <summary>One state for each token of a batch, as it is.</summary>
    internal static FusedPrefix Of(Tensor states, ThinkerBatch batch) =>
        new(states, batch.Segments, batch.Ids, [.. Enumerable.Range(0, batch.Ids.Length)], Gates: null);

    /// <summary>The first row, of those without a gloss, that tells of a token or of one behind it.</summary>
    internal static int RowOf(ReadOnlySpan<int> tokens, int token)
    {
        int low = 0, high = tokens.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = tokens[middle] < token ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    /// <summary>The rows, of those without a gloss, that tell of images or a sound.</summary>
    internal static MediaStretch RowsOf(ReadOnlySpan<int> tokens, MediaStretch media)
    {
        int start = RowOf(tokens, media.Start);
        return media with { Start = start, Length = RowOf(tokens, media.End) - start };
    }

    /// <summary>The items, and behind them some of them once more.</summary>
    internal FusedPrefix With(Compute c, IReadOnlyList<int> again)
    {
        if (again.Count == 0)
            return this;
        int[] items = [.. Enumerable.Range(0, Segments.Count), .. again];
        int[] rows = [.. items.SelectMany(item => Enumerable.Range(Segments.Start(item), Segments.Length(item)))];
        return new FusedPrefix(c.Gather(States, rows), new Segments([.. items.Select(Segments.Length)]),
            Array.ConvertAll(rows, row => Ids[row]), Array.ConvertAll(rows, row => Tokens[row]), Gates);
    }

    /// <summary>One item in memory of its own.</summary>
    /// <param name="item">Its number.</param>
    /// <param name="firstToken">Its first token, from which its tokens are counted then.</param>
    internal FusedPrefix Own(int item, int firstToken)
    {
        int start = Segments.Start(item), count = Segments.Length(item);
        return new FusedPrefix(
            Tensor.From(States.Span.Slice(start * States.Columns, count * States.Columns), new Shape(count, States.Columns)), new Segments(count),
            IdsOf(item).ToArray(), Array.ConvertAll(Tokens[start..(start + count)], token => token - firstToken), Gates: null);
    }

    /// <summary>Items that were kept one by one, as a batch.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="items">The items (<see cref="Own"/>).</param>
    /// <param name="tokens">The tokens of each in the batch.</param>
    internal static FusedPrefix Pack(Compute c, IReadOnlyList<FusedPrefix> items, Segments tokens)
    {
        Segments rows = new([.. items.Select(item => item.States.Rows)]);
        Tensor states = c.Rent(new Shape(rows.Rows, items[0].States.Columns));
        for (int i = 0; i < items.Count; i++)
            items[i].States.Span.CopyTo(states.Span[(rows.Start(i) * states.Columns)..]);
        return new FusedPrefix(states, rows, [.. items.SelectMany(item => item.Ids)],
            [.. items.SelectMany((item, i) => item.Tokens.Select(token => tokens.Start(i) + token))], Gates: null);
    }
}
