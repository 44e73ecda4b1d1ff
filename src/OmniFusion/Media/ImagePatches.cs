namespace OmniFusion.Media;

/// <summary>A picture as the vision tower takes it.</summary>
/// <param name="Values">
/// [Time * Height * Width, channels * temporal patch * patch * patch] normalised samples; rows go through the grid merge block by
/// merge block (2 x 2 patches each), so that the patches that become one token stand together.
/// </param>
/// <param name="Time">Steps of the grid in time; 1 for a still picture.</param>
/// <param name="Height">Patches from top to bottom.</param>
/// <param name="Width">Patches from left to right.</param>
public sealed record ImagePatches(float[] Values, int Time, int Height, int Width)
{
    /// <summary>Patches, the rows of <see cref="Values"/>.</summary>
    public int Count => Time * Height * Width;
}
