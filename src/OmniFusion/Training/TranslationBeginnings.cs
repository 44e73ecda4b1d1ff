using OmniFusion.Models.Mistral;
using OmniFusion.Simultaneous;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Training;

/// <summary>
/// How much of a translation can be written when only a beginning of its source is known: whole words, as long as a translator that reads no
/// more than the beginning finds each token about as probable as when it reads all.
/// </summary>
/// <param name="reader">The translator.</param>
/// <param name="tokenizer">Of the translations.</param>
internal sealed class TranslationBeginnings(MistralModel reader, Tokenizer tokenizer)
{
    // A token may be half as probable.
    private const float MostLost = 0.69f;

    private readonly WordCuts _cuts = new(tokenizer);

    /// <summary>The beginnings of some translations, each with the end token behind it.</summary>
    /// <param name="c">Where it is computed.</param>
    /// <param name="items">For each its source, the beginning of that, the language, and the tokens of the translation.</param>
    internal int[][] Of(Compute c, IReadOnlyList<(string Whole, string Begun, string Language, int[] Target)> items)
    {
        if (items.Count == 0)
            return [];
        Arena.Mark scope = c.Scope();
        float[] told = Losses(c, [.. items.Select(item => (item.Whole, item.Language, item.Target))]);
        float[] guessed = Losses(c, [.. items.Select(item => (item.Begun, item.Language, item.Target))]);
        c.Arena.Release(scope);
        int[][] result = new int[items.Count][];
        for (int item = 0, row = 0; item < items.Count; row += items[item].Target.Length, item++)
        {
            int[] target = items[item].Target;
            // The end token is never part of a beginning.
            int sure = Enumerable.Range(0, target.Length - 1).TakeWhile(i => guessed[row + i] - told[row + i] <= MostLost).Count();
            result[item] = [.. target[.._cuts.LastCut(target.AsSpan(0, target.Length - 1), 0, sure)], target[^1]];
        }
        return result;
    }

    private float[] Losses(Compute c, (string Sentence, string Language, int[] Target)[] items) => c.Unrecorded(() =>
    {
        Tensor logits = TextPairs.Logits(c, reader, [.. items.Select(item =>
            new TextPairs.Pair(TextPairs.Prompt(tokenizer, item.Sentence, item.Language), item.Target))], out int[] targets);
        c.CrossEntropy(logits, targets, 0, out Tensor losses);
        return losses.Span.ToArray();
    });
}
