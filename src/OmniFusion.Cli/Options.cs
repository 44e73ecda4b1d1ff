using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OmniFusion.Media;

namespace OmniFusion.Cli;

/// <summary>Options whose values are checked where they are read, so that a wrong one is a usage error that names its bounds.</summary>
internal static class Options
{
    private const int SmallestSide = 28, LargestSide = 16384, LargestRatio = 200;

    /// <summary>A set of spoken sentences that is a pack.</summary>
    internal static Option<string?> Pack() =>
        new("--pack") { Description = "Speech pack made by omnifusion synthesize, instead of a manifest", HelpName = "PACK" };

    /// <summary>What a pack speaks.</summary>
    internal static Option<string?> Source() => new("--source") { Description = "Lines that the pack speaks, plain or .gz", HelpName = "FILE" };

    internal static Option<int?> Whole(string name, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => Parse<int>(result, text =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
                && value >= least && value <= most ? value : null, $"a whole number from {least} to {most}"),
    };

    internal static Option<double?> Number(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result => Parse<double>(result, text =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                && float.IsFinite((float)value) ? value : null,
            "a number"),
    };

    internal static Option<ImageSize?> Size(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "WxH",
        CustomParser = result => Parse<ImageSize>(
            result, SizeOf, $"two sides from {SmallestSide} to {LargestSide} pixels, such as 512x512 (one at most {LargestRatio} times the other, "
                + $"at most {RgbImage.MaxPixels} pixels in all)"),
    };

    private static ImageSize? SizeOf(string text)
    {
        try
        {
            ImageSize size = ImageSize.Parse(text);
            (int shorter, int longer) = (Math.Min(size.Width, size.Height), Math.Max(size.Width, size.Height));
            return shorter >= SmallestSide && longer <= LargestSide && longer <= LargestRatio * shorter
                && (long)shorter * longer <= RgbImage.MaxPixels ? size : null;
        }
        catch (OmniFusionException)
        {
            return null;
        }
    }

    private static T? Parse<T>(ArgumentResult result, Func<string, T?> parse, string expected) where T : struct
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        T? value = parse(text);
        if (value is null)
            result.AddError($"{((OptionResult)result.Parent!).Option.Name} takes {expected}, not '{text}'");
        return value;
    }
}
