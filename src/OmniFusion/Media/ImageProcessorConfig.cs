using System.Text.Json;

namespace OmniFusion.Media;

/// <summary>
/// Settings of the image processor, as in <c>preprocessor_config.json</c>; defaults are those of <c>Qwen2VLImageProcessor</c>.
/// </summary>
public sealed record ImageProcessorConfig
{
    private const int MaxConfigBytes = 1 << 20;
    private const int MaxFactor = 1024;
    private const int Bicubic = 3;

    /// <summary>Side of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 14;

    /// <summary>Side of the block of patches that the tower merges into one token.</summary>
    public int MergeSize { get; init; } = 2;

    /// <summary>Frames in a patch; a still picture is repeated.</summary>
    public int TemporalPatchSize { get; init; } = 2;

    /// <summary>Smallest area after resizing, in pixels.</summary>
    public long MinPixels { get; init; } = 56 * 56;

    /// <summary>Largest area after resizing, in pixels.</summary>
    public long MaxPixels { get; init; } = 28 * 28 * 1280;

    /// <summary>Factor that brings 0..255 to 0..1.</summary>
    public double RescaleFactor { get; init; } = 1 / 255.0;

    /// <summary>Mean of red, green and blue, subtracted after rescaling; CLIP's.</summary>
    public IReadOnlyList<float> ImageMean { get; init; } = [0.48145466f, 0.4578275f, 0.40821073f];

    /// <summary>Standard deviation of red, green and blue; CLIP's.</summary>
    public IReadOnlyList<float> ImageStd { get; init; } = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>Sides of the resized picture are multiples of this many pixels.</summary>
    public int Factor => PatchSize * MergeSize;

    /// <summary>Reads the settings; keys that are missing or null keep the published defaults.</summary>
    /// <exception cref="OmniFusionException">The file is missing or no JSON, or a setting cannot be used.</exception>
    public static ImageProcessorConfig Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MaxConfigBytes)
                throw new OmniFusionException($"The image settings {path} are larger than {MaxConfigBytes >> 20} MiB.");
            using JsonDocument json = JsonDocument.Parse(file);
            return Parse(json.RootElement, path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException
            or JsonException)
        {
            throw new OmniFusionException($"The image settings {path} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Refuses settings that make no sense; <paramref name="source"/> is how the message calls them.</summary>
    internal void Check(string source)
    {
        if (PatchSize is < 1 or > MaxFactor || MergeSize is < 1 or > MaxFactor || Factor > MaxFactor
            || TemporalPatchSize is < 1 or > MaxFactor)
            throw Bad(source, $"patch_size {PatchSize}, merge_size {MergeSize} or temporal_patch_size {TemporalPatchSize} is out of range");
        if (MinPixels < 1 || MaxPixels > RgbImage.MaxPixels || MaxPixels < MinPixels || MaxPixels < Factor * Factor)
            throw Bad(source, $"min_pixels {MinPixels} and max_pixels {MaxPixels} are out of range");
        if (!double.IsFinite(RescaleFactor))
            throw Bad(source, "rescale_factor is not a number");
        if (ImageMean.Count != 3 || ImageStd.Count != 3
            || !ImageMean.All(float.IsFinite) || !ImageStd.All(float.IsFinite) || ImageStd.Contains(0))
            throw Bad(source, "image_mean and image_std need three numbers each, the latter not zero");
    }

    private static ImageProcessorConfig Parse(JsonElement json, string source)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw Bad(source, "they are not a JSON object");
        if (!Flag(json, "do_resize", source) || Whole(json, "resample", Bicubic, source) != Bicubic)
            throw Bad(source, "only bicubic resizing (do_resize true, resample 3) is supported");
        ImageProcessorConfig published = new();
        JsonElement size = Find(json, "size") ?? default;
        bool normalize = Flag(json, "do_normalize", source);
        ImageProcessorConfig config = new()
        {
            PatchSize = (int)Whole(json, "patch_size", published.PatchSize, source),
            MergeSize = (int)Whole(json, "merge_size", published.MergeSize, source),
            TemporalPatchSize = (int)Whole(json, "temporal_patch_size", published.TemporalPatchSize, source),
            MinPixels = Whole(json, "min_pixels", Whole(size, "shortest_edge", published.MinPixels, source), source),
            MaxPixels = Whole(json, "max_pixels", Whole(size, "longest_edge", published.MaxPixels, source), source),
            RescaleFactor = Flag(json, "do_rescale", source) ? Number(json, "rescale_factor", published.RescaleFactor, source) : 1,
            ImageMean = normalize ? Numbers(json, "image_mean", published.ImageMean, source) : [0, 0, 0],
            ImageStd = normalize ? Numbers(json, "image_std", published.ImageStd, source) : [1, 1, 1],
        };
        config.Check(source);
        return config;
    }

    private static JsonElement? Find(JsonElement json, string key) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out JsonElement value)
        && value.ValueKind != JsonValueKind.Null ? value : null;

    private static bool Flag(JsonElement json, string key, string source) => Find(json, key)?.ValueKind switch
    {
        null or JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad(source, $"{key} is neither true nor false"),
    };

    private static long Whole(JsonElement json, string key, long otherwise, string source)
    {
        if (Find(json, key) is not { } value)
            return otherwise;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number))
            return number;
        throw Bad(source, $"{key} is not a whole number in range");
    }

    private static double Number(JsonElement json, string key, double otherwise, string source)
    {
        if (Find(json, key) is not { } value)
            return otherwise;
        return value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Bad(source, $"{key} is not a number");
    }

    private static IReadOnlyList<float> Numbers(JsonElement json, string key, IReadOnlyList<float> otherwise, string source)
    {
        if (Find(json, key) is not { } list)
            return otherwise;
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(n => n.ValueKind != JsonValueKind.Number))
            throw Bad(source, $"{key} is not a list of numbers");
        return [.. list.EnumerateArray().Select(n => n.GetSingle())];
    }

    private static OmniFusionException Bad(string source, string what) => new($"The image settings {source} cannot be used: {what}.");
}
