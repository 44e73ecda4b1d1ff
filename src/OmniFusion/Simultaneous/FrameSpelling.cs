using System.Numerics.Tensors;
using System.Text;
using OmniFusion.Models.Omni;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Simultaneous;

/// <summary>The classes of the CTC head frame by frame, of which all but the last may be final.</summary>
internal sealed class FrameSpelling
{
    private const double FrameSeconds = 0.02;

    // The class of a space: like the blank, no letter.
    private const int Space = 1;

    private int[] _best = [];
    private float[] _blank = [];
    private int _count;

    internal void Resize(int frames)
    {
        if (_best.Length < frames)
        {
            Array.Resize(ref _best, Math.Max(frames, _best.Length * 3 / 2));
            Array.Resize(ref _blank, _best.Length);
        }
        _count = frames;
    }

    /// <summary>Takes logits of frames from <paramref name="first"/> on.</summary>
    internal void Set(int first, Tensor logits, int row, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Span<float> scores = logits.Row(row + i);
            _best[first + i] = TensorPrimitives.IndexOfMax<float>(scores);
            TensorPrimitives.SoftMax(scores, scores);
            _blank[first + i] = scores[CtcHead.Blank] + scores[Space];
        }
    }

    internal Spelling Read()
    {
        StringBuilder text = new();
        ReadOnlySpan<int> best = _best.AsSpan(0, _count);
        List<(int First, int End)> words = [];
        int silent = _count - 1 - best.LastIndexOfAnyExcept(CtcHead.Blank, Space);
        foreach (CtcPath.Run run in CtcPath.Runs(best, CtcHead.Blank))
        {
            if (run.Symbol != Space)
            {
                int end = run.First + run.Length;
                if (text.Length == 0 || text[^1] == ' ')
                    words.Add((run.First, end));
                else
                    words[^1] = words[^1] with { End = end };
            }
            text.Append(CtcHead.Characters[run.Symbol - 1]);
        }
        return new Spelling(text.ToString(), words.Count, silent * FrameSeconds, _blank.AsSpan(0, _count).ToArray()) { WordFrames = words };
    }
}
