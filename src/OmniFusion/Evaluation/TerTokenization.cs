using System.Text;

namespace OmniFusion.Evaluation;

/// <summary>The word splitter of TER, by the definition of Tercom's normaliser.</summary>
internal static class TerTokenization
{
    private const string WesternMarks = ".,?:;!\"()";

    public static List<string> Split(string sentence, TerOptions options)
    {
        if (!options.CaseSensitive)
            sentence = PythonText.ToLower(sentence);
        if (options.Normalized)
        {
            sentence = sentence.Replace("\n-", "", StringComparison.Ordinal).Replace('\n', ' ')
                .Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal)
                .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
            sentence = BleuTokenization.WesternPunctuation($" {sentence} ", possessives: true);
            if (options.AsianSupport)
                sentence = Map(sentence, c => IsIdeograph(c) || IsAsianMark(c) ? $" {c} " : null);
        }
        if (options.NoPunctuation)
            sentence = Map(sentence, c => WesternMarks.Contains(c) || (options.AsianSupport && IsAsianMark(c)) ? "" : null);
        return PythonText.Split(sentence);
    }

    private static string Map(string text, Func<char, string?> replacement)
    {
        StringBuilder result = new(text.Length);
        foreach (char c in text)
        {
            if (replacement(c) is { } other)
                result.Append(other);
            else
                result.Append(c);
        }
        return result.ToString();
    }

    // U+3F22 ends the published range of enclosed letters; kana are set apart at the very start of a line only, where a space stands.
    private static bool IsIdeograph(char c) => c is >= '\u4e00' and <= '\u9fff' or >= '\u3400' and <= '\u4dbf'
        or >= '\u31c0' and <= '\u31ef' or >= '\u2e80' and <= '\u2eff' or >= '\u3300' and <= '\u33ff' or >= '\uf900' and <= '\ufaff'
        or >= '\ufe30' and <= '\ufe4f' or >= '\u3200' and <= '\u3f22';

    private static bool IsAsianMark(char c) => c is '\u3001' or '\u3002' or >= '\u3008' and <= '\u3011' or >= '\u3014' and <= '\u301f'
        or >= '\uff61' and <= '\uff65' or '\u30fb' or '\uff0e' or '\uff0c' or '\uff1f' or '\uff1a' or '\uff1b' or '\uff01' or '\uff02'
        or '\uff08' or '\uff09';
}
