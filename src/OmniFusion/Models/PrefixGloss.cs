using System.Numerics.Tensors;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Models;

/// <summary>
/// The gloss of a prefix: what its states say of speech and images, in the translator's own words, to stand behind them. Each state is scored
/// with the translator's output matrix; of what is heard and seen one state is left for each token, as CTC reads (repetitions and blanks go;
/// Gaido et al. 2021, arXiv 2102.01578); and for each of these the translator gets the expected embedding, Σ p(token)·embedding, of a
/// distribution without the blank (the weighted embedding of Dalmia et al. 2022, arXiv 2206.03318). So it reads a transcript that nobody had to
/// write, doubts included, and the gradient of a translation passes through. Not part of the published system; it has no weights of its own, but
/// needs a fusion that has been trained to be read (<c>prefix_weight</c> in a recipe).
/// </summary>
public sealed class PrefixGloss
{
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
    /// <param name="prefix">One state for each of the thinker's tokens.</param>
    /// <param name="layout">These tokens.</param>
    public FusedPrefix Append(Compute c, FusedPrefix prefix, ThinkerBatch layout)
    {
        // Which states are left is a choice, which has no gradient.
        Said[] said = c.Unrecorded(() => Read(c, prefix.States));
        int[] left =
        [
            .. from item in Enumerable.Range(0, layout.Segments.Count)
               from stretch in layout.Media(item)
               from row in Left(said.AsSpan(stretch.Start, stretch.Length))
               select stretch.Start + row,
        ];
        List<int> ids = [], fromPrefix = [], fromWords = [];
        int[] lengths = new int[prefix.Segments.Count];
        int[][] glosses = new int[lengths.Length][];
        for (int item = 0, word = 0; item < lengths.Length; item++)
        {
            int before = ids.Count, end = prefix.Segments.Start(item + 1);
            for (int row = prefix.Segments.Start(item); row < end; row++)
                Put(prefix.Ids[row], row, -1);
            int states = ids.Count;
            for (; word < left.Length && left[word] < end; word++)
                Put(said[left[word]].Token, -1, word);
            lengths[item] = ids.Count - before;
            glosses[item] = [.. ids[states..]];
        }
        Tensor words = Words(c, c.Gather(prefix.States, left));
        return new FusedPrefix(c.Interleave(prefix.States, fromPrefix.ToArray(), words, fromWords.ToArray()), new Segments(lengths),
            [.. ids], prefix.Gates) { Glosses = glosses };

        void Put(int id, int row, int word)
        {
            ids.Add(id);
            fromPrefix.Add(row);
            fromWords.Add(word);
        }
    }

    /// <summary>The token that fits each state best.</summary>
    internal Said[] Read(Compute c, Tensor states)
    {
        Arena.Mark scope = c.Scope();
        Tensor p = c.Softmax(Scores(c, states));
        Said[] said = new Said[p.Rows];
        for (int row = 0; row < said.Length; row++)
        {
            int best = TensorPrimitives.IndexOfMax<float>(p.Row(row));
            said[row] = new Said(best, p.Row(row)[best]);
        }
        c.Arena.Release(scope);
        return said;
    }

    /// <summary>The rows that CTC leaves of one stretch of audio or one image: the surest of each run of a token, of the blank none.</summary>
    internal List<int> Left(ReadOnlySpan<Said> said)
    {
        List<int> left = [];
        int token = _blank;
        for (int row = 0; row < said.Length; row++)
        {
            if (Says(said[row]) && said[row].Token != token)
                left.Add(row);
            else if (Says(said[row]) && said[row].Certainty > said[left[^1]].Certainty)
                left[^1] = row;
            token = said[row].Token;
        }
        return left;
    }

    /// <summary>Whether a state says anything.</summary>
    internal bool Says(Said said) => said.Token != _blank;

    /// <summary>Expected embeddings of what states say [rows, D].</summary>
    internal Tensor Words(Compute c, Tensor states)
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
