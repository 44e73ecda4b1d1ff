namespace OmniFusion.Evaluation;

/// <summary>Tercom's greedy search: the shift that saves most edits is made until none saves any.</summary>
internal sealed class TerShifts
{
    private const int MaxShiftSize = 10;
    private const int MaxShiftDistance = 50;
    private const int MaxCandidates = 1000;

    private readonly int[] _reference;
    private readonly BeamEditDistance _distance;
    private int _candidates;

    private TerShifts(int[] reference)
    {
        _reference = reference;
        _distance = new BeamEditDistance(reference);
    }

    /// <summary>The number of edits, each shift being one. Words are numbers.</summary>
    public static int Edits(int[] hypothesis, int[] reference)
    {
        if (reference.Length == 0)
            return hypothesis.Length;
        TerShifts search = new(reference);
        int shifts = 0;
        while (true)
        {
            (int saved, int[] shifted) = search.BestShift(hypothesis);
            if (saved <= 0 || search._candidates >= MaxCandidates)
                return shifts + search._distance.Compute(hypothesis);
            hypothesis = shifted;
            shifts++;
        }
    }

    private (int Saved, int[] Words) BestShift(int[] words)
    {
        int before = _distance.Compute(words);
        (int[] align, bool[] referenceWrong, bool[] hypothesisWrong) = _distance.Alignment();
        (int Saved, int Length, int Start, int Target) best = default;
        int[]? bestWords = null;

        foreach ((int start, int startReference, int length) in CommonPhrases(words))
        {
            // Only a phrase that is wrong where it is and missing where it would go, and not one moved into itself.
            if (!hypothesisWrong.AsSpan(start, length).Contains(true) || !referenceWrong.AsSpan(startReference, length).Contains(true)
                || (start <= align[startReference] && align[startReference] < start + length))
            {
                continue;
            }
            int previous = -1;
            for (int offset = -1; offset < length; offset++)
            {
                int target = startReference + offset == -1 ? 0 : align[startReference + offset] + 1;
                if (target == previous)
                    continue;
                previous = target;
                int[] shifted = Shift(words, start, length, target);
                (int Saved, int Length, int Start, int Target) candidate = (before - _distance.Compute(shifted), length, -start, -target);
                _candidates++;
                if (bestWords is null || candidate.CompareTo(best) > 0)
                    (best, bestWords) = (candidate, shifted);
            }
            if (_candidates >= MaxCandidates)
                break;
        }
        return bestWords is null ? (0, words) : (best.Saved, bestWords);
    }

    private IEnumerable<(int Start, int StartReference, int Length)> CommonPhrases(int[] words)
    {
        for (int h = 0; h < words.Length; h++)
        {
            int last = Math.Min(_reference.Length - 1, h + MaxShiftDistance);
            for (int r = Math.Max(0, h - MaxShiftDistance); r <= last; r++)
            {
                int most = Math.Min(MaxShiftSize, Math.Min(words.Length - h, _reference.Length - r));
                for (int length = 0; length < most && words[h + length] == _reference[r + length]; length++)
                    yield return (h, r, length + 1);
            }
        }
    }

    // The target counts words of the unshifted text; inside the phrase it means that many words further on.
    private static int[] Shift(int[] words, int start, int length, int target)
    {
        ReadOnlySpan<int> all = words, phrase = all.Slice(start, length);
        if (target < start)
            return [.. all[..target], .. phrase, .. all[target..start], .. all[(start + length)..]];
        int end = target > start + length ? target : Math.Min(target + length, words.Length);
        return [.. all[..start], .. all[(start + length)..end], .. phrase, .. all[end..]];
    }
}
