using OmniFusion.Evaluation;
using OmniFusion.Models.Omni;

namespace OmniFusion.Simultaneous;

/// <summary>Where sentences end: in texts, and in the audio that they are about.</summary>
internal static class Sentences
{
    // Words of the next sentence that must be heard: at the edge of what is heard a full stop is a guess.
    private const int WordsBehind = 2;

    // A translation has at most so many times the words of its source, or as many times fewer.
    private const int MostRatio = 2;

    // Letters of a sentence for each that the audio tower may spell otherwise.
    private const int LettersForError = 4;

    private const string Marks = ".!?…", FullMarks = "。！？", Closing = "\"'»«“”’)]」』";

    /// <summary>
    /// For each sentence that ends in a text, the length of the text up to there, with the quotation marks and brackets that close behind it.
    /// </summary>
    internal static List<int> Ends(string text)
    {
        List<int> ends = [];
        for (int at = 0, end; at < text.Length; at = end)
        {
            end = at + 1;
            bool marks = Marks.Contains(text[at]), full = FullMarks.Contains(text[at]);
            if (!marks && !full)
                continue;
            while (end < text.Length && (Marks + FullMarks + Closing).Contains(text[end]))
                end++;
            string behind = text[end..].TrimStart();
            // Neither 3.5 nor an omission … within a sentence.
            if (behind.Length == 0 || ((full || char.IsWhiteSpace(text[end])) && !char.IsLower(behind[0])))
                ends.Add(end);
        }
        return ends;
    }

    /// <summary>Whether a text ends with a sentence.</summary>
    internal static bool IsWhole(string text) => Ends(text) is [.., int last] && string.IsNullOrWhiteSpace(text[last..]);

    /// <summary>
    /// Where a sentence of a translation ends in its source. Null where that is not sure: source and translation have not the same sentences,
    /// too little was heard behind it, or the audio tower spells something else.
    /// </summary>
    /// <param name="text">The translation as it would be now.</param>
    /// <param name="end">One of its <see cref="Ends"/>.</param>
    /// <param name="heard">What is heard so far.</param>
    /// <param name="spelling">And how it is spelled.</param>
    internal static SourceEnd? InSource(string text, int end, string heard, Spelling spelling)
    {
        List<int> ends = Ends(text);
        int[] heardEnds = [.. Ends(heard).Where(place => WordCuts.Count(heard.AsSpan(place)) > 0)];
        // The sentence that follows may not have begun in the translation.
        int begun = ends.Count(place => WordCuts.Count(text.AsSpan(place)) > 0), number = ends.IndexOf(end);
        if ((begun != heardEnds.Length && ends.Count != heardEnds.Length) || number >= heardEnds.Length)
            return null;
        string sentences = heard[..heardEnds[number]];
        int words = WordCuts.Count(sentences), written = WordCuts.Count(text.AsSpan(0, end));
        if (words > MostRatio * written || written > MostRatio * words
            || WordCuts.Count(heard.AsSpan(heardEnds[number])) < WordsBehind)
            return null;
        return FrameBehind(sentences, spelling) is { } frame ? new SourceEnd(sentences, frame) : null;
    }

    // In the middle between two spelled words, the first of which ends what is spelled most like the sentences.
    private static int? FrameBehind(string sentences, Spelling spelling)
    {
        string letters = Letters(sentences);
        string[] spelled = spelling.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (letters.Length == 0 || spelled.Length != spelling.WordFrames.Count)
            return null;
        int words = letters.Count(' ') + 1, last = Math.Min(words + 1, spelled.Length - WordsBehind);
        (int count, long errors) = (0, long.MaxValue);
        for (int number = Math.Max(words - 1, 1); number <= last; number++)
            if (WordErrors.Characters(letters, string.Join(' ', spelled[..number])).Errors is long wrong && wrong < errors)
                (count, errors) = (number, wrong);
        return count == 0 || errors * LettersForError > letters.Length ? null
            : (spelling.WordFrames[count - 1].End + spelling.WordFrames[count].First) / 2;
    }

    private static string Letters(string text) =>
        string.Concat(CtcHead.Encode(text).Select(symbol => CtcHead.Characters[symbol - 1]));
}

/// <summary>The end of a sentence in speech.</summary>
/// <param name="Heard">What is heard up to there.</param>
/// <param name="Frame">The frame of 20 ms that begins what is behind it.</param>
internal sealed record SourceEnd(string Heard, int Frame);
