using System.Globalization;
using System.Text;

namespace OmniFusion.Evaluation;

/// <summary>
/// White space, letter case and code points as the Python tools of the field see them, so that scores are the same to the last digit.
/// </summary>
internal static class PythonText
{
    // The four separators below U+0020 are white space in Python, not in .NET.
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001c' and <= '\u001f';

    /// <summary>Splits at runs of white space; no part is empty.</summary>
    public static List<string> Split(string text)
    {
        List<string> parts = [];
        int i = 0;
        while (true)
        {
            while (i < text.Length && IsSpace(text[i]))
                i++;
            if (i == text.Length)
                return parts;
            int start = i;
            while (i < text.Length && !IsSpace(text[i]))
                i++;
            parts.Add(text[start..i]);
        }
    }

    public static string TrimEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    public static string Trim(string text)
    {
        text = TrimEnd(text);
        int start = 0;
        while (start < text.Length && IsSpace(text[start]))
            start++;
        return text[start..];
    }

    public static string RemoveSpaces(string text) => string.Concat(Split(text));

    /// <summary>The code points of <paramref name="text"/>; an unpaired surrogate counts as one.</summary>
    public static int[] CodePoints(string text)
    {
        List<int> points = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            bool pair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            points.Add(pair ? char.ConvertToUtf32(text[i], text[++i]) : text[i]);
        }
        return [.. points];
    }

    public static int CodePointCount(string text) => text.Length - text.Count(char.IsLowSurrogate);

    /// <summary>Appends a code point, an unpaired surrogate included.</summary>
    public static void Append(StringBuilder text, int codePoint)
    {
        if (codePoint < 0x10000)
            text.Append((char)codePoint);
        else
            text.Append(char.ConvertFromUtf32(codePoint));
    }

    /// <summary>Lower case with the two rules of Unicode that depend on the neighbours: the final sigma and the dotted capital I.</summary>
    public static string ToLower(string text)
    {
        string lower = text.ToLowerInvariant();
        if (!text.AsSpan().ContainsAny('Σ', 'İ'))
            return lower;
        StringBuilder result = new(lower.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == 'İ')
                result.Append("i\u0307");
            else if (text[i] == 'Σ' && HasLetterBeside(text, i, -1) && !HasLetterBeside(text, i, +1))
                result.Append('ς');
            else
                result.Append(lower[i]);
        }
        return result.ToString();
    }

    private static bool HasLetterBeside(string text, int i, int step)
    {
        for (i += step; (uint)i < (uint)text.Length; i += step)
        {
            if (char.IsLower(text[i]) || char.IsUpper(text[i]))
                return true;
            UnicodeCategory category = char.GetUnicodeCategory(text[i]);
            bool ignorable = text[i] is '\'' or '.' or ':' or '’' or '·' || category is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol;
            if (!ignorable)
                return false;
        }
        return false;
    }
}
