using OmniFusion.Checkpoints;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Fusion;

/// <summary>
/// Gated, and of speech the mean of every three neighbouring states: a row for 120 ms, so that the translator reads a third as many. The last row
/// of a sound may be of fewer. Not part of the published system; its weights are those of a gated layer.
/// </summary>
internal sealed class PooledFusion(int count, int hiddenSize, Weights weights) : GatedFusion(count, hiddenSize, weights)
{
    private const int Together = 3;

    public override string Mode => "pooled";

    public override FusedRows Rows(Compute c, Tensor states, IReadOnlyList<MediaStretch> media)
    {
        List<int> last = [];
        int next = 0;
        foreach (MediaStretch speech in media.Where(stretch => stretch.IsAudio).Append(new MediaStretch(states.Rows, 0, IsAudio: true)))
        {
            last.AddRange(Enumerable.Range(next, speech.Start - next));
            for (next = speech.Start; next < speech.End; next = last[^1] + 1)
                last.Add(Math.Min(next + Together, speech.End) - 1);
        }
        Tensor shares = c.Rent(new Shape(last.Count, Together));
        int[][] parts = [.. Enumerable.Range(0, Together).Select(_ => new int[last.Count])];
        for (int row = 0; row < last.Count; row++)
        {
            int first = row == 0 ? 0 : last[row - 1] + 1, length = last[row] - first + 1;
            for (int i = 0; i < Together; i++)
            {
                parts[i][row] = Math.Min(first + i, last[row]);
                shares.Row(row)[i] = i < length ? 1f / length : 0;
            }
        }
        return new FusedRows(c.WeightedSum(shares, [.. parts.Select(tokens => c.Gather(states, tokens))]), [.. last]);
    }

    public override int From(int token, IReadOnlyList<MediaStretch> media)
    {
        MediaStretch speech = media.FirstOrDefault(stretch => stretch.IsAudio && stretch.Start <= token && token < stretch.End);
        return speech.Length == 0 ? token : token - (token - speech.Start) % Together;
    }
}
