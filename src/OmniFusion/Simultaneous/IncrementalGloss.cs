using System.Runtime.InteropServices;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
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
    private readonly List<int> _rows = [], _heard = [];

    /// <summary>States of the prefix that the gloss is of, in its order.</summary>
    internal IReadOnlyList<int> Rows => _rows;

    /// <summary>The tokens that the audio says, in its order, whether or not they are of the gloss.</summary>
    internal IReadOnlyList<int> Heard => _heard;

    /// <summary>The tokens that these states say.</summary>
    internal IEnumerable<int> Ids => _rows.Select(row => _said[row].Token);

    /// <summary>Reads the states that are new or have changed, and makes the gloss of all.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="states">The states from <paramref name="first"/> on [rows, D].</param>
    /// <param name="first">The first of them.</param>
    /// <param name="media">The rows of the images and of the audio.</param>
    /// <param name="transcribed">Whether the audio is written down elsewhere, so that nothing has to say it.</param>
    /// <returns>The gloss [rows, D], or null when nothing is said.</returns>
    internal Tensor? Update(Compute c, Tensor states, int first, IReadOnlyList<MediaStretch> media, bool transcribed)
    {
        // Audio is read all the same: at the next step there may be no transcript.
        int[] rows = [.. media.SelectMany(stretch => Enumerable.Range(stretch.Start, stretch.Length)).Where(row => row >= first)];
        PrefixGloss.Said[] said = gloss.Read(c, states, Array.ConvertAll(rows, row => row - first));
        _said.RemoveRange(first, _said.Count - first);
        _said.AddRange(Enumerable.Repeat(gloss.Nothing, states.Rows));
        for (int i = 0; i < rows.Length; i++)
            _said[rows[i]] = said[i];
        Word(c, states, first, media);
        _rows.Clear();
        _heard.Clear();
        foreach (MediaStretch stretch in media)
        {
            int[] left = [.. gloss.Left(CollectionsMarshal.AsSpan(_said).Slice(stretch.Start, stretch.Length)).Select(row => stretch.Start + row)];
            if (stretch.IsAudio)
                _heard.AddRange(left.Select(row => _said[row].Token));
            if (!(stretch.IsAudio && transcribed))
                _rows.AddRange(left);
        }
        if (_rows.Count == 0)
            return null;
        Tensor all = c.Rent(new Shape(_rows.Count, gloss.Columns));
        for (int i = 0; i < _rows.Count; i++)
            _words.Rows(_rows[i], 1).CopyTo(all.Row(i));
        return all;
    }

    // Of all states that say something, because which of a run is left may change when the rest of the run does.
    private void Word(Compute c, Tensor states, int first, IReadOnlyList<MediaStretch> media)
    {
        _words.Resize(_said.Count);
        int[] heard = Saying(audio: true), seen = Saying(audio: false);
        if (heard.Length > 0)
            Put(heard, gloss.Words(c, c.Gather(states, Array.ConvertAll(heard, row => row - first))));
        if (seen.Length > 0)
            Put(seen, gloss.Names(c, Array.ConvertAll(seen, row => _said[row].Token)));

        int[] Saying(bool audio) => [.. media.Where(stretch => stretch.IsAudio == audio)
            .SelectMany(stretch => Enumerable.Range(stretch.Start, stretch.Length)).Where(row => row >= first && gloss.Says(_said[row]))];

        void Put(int[] rows, Tensor words)
        {
            for (int i = 0; i < rows.Length; i++)
                words.Row(i).CopyTo(_words.Rows(rows[i], 1));
        }
    }
}
