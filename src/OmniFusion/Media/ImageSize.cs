using System.Globalization;

namespace OmniFusion.Media;

/// <summary>A size in pixels, written in the order of the published settings: width, then height.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
public readonly record struct ImageSize(int Width, int Height)
{
    /// <summary>The size to which the published system brings every picture: 512 x 512.</summary>
    public static ImageSize Published { get; } = new(512, 512);

    /// <summary>Reads a size written as <c>512x384</c>.</summary>
    /// <exception cref="OmniFusionException">The text is not two positive whole numbers around an x.</exception>
    public static ImageSize Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] sides = text.Split('x', 'X');
        if (sides.Length == 2
            && int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int width) && width > 0
            && int.TryParse(sides[1], NumberStyles.None, CultureInfo.InvariantCulture, out int height) && height > 0)
            return new ImageSize(width, height);
        throw new OmniFusionException($"The image size \"{text}\" is not of the form WIDTHxHEIGHT, such as 512x512.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Width}x{Height}";
}
