using System.Numerics.Tensors;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Models;

/// <summary>
/// The gloss of a prefix: what its states say of speech and images, in the translator's own words, to stand behind them. Each state is scored
/// with the translator's output matrix; of what is heard and seen one state is left for each token, as CTC reads (repetitions and blanks go;
/// Gaido et al. 2021, arXiv 2102.01578). For each of these, of speech the translator gets the expected embedding, Σ p(token)·embedding, of a
/// distribution without the blank (the weighted embedding of Dalmia et al. 2022, arXiv 2206.03318): it reads a transcript that nobody had to
/// write, doubts included, and the gradient of a translation passes through. Of an image it gets the embedding of the surest token: doubts
/// about a name are doubts between whole names, and the mean of their pieces names nothing. Not part of the published system; it has no weights
/// of its own, but needs a fusion that has been trained to be read (<c>prefix_weight</c> in a recipe).
/// </summary>
public sealed class PrefixGloss
{
    // Rows of scores that exist at once: a large vocabulary makes them far larger than the states they come from.
    private const int RowsAtOnce = 128;

    private readonly MistralModel _translator;
    private readonly int _blank;
    private readonly Tensor _unit;

    /// <summary>Reads with a translator's tables.</summary>
    /// <param name="translator">Whose words they are.</param>
    /// <param name="blank">A token that nobody says: the blank of CTC. The end token serves.</param>
    public PrefixGloss(MistralModel translator, int blank)
    {
        (_translator, _blank) = (translator, blank);
        _unit = Tensor.From([.. Enumerable.Repeat(1f, translator.HiddenSize)], new Shape(translator.HiddenSize));
    }

    /// <summary>Length of a gloss's rows.</summary>
    internal int Columns => _translator.HiddenSize;

    /// <summary>How well each token fits states of a prefix, whatever their length: [rows, D] to [rows, vocabulary].</summary>
    public Tensor Scores(Compute c, Tensor states) =>
        _translator.Logits(c, c.RmsNorm(states, _unit, _translator.Decoder.Shape.RmsNormEps));

    /// <summary>
    /// Puts behind each item of a prefix the gloss of its images and its speech, in the order in which they stand there; of speech that is
    /// transcribed none.
    /// </summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="prefix">What a fusion made.</param>
    /// <param name="layout">Of these tokens.</param>
    public FusedPrefix Append(Compute c, FusedPrefix prefix, ThinkerBatch layout)
    {
        (int Item, MediaStretch Rows)[] stretches =
        [
            .. from item in Enumerable.Range(0, layout.Segments.Count)
               from media in layout.MediaOf(item)
               where !(media.IsAudio && layout.Transcribed[item])
               select (item, FusedPrefix.RowsOf(prefix.Tokens, media)),
        ];
        // Which states are left is a choice, which has no gradient.
        Said[] said = c.Unrecorded(() => Read(
            c, prefix.States, [.. stretches.SelectMany(stretch => Enumerable.Range(stretch.Rows.Start, stretch.Rows.Length))]));
        List<int> heard = [], seen = [], ids = [], tokens = [], fromPrefix = [], fromWords = [], fromHeard = [], fromSeen = [];
        int[] lengths = new int[prefix.Segments.Count];
        int[][] glosses = new int[lengths.Length][];
        for (int item = 0, stretch = 0, read = 0; item < lengths.Length; item++)
        {
            int before = ids.Count;
            for (int row = prefix.Segments.Start(item); row < prefix.Segments.Start(item + 1); row++)
                Put(prefix.Ids[row], row, row, -1);
            int states = ids.Count;
            for (; stretch < stretches.Length && stretches[stretch].Item == item; stretch++)
            {
                (int start, int length) = (stretches[stretch].Rows.Start, stretches[stretch].Rows.Length);
                foreach (int row in Left(said.AsSpan(read, length)))
                {
                    int token = said[read + row].Token;
                    Put(token, start + row, -1, fromHeard.Count);
                    bool isHeard = stretches[stretch].Rows.IsAudio;
                    fromHeard.Add(isHeard ? heard.Count : -1);
                    fromSeen.Add(isHeard ? -1 : seen.Count);
                    if (isHeard)
                        heard.Add(start + row);
                    else
                        seen.Add(token);
                }
                read += length;
            }
            lengths[item] = ids.Count - before;
            glosses[item] = [.. ids[states..]];
        }
        Tensor words = c.Interleave(
            Words(c, c.Gather(prefix.States, heard.ToArray())), fromHeard.ToArray(), Names(c, seen.ToArray()), fromSeen.ToArray());
        return new FusedPrefix(c.Interleave(prefix.States, fromPrefix.ToArray(), words, fromWords.ToArray()), new Segments(lengths),
            [.. ids], [.. tokens], prefix.Gates) { Glosses = glosses };

        void Put(int id, int tells, int row, int word)
        {
            ids.Add(id);
            tokens.Add(prefix.Tokens[tells]);
            fromPrefix.Add(row);
            fromWords.Add(word);
        }
    }

    /// <summary>The token that fits each of some states best.</summary>
    internal Said[] Read(Compute c, Tensor states, ReadOnlySpan<int> rows)
    {
        Said[] said = new Said[rows.Length];
        for (int first = 0; first < said.Length; first += RowsAtOnce)
        {
            Arena.Mark scope = c.Scope();
            Tensor p = c.Softmax(Scores(c, c.Gather(states, rows[first..Math.Min(first + RowsAtOnce, said.Length)].ToArray())));
            for (int row = 0; row < p.Rows; row++)
            {
                int best = TensorPrimitives.IndexOfMax<float>(p.Row(row));
                said[first + row] = new Said(best, p.Row(row)[best]);
            }
            c.Arena.Release(scope);
        }
        return said;
    }

    /// <summary>The rows that CTC leaves of one stretch of audio or one image: the surest of each run of a token, of the blank none.</summary>
    internal List<int> Left(ReadOnlySpan<Said> said)
    {
        int[] tokens = new int[said.Length];
        for (int row = 0; row < tokens.Length; row++)
            tokens[row] = said[row].Token;
        List<int> left = [];
        foreach (CtcPath.Run run in CtcPath.Runs(tokens, _blank))
        {
            int surest = run.First;
            for (int row = run.First + 1; row < run.First + run.Length; row++)
                if (said[row].Certainty > said[surest].Certainty)
                    surest = row;
            left.Add(surest);
        }
        return left;
    }

    /// <summary>Whether a state says anything.</summary>
    internal bool Says(Said said) => said.Token != _blank;

    /// <summary>What a state says that is not read.</summary>
    internal Said Nothing => new(_blank, 0);

    /// <summary>Expected embeddings of what states say [rows, D].</summary>
    internal Tensor Words(Compute c, Tensor states)
    {
        // A tape keeps all scores anyway.
        if (c.Tape is not null || states.Rows <= RowsAtOnce)
            return Expected(c, states);
        Tensor words = c.Rent(new Shape(states.Rows, Columns));
        foreach (int[] rows in Enumerable.Range(0, states.Rows).Chunk(RowsAtOnce))
        {
            Arena.Mark scope = c.Scope();
            Expected(c, c.Gather(states, rows)).Span.CopyTo(words.Span[(rows[0] * Columns)..]);
            c.Arena.Release(scope);
        }
        return words;
    }

    /// <summary>Embeddings of what is seen [tokens, D].</summary>
    internal Tensor Names(Compute c, ReadOnlyMemory<int> tokens) => _translator.EmbedTokens(c, tokens);

    private Tensor Expected(Compute c, Tensor states)
    {
        Tensor scores = Scores(c, states);
        for (int row = 0; row < scores.Rows; row++)
            scores.Row(row)[_blank] = float.NegativeInfinity;
        return _translator.Expect(c, c.Softmax(scores));
    }

    /// <summary>What a state says.</summary>
    /// <param name="Token">The token that fits best, or the blank.</param>
    /// <param name="Certainty">Its probability.</param>
    internal readonly record struct Said(int Token, float Certainty);
}
