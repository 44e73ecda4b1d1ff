namespace OmniFusion.Evaluation;

/// <summary>How often a term, such as a name, comes out as it is written.</summary>
public static class TermAccuracy
{
    /// <summary>Share of the segments that have a term in which the text holds it, letter by letter, as a word of its own.</summary>
    /// <param name="texts">What was written.</param>
    /// <param name="terms">The term of each text, or null where there is none.</param>
    /// <returns>From 0 to 1; 0 where there are no terms.</returns>
    /// <exception cref="ArgumentException">There are not as many terms as texts.</exception>
    public static double Compute(IReadOnlyList<string> texts, IReadOnlyList<string?> terms)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(terms);
        if (texts.Count != terms.Count)
            throw new ArgumentException($"{terms.Count} terms do not fit {texts.Count} texts.");
        int right = 0, all = 0;
        for (int i = 0; i < texts.Count; i++)
        {
            if (terms[i] is not { Length: > 0 } term)
                continue;
            all++;
            right += Holds(texts[i], term) ? 1 : 0;
        }
        return all == 0 ? 0 : (double)right / all;
    }

    private static bool Holds(string text, string term)
    {
        for (int at = text.IndexOf(term, StringComparison.Ordinal); at >= 0; at = text.IndexOf(term, at + 1, StringComparison.Ordinal))
            if (!IsLetter(text, at - 1) && !IsLetter(text, at + term.Length))
                return true;
        return false;
    }

    private static bool IsLetter(string text, int at) => at >= 0 && at < text.Length && char.IsLetterOrDigit(text[at]);
}
