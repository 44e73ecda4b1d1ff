namespace OmniFusion.Media;

/// <summary>Colour types of PNG with the numbers of the header (section 11.2.1 of the specification).</summary>
internal enum PngColour : byte
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    Rgba = 6,
}
