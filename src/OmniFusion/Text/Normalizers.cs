using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OmniFusion.Text;

/// <summary>The first step of the pipeline: text to text, before it is cut into words.</summary>
internal abstract class Normalizer
{
    public abstract string Normalize(string text);
}

internal sealed class UnicodeFormNormalizer(NormalizationForm form) : Normalizer
{
    public override string Normalize(string text) => UnicodeNormalizer.Normalize(text, form);
}

internal sealed class LowercaseNormalizer : Normalizer
{
    public override string Normalize(string text) => text.ToLowerInvariant();
}

internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Normalize(string text)
    {
        string trimmed = left ? text.TrimStart() : text;
        return right ? trimmed.TrimEnd() : trimmed;
    }
}

internal sealed class StripAccentsNormalizer : Normalizer
{
    public override string Normalize(string text)
    {
        StringBuilder kept = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark)
                kept.Append(rune);
        return kept.ToString();
    }
}

internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Normalize(string text) => text.Length == 0 ? text : prefix + text;
}

internal sealed class ReplaceNormalizer(Regex pattern, string content) : Normalizer
{
    public override string Normalize(string text) => pattern.Replace(text, _ => content);
}

internal sealed class ReplaceLiteralNormalizer(string pattern, string content) : Normalizer
{
    public override string Normalize(string text) => text.Replace(pattern, content, StringComparison.Ordinal);
}

internal sealed class ByteLevelNormalizer : Normalizer
{
    public override string Normalize(string text) => ByteAlphabet.Encode(text);
}

internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> steps) : Normalizer
{
    public override string Normalize(string text) => steps.Aggregate(text, (current, step) => step.Normalize(current));
}
