using OmniFusion.Models;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>
/// Reads a prefix with the translator's own output matrix, as if the translator had written it: a short way for the gradient to the projection,
/// which otherwise hears only through all of the translator what its states are to tell.
/// </summary>
internal sealed class PrefixReader
{
    private const float Epsilon = 1e-6f;

    private readonly Tokenizer _tokenizer;
    private readonly MistralModel _translator;
    private readonly int _blank;
    private readonly Tensor _unit;

    /// <param name="tokenizer">The translator's; its end token, which nobody says, is the blank.</param>
    /// <param name="translator">Whose matrix is used.</param>
    internal PrefixReader(Tokenizer tokenizer, MistralModel translator)
    {
        (_tokenizer, _translator, _blank) = (tokenizer, translator, TextPairs.EndOf(tokenizer));
        _unit = Tensor.Zeros(new Shape(translator.HiddenSize));
        _unit.Span.Fill(1);
    }

    /// <summary>Loss of what is said, by CTC, plus that of what is seen, from the mean of an image's states; null where there is neither.</summary>
    internal Tensor? Loss(Compute c, FusedPrefix prefix, ThinkerBatch layout, Example[] batch, IDictionary<string, double> report)
    {
        Tensor? said = Said(c, prefix, layout, batch), seen = Seen(c, prefix, layout, batch);
        foreach ((string name, Tensor? loss) in new[] { ("said", said), ("seen", seen) })
            if (loss is not null)
            {
                report.Tally($"#{name}_loss", loss.Span[0]);
                report.Tally($"#{name}_steps", 1);
            }
        return said is null ? seen : seen is null ? said : c.Add(said, seen);
    }

    private Tensor? Said(Compute c, FusedPrefix prefix, ThinkerBatch layout, Example[] batch)
    {
        int[][] rows = RowsOf(layout, layout.AudioRows);
        int[] spoken = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i].Mel is not null)];
        return spoken.Length == 0 ? null : c.Ctc(
            Scores(c, c.Gather(prefix.States, spoken.SelectMany(i => rows[i]).ToArray())),
            new Segments([.. spoken.Select(i => rows[i].Length)]),
            [.. spoken.Select(i => _tokenizer.Encode(batch[i].Answer, addSpecialTokens: false))], _blank);
    }

    private Tensor? Seen(Compute c, FusedPrefix prefix, ThinkerBatch layout, Example[] batch)
    {
        int[][] rows = RowsOf(layout, layout.ImageRows);
        int[] known = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i].Seen is not null)];
        if (known.Length == 0)
            return null;
        // All pictures of a book are of one size.
        int each = rows[known[0]].Length;
        Tensor means = c.MeanPool(c.Gather(prefix.States, known.SelectMany(i => rows[i]).ToArray()),
            new Segments([.. known.Select(_ => each)]), each, out _);
        // Every token of the names is to be found in the one mean.
        (int Row, int Token)[] wanted = [.. known.SelectMany((i, row) =>
            _tokenizer.Encode(batch[i].Seen!, addSpecialTokens: false).Select(token => (row, token)))];
        return c.CrossEntropy(Scores(c, c.Gather(means, wanted.Select(item => item.Row).ToArray())), wanted.Select(item => item.Token).ToArray());
    }

    private Tensor Scores(Compute c, Tensor states) => _translator.Logits(c, c.RmsNorm(states, _unit, Epsilon));

    // The rows of each item that hold audio, or an image.
    private static int[][] RowsOf(ThinkerBatch layout, int[] places) =>
    [
        .. Enumerable.Range(0, layout.Segments.Count).Select(item => (int[])
            [.. Enumerable.Range(layout.Segments.Start(item), layout.Segments.Length(item)).Where(row => places[row] >= 0)]),
    ];
}
