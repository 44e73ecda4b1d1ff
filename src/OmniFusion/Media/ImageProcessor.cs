namespace OmniFusion.Media;

/// <summary>
/// From a picture to the patches of the vision tower, in the three steps of the published system: to multiples of 28
/// pixels (Qwen's utilities), to the system's own size, and then what Qwen's image processor does: resize
/// again, rescale, normalise, cut into patches.
/// </summary>
public sealed class ImageProcessor
{
    private const int FirstFactor = 28;
    private const long FirstMinPixels = 4 * FirstFactor * FirstFactor;
    private const long FirstMaxPixels = 16384 * FirstFactor * FirstFactor;
    private const int MaxAspectRatio = 200;

    private readonly ImageProcessorConfig _config;
    private readonly ImageSize? _imageSize;

    // [3, 256]: the normalised value of every possible sample.
    private readonly float[] _normalised;

    /// <summary>Prepares a processor.</summary>
    /// <param name="config">Settings of the checkpoint's image processor.</param>
    /// <param name="imageSize">The system's own size (published: <see cref="ImageSize.Published"/>); null leaves that step out.</param>
    /// <exception cref="OmniFusionException">A setting cannot be used.</exception>
    public ImageProcessor(ImageProcessorConfig config, ImageSize? imageSize)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Check("given");
        if (imageSize is { } size)
        {
            if (size.Width < config.Factor || size.Height < config.Factor || (long)size.Width * size.Height > RgbImage.MaxPixels)
                throw new OmniFusionException(
                    $"The image size {size} cannot be used: each side needs at least {config.Factor} pixels, "
                    + $"and the area at most {RgbImage.MaxPixels}.");
            CheckAspectRatio(size.Width, size.Height);
        }
        (_config, _imageSize, _normalised) = (config, imageSize, new float[3 * 256]);
        for (int i = 0; i < _normalised.Length; i++)
            _normalised[i] = ((float)((i & 255) * config.RescaleFactor) - config.ImageMean[i >> 8]) / config.ImageStd[i >> 8];
    }

    /// <summary>Makes the patches of a picture.</summary>
    /// <exception cref="OmniFusionException">One side is more than 200 times the other.</exception>
    public ImagePatches Process(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        RgbImage sized = ToImageSize(ToMultiplesOf28(image));
        return Cut(Fit(sized, _config.Factor, _config.MinPixels, _config.MaxPixels));
    }

    /// <summary>The first step: sides to multiples of 28, the area between 4 and 16384 times 28 x 28.</summary>
    internal static RgbImage ToMultiplesOf28(RgbImage image) => Fit(image, FirstFactor, FirstMinPixels, FirstMaxPixels);

    /// <summary>The second step: to the system's own size, whatever the aspect ratio was.</summary>
    internal RgbImage ToImageSize(RgbImage image) =>
        _imageSize is { } size ? BicubicResize.Resize(image, size.Width, size.Height) : image;

    /// <summary>
    /// Qwen's <c>smart_resize</c>: sides that are multiples of <paramref name="factor"/>, an area within the limits, about the same
    /// aspect ratio.
    /// </summary>
    internal static ImageSize SmartResize(int width, int height, int factor, long minPixels, long maxPixels)
    {
        CheckAspectRatio(width, height);
        long rows = Math.Max(factor, (long)Math.Round((double)height / factor) * factor);
        long columns = Math.Max(factor, (long)Math.Round((double)width / factor) * factor);
        if (rows * columns > maxPixels)
        {
            double shrink = Math.Sqrt((double)height * width / maxPixels);
            rows = Math.Max(factor, (long)Math.Floor(height / shrink / factor) * factor);
            columns = Math.Max(factor, (long)Math.Floor(width / shrink / factor) * factor);
        }
        else if (rows * columns < minPixels)
        {
            double grow = Math.Sqrt(minPixels / ((double)height * width));
            rows = (long)Math.Ceiling(height * grow / factor) * factor;
            columns = (long)Math.Ceiling(width * grow / factor) * factor;
        }
        return new ImageSize((int)columns, (int)rows);
    }

    private static RgbImage Fit(RgbImage image, int factor, long minPixels, long maxPixels)
    {
        ImageSize size = SmartResize(image.Width, image.Height, factor, minPixels, maxPixels);
        return BicubicResize.Resize(image, size.Width, size.Height);
    }

    private static void CheckAspectRatio(int width, int height)
    {
        if (Math.Max(width, height) > (long)MaxAspectRatio * Math.Min(width, height))
            throw new OmniFusionException(
                $"An image of {width} x {height} pixels cannot be used: one side is more than {MaxAspectRatio} times the other.");
    }

    private ImagePatches Cut(RgbImage image)
    {
        (int patch, int merge, int frames) = (_config.PatchSize, _config.MergeSize, _config.TemporalPatchSize);
        (int rows, int columns, int plane) = (image.Height / patch, image.Width / patch, patch * patch);
        long length = (long)rows * columns * 3 * frames * plane;
        if (length > Array.MaxLength)
            throw new OmniFusionException($"An image of {image.Width} x {image.Height} pixels makes more patches than fit in memory.");
        float[] values = new float[length];
        Span<float> target = values;
        for (int blockRow = 0; blockRow < rows; blockRow += merge)
            for (int blockColumn = 0; blockColumn < columns; blockColumn += merge)
                for (int inBlock = 0; inBlock < merge * merge; inBlock++)
                {
                    int top = (blockRow + inBlock / merge) * patch, left = (blockColumn + inBlock % merge) * patch;
                    for (int channel = 0; channel < 3; channel++)
                    {
                        CutPlane(image, channel, top, left, target[..plane]);
                        for (int frame = 1; frame < frames; frame++)
                            target[..plane].CopyTo(target[(frame * plane)..]);
                        target = target[(frames * plane)..];
                    }
                }
        return new ImagePatches(values, 1, rows, columns);
    }

    private void CutPlane(RgbImage image, int channel, int top, int left, Span<float> plane)
    {
        ReadOnlySpan<float> normalised = _normalised.AsSpan(channel * 256, 256);
        int patch = _config.PatchSize;
        for (int y = 0; y < patch; y++)
        {
            ReadOnlySpan<byte> row = image.Pixels.AsSpan(((top + y) * image.Width + left) * 3, patch * 3);
            for (int x = 0; x < patch; x++)
                plane[y * patch + x] = normalised[row[x * 3 + channel]];
        }
    }
}
