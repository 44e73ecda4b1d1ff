using OmniFusion.Generation;
using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>A decoder that has read its prompts and is about to write.</summary>
/// <param name="Session">Writes behind the prompts.</param>
/// <param name="Logits">Scores of the first token of each item [items, vocabulary], valid until the session's first step.</param>
/// <param name="Histories">For each item all ids it has read, at which the n-gram ban looks.</param>
public sealed record DecoderStart(DecoderSession Session, Tensor Logits, IReadOnlyList<int[]> Histories)
{
    /// <summary>Searches for the texts of all items.</summary>
    /// <param name="c">The same compute that read the prompts; its arena is taken back.</param>
    /// <param name="options">Beams, lengths and penalties.</param>
    /// <param name="cancellation">Checked at each step.</param>
    public Generated[] Search(Compute c, GenerationOptions options, CancellationToken cancellation = default) =>
        Generation.Search.Run(c, Session, Logits, Histories, options, cancellation);

    internal static int[] LastRows(Segments segments) =>
        [.. Enumerable.Range(0, segments.Count).Select(item => segments.Start(item + 1) - 1)];
}
