using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary>Which pictures the fused model sees beside the speech.</summary>
internal sealed class SpeechImages
{
    internal const string None = "none", Given = "given", Unrelated = "unrelated", Slides = "slides";

    private static readonly string[] s_endings = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"];

    private readonly string?[] _paths;
    private readonly RgbImage?[]? _slides;

    private SpeechImages(string mode, string signature, string?[] paths, RgbImage?[]? slides = null) =>
        (Mode, Signature, _paths, _slides) = (mode, signature, paths, slides);

    /// <summary>none, given, unrelated or slides.</summary>
    internal string Mode { get; }

    /// <summary>The mode, with a digest of the pictures where they are not the set's own.</summary>
    internal string Signature { get; }

    /// <summary>Whether there is one beside an item.</summary>
    internal bool Shows(int item) => _paths[item] is not null || _slides?[item] is not null;

    /// <summary>A request with the picture of an item.</summary>
    internal TranslationRequest Beside(TranslationRequest request, int item) =>
        request with { Image = _paths[item], Picture = _slides?[item] };

    /// <summary>Slides that show the terms of a set.</summary>
    /// <param name="set">The recordings.</param>
    /// <param name="path">Pack of slides; the first with a term is its slide.</param>
    /// <exception cref="OmniFusionException">The set has no terms, or the pack lacks one.</exception>
    internal static SpeechImages OfSlides(SpeechTestSet set, string path)
    {
        if (!set.HasTerms)
            throw new OmniFusionException("--slides: no item of the set has a term, so no slide belongs to it; give --terms.");
        using PicturePack pack = PicturePack.Open(path);
        Dictionary<string, int> slides = [];
        for (int i = 0; i < pack.Count; i++)
            slides.TryAdd(pack.Texts[i], i);
        RgbImage?[] pictures = [.. set.Items.Select(item => item.Term is not { } term ? null
            : slides.TryGetValue(term, out int slide) ? pack.Read(slide)
            : throw new OmniFusionException($"{path} has no slide with '{term}'."))];
        return new SpeechImages(Slides, $"{Slides}@{EvaluationSignature.Digest(EvaluationSignature.Contents([path]))}", new string?[pictures.Length], pictures);
    }

    /// <summary>Chooses the pictures of a set.</summary>
    /// <param name="set">The recordings.</param>
    /// <param name="mode">none, given, unrelated; null: given where the set has pictures, unrelated where a folder is named.</param>
    /// <param name="folder">Folder of unrelated pictures, or null.</param>
    /// <exception cref="UsageException">There is no such mode, or it does not go with a folder.</exception>
    /// <exception cref="OmniFusionException">There are no such pictures.</exception>
    internal static SpeechImages Choose(SpeechTestSet set, string? mode, string? folder)
    {
        CheckMode(mode);
        if (folder is not null && mode is not (null or Unrelated))
            throw new UsageException($"--images holds unrelated pictures and does not go with --image-mode {mode}.");
        // Those of the whole set, so that a larger limit may go on with the results of a smaller one.
        string?[] own = [.. set.All.Select(item => item.Image)];
        switch (mode ?? (folder is not null ? Unrelated : set.HasImages ? Given : None))
        {
            case None:
                return new SpeechImages(None, None, new string?[own.Length]);
            case Given:
                return set.HasImages ? new SpeechImages(Given, Given, Existing(own, set.Items.Count))
                    : throw new OmniFusionException($"--image-mode {Given}: no item of the set has an image.");
            default:
                string?[] others = folder is null ? OfOtherItems(own) : OfFolder(folder, own);
                string digest = EvaluationSignature.Digest(EvaluationSignature.Contents(others));
                return new SpeechImages(Unrelated, $"{Unrelated}@{digest}", Existing(others, set.Items.Count));
        }
    }

    /// <exception cref="UsageException">There is no such mode.</exception>
    internal static void CheckMode(string? mode)
    {
        if (mode is not (null or None or Given or Unrelated))
            throw new UsageException($"--image-mode takes {None}, {Given} or {Unrelated}, not '{mode}'.");
    }

    /// <summary>The items whose pictures may stand for an item's: from half the set away, where neighbours that are about the same thing do not reach.</summary>
    internal static IEnumerable<int> FromAfar(int item, int count) => Enumerable.Range(count / 2, count).Select(step => (item + step) % count);

    private static string?[] OfFolder(string folder, string?[] own)
    {
        string[] files;
        try
        {
            files = [.. Directory.EnumerateFiles(folder)
                .Where(file => s_endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new OmniFusionException(
                Directory.Exists(folder) ? $"--images {folder} cannot be read: {error.Message}" : $"--images '{folder}' is no folder.", error);
        }
        return files.Length > 0 ? [.. own.Select((_, i) => files[i % files.Length])]
            : throw new OmniFusionException($"--images {folder} holds no pictures.");
    }

    // Never the same picture.
    private static string?[] OfOtherItems(string?[] own) =>
    [
        .. own.Select((image, i) => FromAfar(i, own.Length)
            .Select(other => own[other])
            .FirstOrDefault(other => other is not null && other != image)
            ?? throw new OmniFusionException(
                $"--image-mode {Unrelated}: the set has no picture of another item; --images DIR names a folder of pictures.")),
    ];

    private static string?[] Existing(string?[] paths, int count) =>
        paths.Take(count).FirstOrDefault(path => path is not null && !File.Exists(path)) is { } missing
        ? throw new OmniFusionException($"The image {missing} does not exist.") : paths;
}
