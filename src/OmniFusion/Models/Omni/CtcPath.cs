using OmniFusion.Tensors;

namespace OmniFusion.Models.Omni;

/// <summary>
/// Paths through CTC's frames (Graves et al. 2006): what the best symbols of frames say, repetitions counted once and blanks not at all; and
/// where a given text is said.
/// </summary>
internal static class CtcPath
{
    /// <summary>The runs of one symbol other than the blank.</summary>
    /// <param name="best">The best symbol of each frame.</param>
    /// <param name="blank">The symbol that says nothing.</param>
    internal static List<Run> Runs(ReadOnlySpan<int> best, int blank)
    {
        List<Run> runs = [];
        for (int first = 0, end; first < best.Length; first = end)
        {
            for (end = first + 1; end < best.Length && best[end] == best[first];)
                end++;
            if (best[first] != blank)
                runs.Add(new Run(first, end - first, best[first]));
        }
        return runs;
    }

    /// <summary>The last frame of each symbol on the best path that says all of them; null where there are too few frames for one.</summary>
    /// <param name="logits">Scores of symbols [frames, symbols].</param>
    /// <param name="start">The first frame.</param>
    /// <param name="length">Number of frames.</param>
    /// <param name="symbols">What is said, without blanks.</param>
    /// <param name="blank">The symbol that says nothing.</param>
    internal static int[]? Align(Tensor logits, int start, int length, ReadOnlySpan<int> symbols, int blank)
    {
        // Blanks stand before, between and behind the symbols: state 2 k + 1 is symbol k.
        int states = 2 * symbols.Length + 1;
        float[] scores = new float[states];
        byte[,] steps = new byte[length, states];
        scores.AsSpan().Fill(float.NegativeInfinity);
        for (int frame = 0; frame < length; frame++)
        {
            Span<float> row = logits.Row(start + frame);
            // Downwards, so that what a state comes from is still of the frame before.
            for (int state = states - 1; state >= 0; state--)
            {
                int symbol = state % 2 == 0 ? blank : symbols[state / 2];
                // Between two equal symbols there is a blank, or they would count once.
                int reach = state % 2 == 0 || (state > 2 && symbols[state / 2 - 1] == symbol) ? 1 : 2;
                (float best, byte step) = frame == 0 ? (state < 2 ? 0 : float.NegativeInfinity, (byte)0) : (scores[state], (byte)0);
                for (byte back = 1; frame > 0 && back <= Math.Min(reach, state); back++)
                    if (scores[state - back] > best)
                        (best, step) = (scores[state - back], back);
                (scores[state], steps[frame, state]) = (best + row[symbol], step);
            }
        }
        int at = states == 1 || scores[^1] > scores[^2] ? states - 1 : states - 2;
        if (length == 0 || !float.IsFinite(scores[at]))
            return null;
        int[] last = new int[symbols.Length];
        for (int frame = length - 1, said = symbols.Length; frame >= 0; at -= steps[frame, at], frame--)
            if (at % 2 == 1 && at / 2 < said)
                last[said = at / 2] = frame;
        return last;
    }

    /// <summary>Neighbouring frames that say one symbol.</summary>
    /// <param name="First">The first frame.</param>
    /// <param name="Length">Number of frames.</param>
    /// <param name="Symbol">The symbol.</param>
    internal readonly record struct Run(int First, int Length, int Symbol);
}
