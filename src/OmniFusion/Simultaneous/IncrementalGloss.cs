using OmniFusion.Models;
using OmniFusion.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The gloss of a prefix whose audio is still arriving. What states say is kept with them; the gloss itself stands behind all states, so it
/// moves whenever there are more, and the translator reads it again: three or four rows for a second of speech.
/// </summary>
internal sealed class IncrementalGloss(PrefixGloss gloss)
{
    private readonly RowBuffer _words = new(gloss.Columns);
    private readonly List<PrefixGloss.Said> _said = [];
    private readonly List<bool> _worded = [];
    private readonly List<int> _rows = [];

    /// <summary>States of the prefix that the gloss is of, in its order.</summary>
    internal IReadOnlyList<int> Rows => _rows;

    /// <summary>The tokens that these states say.</summary>
    internal IEnumerable<int> Ids => _rows.Select(row => _said[row].Token);

    /// <summary>Reads the states that are new or have changed, and makes the gloss of all.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="states">The states from <paramref name="first"/> on [rows, D].</param>
    /// <param name="first">The first of them.</param>
    /// <param name="stretches">First row and number of rows of the images and of the audio.</param>
    /// <returns>The gloss [rows, D], or null when nothing is said.</returns>
    internal Tensor? Update(Compute c, Tensor states, int first, IReadOnlyList<(int Start, int Length)> stretches)
    {
        _said.RemoveRange(first, _said.Count - first);
        _said.AddRange(gloss.Read(c, states));
        _worded.RemoveRange(first, _worded.Count - first);
        _worded.AddRange(Enumerable.Repeat(false, states.Rows));
        _words.Resize(_said.Count);
        _rows.Clear();
        foreach ((int start, int length) in stretches)
            foreach (int row in gloss.Left(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_said).Slice(start, length)))
                _rows.Add(start + row);
        Word(c, states, first);
        if (_rows.Count == 0)
            return null;
        Tensor all = c.Rent(new Shape(_rows.Count, gloss.Columns));
        for (int i = 0; i < _rows.Count; i++)
            _words.Rows(_rows[i], 1).CopyTo(all.Row(i));
        return all;
    }

    // A run that goes on keeps its row or takes a new one, so what has no words yet is among the new states.
    private void Word(Compute c, Tensor states, int first)
    {
        int[] fresh = [.. _rows.Where(row => !_worded[row])];
        if (fresh.Length == 0)
            return;
        Tensor words = gloss.Words(c, c.Gather(states, Array.ConvertAll(fresh, row => row - first)));
        for (int i = 0; i < fresh.Length; i++)
        {
            words.Row(i).CopyTo(_words.Rows(fresh[i], 1));
            _worded[fresh[i]] = true;
        }
    }
}
