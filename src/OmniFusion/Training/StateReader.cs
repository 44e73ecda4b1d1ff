using System.Numerics.Tensors;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Examples;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Training;

/// <summary>
/// Reads states that stand for audio and images as if a language model had written there: the words that are said, by CTC, and the names of
/// what is seen, in brackets, as a translator that only reads is told them (<see cref="TextPairs.Told(string)"/>), spread over the image's rows.
/// Makes the decoder's last states tell what a fusion will want to know, and a prefix resemble the text that the translator has learnt to
/// read; and is a short way for the gradient, which else comes through all of a decoder.
/// </summary>
/// <param name="tokenizer">Of the language model.</param>
/// <param name="blank">A token that nobody says: the blank of CTC.</param>
/// <param name="scores">The language model's scores of all tokens for some states.</param>
internal sealed class StateReader(Tokenizer tokenizer, int blank, Func<Compute, Tensor, Tensor> scores)
{
    // Rows of scores that exist at once where no gradient needs them.
    private const int RowsAtOnce = 128;

    /// <summary>The loss, or null where nothing is said and nothing known is seen.</summary>
    /// <param name="c">Where it is computed.</param>
    /// <param name="prefix">The states, without a gloss.</param>
    /// <param name="layout">The thinker's tokens, of which they are.</param>
    /// <param name="batch">What they are of.</param>
    /// <param name="report">Gets <c>said_loss</c> and <c>seen_loss</c>.</param>
    internal Tensor? Loss(Compute c, FusedPrefix prefix, ThinkerBatch layout, Example[] batch, IDictionary<string, double> report)
    {
        Tensor? said = Said(c, prefix, layout, batch), seen = Seen(c, prefix.States, RowsOf(prefix, layout.ImageRows), batch, report);
        if (said is not null)
            report.TallyLoss("said", said);
        return said is null ? seen : seen is null ? said : c.Add(said, seen);
    }

    private Tensor? Said(Compute c, FusedPrefix prefix, ThinkerBatch layout, Example[] batch)
    {
        int[][] rows = RowsOf(prefix, layout.AudioRows);
        int[] spoken = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i].Mel is not null)];
        return spoken.Length == 0 ? null : c.Ctc(
            scores(c, c.Gather(prefix.States, spoken.SelectMany(i => rows[i]).ToArray())),
            new Segments([.. spoken.Select(i => rows[i].Length)]), [.. spoken.Select(i => Tokens(batch[i].Answer))], blank);
    }

    /// <summary>The loss of names alone, or null where nothing known is seen.</summary>
    /// <param name="c">Where it is computed.</param>
    /// <param name="states">States of images, or of images and more [rows, D].</param>
    /// <param name="rows">The rows of each item's image.</param>
    /// <param name="batch">The items.</param>
    /// <param name="report">Gets <c>seen_loss</c>.</param>
    internal Tensor? Seen(Compute c, Tensor states, int[][] rows, Example[] batch, IDictionary<string, double> report)
    {
        int[] known = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i].Seen is not null)];
        if (known.Length == 0)
            return null;
        // The tokens are spread evenly over the rows: a picture has no order of its own that CTC would have to find.
        int[] labels = [.. known.SelectMany(i => TextPairs.Spread(Tokens(TextPairs.Told(batch[i].Seen!)), rows[i].Length))];
        Tensor loss = c.CrossEntropy(scores(c, c.Gather(states, known.SelectMany(i => rows[i]).ToArray())), labels);
        report.TallyLoss("seen", loss);
        return loss;
    }

    /// <summary>What the states of each item's audio say: the best token of each, repetitions and blanks removed.</summary>
    internal IEnumerable<string> Tell(Compute c, FusedPrefix prefix, ThinkerBatch layout) =>
        RowsOf(prefix, layout.AudioRows).Select(rows => tokenizer.Decode(
            [.. CtcPath.Runs([.. rows.Chunk(RowsAtOnce).SelectMany(some => Best(c, prefix.States, some))], blank).Select(run => run.Symbol)],
            skipSpecialTokens: true).Trim());

    private int[] Best(Compute c, Tensor states, int[] rows)
    {
        Arena.Mark scope = c.Scope();
        Tensor all = scores(c, c.Gather(states, rows));
        int[] best = [.. Enumerable.Range(0, rows.Length).Select(row => TensorPrimitives.IndexOfMax<float>(all.Row(row)))];
        c.Arena.Release(scope);
        return best;
    }

    /// <summary>The mean state of each picture; all pictures of a book are of one size.</summary>
    internal static Tensor Means(Compute c, Tensor states, int[][] rows) => c.MeanPool(
        c.Gather(states, rows.SelectMany(own => own).ToArray()), new Segments([.. rows.Select(own => own.Length)]), rows[0].Length, out _);

    private int[] Tokens(string text) => tokenizer.Encode(text, addSpecialTokens: false);

    // The rows of each item that hold audio, or an image.
    private static int[][] RowsOf(FusedPrefix prefix, int[] places) =>
    [
        .. Enumerable.Range(0, prefix.Segments.Count).Select(item => (int[])
            [.. Enumerable.Range(prefix.Segments.Start(item), prefix.Segments.Length(item)).Where(row => places[prefix.Tokens[row]] >= 0)]),
    ];
}
