using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>
/// What the thinker's side makes of a batch: the seam between the two models. The tensors live in the <see cref="Compute"/> that made them,
/// until its arena is taken back. A search does that with its own: a prefix that is to serve several searches is made with another one.
/// </summary>
/// <param name="States">One projected state per thinker token, and the rows of its gloss behind those of an item, packed [rows, D of the translator].</param>
/// <param name="Segments">Rows of each item.</param>
/// <param name="Ids">The thinker's token ids, and for a row of a gloss that of the translator, packed; the n-gram ban looks at them.</param>
/// <param name="Gates">How much each hidden state counts [thinker tokens or 1, selected], or null where the fusion layer has no gates.</param>
public sealed record FusedPrefix(Tensor States, Segments Segments, int[] Ids, Tensor? Gates)
{
    /// <summary>The translator's tokens that the gloss of each item says; null without a gloss.</summary>
    public IReadOnlyList<int[]>? Glosses { get; init; }

    /// <summary>The ids of one item.</summary>
    public ReadOnlySpan<int> IdsOf(int item) => Ids.AsSpan(Segments.Start(item), Segments.Length(item));
}
