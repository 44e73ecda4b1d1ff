using System.Globalization;
using System.Text;

namespace OmniFusion.Evaluation;

/// <summary>The word splitters of BLEU, by the definitions of mteval-v13a, mteval-v14 and sacrebleu.</summary>
internal static class BleuTokenization
{
    public static List<string> Split(string sentence, BleuTokenizer tokenizer) => PythonText.Split(tokenizer switch
    {
        BleuTokenizer.V13a => V13a(sentence),
        BleuTokenizer.International => International(sentence),
        BleuTokenizer.Character => Characters(sentence),
        BleuTokenizer.Chinese => Chinese(sentence),
        BleuTokenizer.None => sentence,
        _ => throw new OmniFusionException($"The BLEU tokenizer {tokenizer} does not exist."),
    });

    public static string Name(BleuTokenizer tokenizer) => tokenizer switch
    {
        BleuTokenizer.V13a => "13a",
        BleuTokenizer.International => "intl",
        BleuTokenizer.Character => "char",
        BleuTokenizer.Chinese => "zh",
        _ => "none",
    };

    private static string V13a(string line)
    {
        line = line.Replace("<skipped>", "", StringComparison.Ordinal).Replace("-\n", "", StringComparison.Ordinal).Replace('\n', ' ');
        if (line.Contains('&'))
        {
            line = line.Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal)
                .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
        }
        return WesternPunctuation($" {line} ");
    }

    private static string Chinese(string line)
    {
        StringBuilder spaced = new(line.Length * 2);
        foreach (int c in PythonText.CodePoints(PythonText.Trim(line)))
        {
            bool chinese = IsChinese(c);
            if (chinese)
                spaced.Append(' ');
            PythonText.Append(spaced, c);
            if (chinese)
                spaced.Append(' ');
        }
        return WesternPunctuation(spaced.ToString());
    }

    // The published ranges of the supplementary planes are written with four-digit escapes and so reach from U+2001 to U+2A6D
    // (typographic quotes and arrows among them): scores are only comparable if that is kept.
    private static bool IsChinese(int c) => c is >= 0x3400 and <= 0x4db5 or >= 0x4e00 and <= 0x9fbb or >= 0xf900 and <= 0xfa2d
        or >= 0xfa30 and <= 0xfa6a or >= 0xfa70 and <= 0xfad9 or >= 0x2001 and <= 0x2a6d or >= 0x2f81 and <= 0x2fa1
        or >= 0xff00 and <= 0xffef or >= 0x2e80 and <= 0x2eff or >= 0x3000 and <= 0x303f or >= 0x31c0 and <= 0x31ef
        or >= 0x2f00 and <= 0x2fdf or >= 0x2ff0 and <= 0x2fff or >= 0x3100 and <= 0x312f or >= 0x31a0 and <= 0x31bf
        or >= 0xfe10 and <= 0xfe1f or >= 0xfe30 and <= 0xfe4f or >= 0x3200 and <= 0x33ff;

    /// <summary>
    /// Sets Western punctuation apart; points and commas stay inside numbers. <paramref name="possessives"/>: the English 's as well.
    /// </summary>
    public static string WesternPunctuation(string line, bool possessives = false)
    {
        int[] points = PythonText.CodePoints(line);
        points = Apart(points, c => c is >= '{' and <= '~' or >= '[' and <= '`' or >= ' ' and <= '&' or >= '(' and <= '+'
            or >= ':' and <= '@' or '/');
        if (possessives)
            points = PythonText.CodePoints(Join(points).Replace("'s ", " 's ", StringComparison.Ordinal));
        points = Pairs(points, c => !IsAsciiDigit(c), c => c is '.' or ',', (first, mark) => [first, ' ', mark, ' ']);
        points = Pairs(points, c => c is '.' or ',', c => !IsAsciiDigit(c), (mark, next) => [' ', mark, ' ', next]);
        points = Pairs(points, IsAsciiDigit, c => c == '-', (digit, dash) => [digit, ' ', dash, ' ']);
        return Join(points);
    }

    private static string International(string line)
    {
        int[] points = PythonText.CodePoints(line);
        points = Pairs(points, c => !IsNumber(c), IsPunctuation, (first, mark) => [first, ' ', mark, ' ']);
        points = Pairs(points, IsPunctuation, c => !IsNumber(c), (mark, next) => [' ', mark, ' ', next]);
        return Join(Apart(points, IsSymbol));
    }

    private static string Characters(string line)
    {
        StringBuilder spaced = new(line.Length * 2);
        foreach (int c in PythonText.CodePoints(line))
        {
            PythonText.Append(spaced, c);
            spaced.Append(' ');
        }
        return spaced.ToString();
    }

    private static int[] Apart(int[] points, Func<int, bool> alone)
    {
        List<int> result = new(points.Length * 2);
        foreach (int c in points)
            result.AddRange(alone(c) ? [' ', c, ' '] : [c]);
        return [.. result];
    }

    // Left to right, a code point belongs to one pair at most.
    private static int[] Pairs(int[] points, Func<int, bool> first, Func<int, bool> second, Func<int, int, int[]> replace)
    {
        List<int> result = new(points.Length * 2);
        for (int i = 0; i < points.Length; i++)
        {
            if (i + 1 < points.Length && first(points[i]) && second(points[i + 1]))
            {
                result.AddRange(replace(points[i], points[i + 1]));
                i++;
            }
            else
                result.Add(points[i]);
        }
        return [.. result];
    }

    private static string Join(int[] points)
    {
        StringBuilder text = new(points.Length);
        foreach (int c in points)
            PythonText.Append(text, c);
        return text.ToString();
    }

    private static bool IsAsciiDigit(int c) => c is >= '0' and <= '9';

    private static bool IsNumber(int c) => CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.DecimalDigitNumber
        or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static bool IsPunctuation(int c) => CharUnicodeInfo.GetUnicodeCategory(c) is >= UnicodeCategory.ConnectorPunctuation
        and <= UnicodeCategory.OtherPunctuation;

    private static bool IsSymbol(int c) => CharUnicodeInfo.GetUnicodeCategory(c) is >= UnicodeCategory.MathSymbol
        and <= UnicodeCategory.OtherSymbol;
}
