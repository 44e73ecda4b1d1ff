using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OmniFusion.Text;

/// <summary>What a pre-tokenizer looks for in a text: a literal string or a regular expression.</summary>
internal abstract partial class SplitPattern
{
    /// <summary>Appends begin and end of each match, in order; empty matches are left out.</summary>
    public abstract void Find(ReadOnlySpan<char> text, List<(int Begin, int End)> matches);

    public static SplitPattern Literal(string literal) => new LiteralPattern(literal);

    /// <exception cref="ArgumentException">The expression is not one that .NET understands.</exception>
    public static SplitPattern Expression(string expression) => new RegexPattern(Compile(expression));

    /// <summary>
    /// The expression as a <see cref="Regex"/>. The patterns of GPT-2 and Qwen are compiled into this assembly, since compiling one takes
    /// longer than a short command has to run.
    /// </summary>
    public static Regex Compile(string expression) => expression switch
    {
        Gpt2 => Gpt2Regex(),
        Qwen => QwenRegex(),
        _ => new Regex(expression, RegexOptions.CultureInvariant | RegexOptions.Compiled),
    };

    /// <summary>The words of the byte-level pre-tokenizer when it has no pattern of its own.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The words of Qwen2 and its successors.</summary>
    public const string Qwen =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [GeneratedRegex(Gpt2, RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2Regex();

    [GeneratedRegex(Qwen, RegexOptions.CultureInvariant)]
    private static partial Regex QwenRegex();

    /// <summary>
    /// A character of the basic plane with the category of <paramref name="rune"/>: .NET's expressions see UTF-16 units, and would take a
    /// letter beyond U+FFFF for two surrogates. No published pattern names these stand-ins.
    /// </summary>
    internal static char StandIn(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter => '\u10A0',
        UnicodeCategory.LowercaseLetter => '\u1D00',
        UnicodeCategory.TitlecaseLetter => '\u1F88',
        UnicodeCategory.ModifierLetter => '\u1D2C',
        UnicodeCategory.OtherLetter => '\uA000',
        UnicodeCategory.NonSpacingMark => '\u1DC0',
        UnicodeCategory.SpacingCombiningMark => '\uA880',
        UnicodeCategory.EnclosingMark => '\u20DD',
        UnicodeCategory.DecimalDigitNumber => '\uA8D0',
        UnicodeCategory.LetterNumber => '\u3021',
        UnicodeCategory.OtherNumber => '\u2460',
        UnicodeCategory.ConnectorPunctuation => '\u203F',
        UnicodeCategory.DashPunctuation => '\u2E3A',
        UnicodeCategory.OpenPunctuation => '\u2E28',
        UnicodeCategory.ClosePunctuation => '\u2E29',
        UnicodeCategory.InitialQuotePunctuation => '\u2E02',
        UnicodeCategory.FinalQuotePunctuation => '\u2E03',
        UnicodeCategory.OtherPunctuation => '\u2E00',
        UnicodeCategory.MathSymbol => '\u2A00',
        UnicodeCategory.CurrencySymbol => '\u20A0',
        UnicodeCategory.ModifierSymbol => '\uA700',
        UnicodeCategory.OtherSymbol => '\u2800',
        UnicodeCategory.Format => '\u206A',
        UnicodeCategory.PrivateUse => '\uE000',
        _ => '\u0378',
    };

    private sealed class LiteralPattern(string literal) : SplitPattern
    {
        public override void Find(ReadOnlySpan<char> text, List<(int Begin, int End)> matches)
        {
            for (int from = 0; literal.Length > 0;)
            {
                int at = text[from..].IndexOf(literal, StringComparison.Ordinal);
                if (at < 0)
                    return;
                matches.Add((from + at, from + at + literal.Length));
                from += at + literal.Length;
            }
        }
    }

    private sealed class RegexPattern(Regex regex) : SplitPattern
    {
        public override void Find(ReadOnlySpan<char> text, List<(int Begin, int End)> matches)
        {
            if (text.ContainsAnyInRange('\uD800', '\uDFFF'))
            {
                FindByCodePoint(text, matches);
                return;
            }
            foreach (ValueMatch match in regex.EnumerateMatches(text))
                if (match.Length > 0)
                    matches.Add((match.Index, match.Index + match.Length));
        }

        private void FindByCodePoint(ReadOnlySpan<char> text, List<(int Begin, int End)> matches)
        {
            char[] shadow = new char[text.Length];
            int[] offsets = new int[text.Length + 1];
            int count = 0, offset = 0;
            foreach (Rune rune in text.EnumerateRunes())
            {
                shadow[count] = rune.IsBmp ? (char)rune.Value : StandIn(rune);
                offsets[count++] = offset;
                offset += rune.Utf16SequenceLength;
            }
            offsets[count] = offset;
            foreach (ValueMatch match in regex.EnumerateMatches(shadow.AsSpan(0, count)))
                if (match.Length > 0)
                    matches.Add((offsets[match.Index], offsets[match.Index + match.Length]));
        }
    }
}
