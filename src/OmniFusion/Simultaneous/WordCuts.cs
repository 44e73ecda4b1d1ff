using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Where a sequence of tokens may be cut so that whole words come out: before a token that begins a new word. The end of a text that is
/// still growing is no such place, as its last word may go on. In scripts without spaces every character is a word, with the marks behind it.
/// </summary>
/// <param name="tokenizer">Of the tokens.</param>
internal sealed class WordCuts(Tokenizer tokenizer)
{
    private const char Incomplete = '\uFFFD';

    /// <summary>
    /// The last cut that is not behind <paramref name="most"/> tokens; <paramref name="least"/> where there is none after it.
    /// </summary>
    internal int LastCut(ReadOnlySpan<int> tokens, int least, int most)
    {
        for (int cut = Math.Min(most, tokens.Length - 1); cut > least; cut--)
            if (IsCut(tokens, cut))
                return cut;
        return least;
    }

    /// <summary>The last place that is not behind <paramref name="most"/> tokens and within no character.</summary>
    internal int LastCharacter(ReadOnlySpan<int> tokens, int most)
    {
        while (most > 0 && Decode(tokens[..most]) is [.., Incomplete])
            most--;
        return most;
    }

    /// <summary>
    /// The last cut that leaves at most so many words before it, or the end of a text that has ended with no more; <paramref name="least"/>
    /// where there is none after it.
    /// </summary>
    internal int CutAfter(ReadOnlySpan<int> tokens, int least, long words, bool ended)
    {
        if (ended && Count(Decode(tokens)) <= words)
            return tokens.Length;
        int last = least;
        for (int cut = least + 1; cut < tokens.Length; cut++)
        {
            if (!IsCut(tokens, cut))
                continue;
            if (Count(Decode(tokens[..cut])) > words)
                break;
            last = cut;
        }
        return last;
    }

    /// <summary>Number of words of a text.</summary>
    internal static int Count(ReadOnlySpan<char> text)
    {
        int words = 0;
        bool inWord = false;
        foreach (char c in text)
        {
            bool mark = IsMark(c), letter = !mark && !char.IsWhiteSpace(c), alone = IsUnspaced(c);
            if (alone || (letter && !inWord))
                words++;
            inWord = letter && !alone;
        }
        return words;
    }

    /// <summary>Whether whole words stand before a token, and a new one begins with it.</summary>
    internal bool IsCut(ReadOnlySpan<int> tokens, int cut)
    {
        // Half a character before the cut; or a run of byte tokens that goes on behind it, which is only decoded as a whole.
        string before = Decode(tokens[..cut]), with = Decode(tokens[..(cut + 1)]);
        if (before.Length == 0 || before[^1] == Incomplete || with.Length <= before.Length
            || !with.StartsWith(before, StringComparison.Ordinal))
            return false;
        for (int end = cut + 2; end <= tokens.Length && with is [.., Incomplete]; end++)
            with = Decode(tokens[..end]);
        char last = before[^1], next = with.Length > before.Length ? with[before.Length] : Incomplete;
        return !IsMark(next)
            && (char.IsWhiteSpace(next) || char.IsWhiteSpace(last) || IsUnspaced(last) || IsMark(last) || IsUnspaced(next));
    }

    private string Decode(ReadOnlySpan<int> tokens) => tokenizer.Decode(tokens, skipSpecialTokens: true);

    // Kana and CJK ideographs.
    private static bool IsUnspaced(char c) =>
        c is (>= '\u3040' and <= '\u30FF') or (>= '\u3400' and <= '\u9FFF') or (>= '\uF900' and <= '\uFAFF');

    // Their punctuation and that of full width: it goes with what is before it.
    private static bool IsMark(char c) =>
        c is (>= '\u3001' and <= '\u303F') or (>= '\uFF01' and <= '\uFF65') && (char.IsPunctuation(c) || char.IsSymbol(c));
}
