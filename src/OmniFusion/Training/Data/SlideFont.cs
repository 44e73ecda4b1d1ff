namespace OmniFusion.Training.Data;

/// <summary>A font that slides are written in.</summary>
/// <param name="FileName">Its file.</param>
/// <param name="Package">The Debian package that has it.</param>
/// <param name="Breadth">How wide its letters are: 1 is as wide as the widest, DejaVu Serif Bold.</param>
/// <param name="IsMonospaced">Whether all letters have one width, 0.61 of the size at most.</param>
internal sealed record SlideFont(string FileName, string Package, double Breadth, bool IsMonospaced = false)
{
    private const string DejaVu = "fonts-dejavu-core", Liberation = "fonts-liberation", Free = "fonts-freefont-ttf";

    private static readonly string[] s_folders = ["/usr/share/fonts", "/usr/local/share/fonts"];

    /// <summary>All of them, so that a seed means the same slides everywhere.</summary>
    public static IReadOnlyList<SlideFont> All { get; } =
    [
        new("DejaVuSans.ttf", DejaVu, 0.93), new("DejaVuSans-Bold.ttf", DejaVu, 1),
        new("DejaVuSerif.ttf", DejaVu, 0.95), new("DejaVuSerif-Bold.ttf", DejaVu, 1),
        new("DejaVuSansMono.ttf", DejaVu, 1, true), new("DejaVuSansMono-Bold.ttf", DejaVu, 1, true),
        new("LiberationSans-Regular.ttf", Liberation, 0.83), new("LiberationSans-Bold.ttf", Liberation, 0.84),
        new("LiberationSans-Italic.ttf", Liberation, 0.83), new("LiberationSerif-Regular.ttf", Liberation, 0.78),
        new("LiberationSerif-Bold.ttf", Liberation, 0.83), new("LiberationSerif-Italic.ttf", Liberation, 0.78),
        new("LiberationSansNarrow-Bold.ttf", Liberation, 0.7), new("LiberationMono-Regular.ttf", Liberation, 1, true),
        new("FreeSans.ttf", Free, 0.83), new("FreeSansBold.ttf", Free, 0.84), new("FreeSerif.ttf", Free, 0.78),
        new("FreeSerifBoldItalic.ttf", Free, 0.83), new("FreeMonoBold.ttf", Free, 1, true),
    ];

    /// <summary>The paths of <see cref="All"/>, in its order.</summary>
    /// <exception cref="OmniFusionException">Some are not installed.</exception>
    public static string[] FindAll()
    {
        Dictionary<string, string> found = [];
        foreach (string folder in s_folders.Where(Directory.Exists))
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*.ttf", SearchOption.AllDirectories))
                found.TryAdd(Path.GetFileName(file), file);
        }
        SlideFont[] missing = [.. All.Where(font => !found.ContainsKey(font.FileName))];
        if (missing.Length > 0)
        {
            throw new OmniFusionException(
                $"Slides need fonts that are not below {string.Join(" or ", s_folders)}, such as {missing[0].FileName}; "
                + $"on Debian or Ubuntu: apt-get install {string.Join(' ', missing.Select(font => font.Package).Distinct())}.");
        }
        return [.. All.Select(font => found[font.FileName])];
    }

    /// <summary>
    /// About an upper bound of a line's width in units of the font's size: a W or two of a narrow font goes beyond it by less than a
    /// slide's margin.
    /// </summary>
    public double Measure(string line) => IsMonospaced ? 0.61 * line.Length : Breadth * line.Sum(Width);

    // Bounds of the advance widths of DejaVu Sans Bold and DejaVu Serif Bold.
    private static double Width(char c) => c switch
    {
        'i' or 'j' or 'l' or '\'' or '.' or ',' or ' ' => 0.42,
        'I' or 'J' => 0.5,
        'f' or 't' or 'r' or '-' => 0.57,
        'm' => 1.07,
        'w' => 0.97,
        'M' or 'W' => 1.14,
        >= 'a' and <= 'z' or >= '0' and <= '9' => 0.74,
        _ => 0.96,
    };
}
