using System.Globalization;

namespace OmniFusion.Cli;

/// <summary>An image that is seen from a time on: <c>slide.png@12.5</c>.</summary>
internal sealed record TimedImage(string File, double Seconds)
{
    /// <exception cref="UsageException">What stands behind the at sign is no time.</exception>
    internal static TimedImage Parse(string text)
    {
        int at = text.LastIndexOf('@');
        // A name may hold an at sign itself.
        if (at < 0 || System.IO.File.Exists(text))
            return new TimedImage(text, 0);
        return double.TryParse(text[(at + 1)..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && double.IsFinite(seconds)
            ? new TimedImage(text[..at], seconds)
            : throw new UsageException($"--image takes a file, and behind an @ seconds from 0, not '{text}'.");
    }
}
