namespace OmniFusion.Training.Data;

/// <summary>How a text stands on a slide.</summary>
/// <param name="Lines">One or two lines.</param>
/// <param name="Font">Position in <see cref="SlideFont.All"/>.</param>
/// <param name="FontSize">In pixels.</param>
/// <param name="Ink">Colour of the letters, 0xRRGGBB.</param>
/// <param name="Paper">Colour of the background, 0xRRGGBB.</param>
/// <param name="X">How far to the right in the room that there is, 0 to 1.</param>
/// <param name="Y">How far down in the room that there is, 0 to 1.</param>
internal sealed record Slide(string[] Lines, int Font, int FontSize, int Ink, int Paper, double X, double Y)
{
    /// <summary>Pixels in a row of a slide, and rows.</summary>
    public const int Side = 112;

    /// <summary>Pixels at each border that stay free.</summary>
    public const int Margin = 5;

    /// <summary>From the top of one line to that of the next, in units of the font's size.</summary>
    public const double LineHeight = 1.25;

    private const int Room = Side - 2 * Margin, LargestSize = 48, LegibleSize = 14, SmallestSize = 9;

    // A text of at least so many letters and more than one word takes two lines.
    private const int LongLine = 8;

    private const int LeastContrast = 110;

    /// <summary>Draws how a text is written.</summary>
    /// <exception cref="OmniFusionException">The text is empty, too long or not in Latin letters.</exception>
    public static Slide Draw(string text, Random random)
    {
        string[] lines = Break(text);
        int font = random.Next(SlideFont.All.Count);
        double largest = LargestThatFits(lines, SlideFont.All[font]);
        double least = Math.Min(largest, Math.Max(LegibleSize, 0.7 * largest));
        int size = (int)(least + (largest - least) * random.NextDouble());
        int ink, paper;
        do
            (ink, paper) = (random.Next(1 << 24), random.Next(1 << 24));
        while (Math.Abs(Luma(ink) - Luma(paper)) < LeastContrast);
        return new Slide(lines, font, size, ink, paper, random.NextDouble(), random.NextDouble());
    }

    /// <summary>Checks that a text can be written on a slide in any of the fonts.</summary>
    /// <exception cref="OmniFusionException">The text is empty, too long or not in Latin letters.</exception>
    public static void Check(string text)
    {
        if (text.FirstOrDefault(c => c is < ' ' or > '\u024F' or (>= '\u007F' and < '\u00A1')) is not '\0' and var odd)
            throw new OmniFusionException($"The slide text '{text}' has the character U+{(int)odd:X4}, which is not a Latin one.");
        if (string.IsNullOrWhiteSpace(text))
            throw new OmniFusionException("A slide text is empty.");
        string[] lines = Break(text);
        if (SlideFont.All.Min(font => LargestThatFits(lines, font)) < SmallestSize)
            throw new OmniFusionException($"The text '{text}' is too long for a slide of {Side} pixels.");
    }

    private static double LargestThatFits(string[] lines, SlideFont font) =>
        Math.Min(LargestSize, Math.Min(Room / lines.Max(font.Measure), Room / (lines.Length * LineHeight)));

    // At the space that leaves the most even lines.
    private static string[] Break(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string whole = string.Join(' ', words);
        if (words.Length == 1 || whole.Length < LongLine)
            return [whole];
        return Enumerable.Range(1, words.Length - 1)
            .Select(first => new[] { string.Join(' ', words[..first]), string.Join(' ', words[first..]) })
            .MinBy(lines => Math.Max(lines[0].Length, lines[1].Length))!;
    }

    private static double Luma(int colour) => 0.299 * (colour >> 16) + 0.587 * (colour >> 8 & 255) + 0.114 * (colour & 255);
}
