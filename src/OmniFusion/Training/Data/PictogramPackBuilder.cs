using System.Text.Json;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>
/// Makes a <see cref="PictogramPack"/> from the npm packages <c>emoji-datasource-MAKER</c> (iamcal/emoji-data), which hold the drawings and,
/// in <c>emoji.json</c>, what they show. Taken is what all makers have drawn, and variants of one skin tone. An older edition of a maker's
/// drawings stands beside the new one as <c>emoji-datasource-MAKER-EDITION</c>; what it lacks is taken from the new one.
/// </summary>
public static class PictogramPackBuilder
{
    /// <summary>The makers whose drawings the shipped recipes use: two, with older editions, to train with, the last one to test with.</summary>
    public static IReadOnlyList<string> UsualMakers { get; } = ["google", "google-3", "google-4", "twitter", "twitter-3", "facebook"];

    /// <summary>Makes a pack.</summary>
    /// <param name="nodeModules">Folder with the packages.</param>
    /// <param name="makers">
    /// Such as <c>google</c>, or <c>google-3</c> for an older edition of its drawings; the list of the first maker's package is the one followed.
    /// </param>
    /// <param name="path">The pack to write.</param>
    /// <exception cref="OmniFusionException">A package or a drawing is missing or damaged, or the pack cannot be written.</exception>
    public static void Build(string nodeModules, IReadOnlyList<string> makers, string path)
    {
        ArgumentNullException.ThrowIfNull(nodeModules);
        ArgumentNullException.ThrowIfNull(makers);
        if (makers.Count == 0)
            throw new OmniFusionException("Pictograms need at least one maker.");
        foreach (string maker in makers)
        {
            string package = PackageOf(nodeModules, maker);
            if (!Directory.Exists(package))
            {
                string version = EditionOf(maker) is { } edition ? $"-{edition}@npm:emoji-datasource-{NameOf(maker)}@{edition}" : "";
                throw new OmniFusionException(
                    $"The package {package} is missing: npm install emoji-datasource-{NameOf(maker)}{version} in the folder above {nodeModules} gets it.");
            }
        }
        PictogramInfo[] infos = ReadInfos(
            Path.Combine(PackageOf(nodeModules, makers[0]), "emoji.json"), [.. makers.Select(NameOf).Distinct()]);
        IEnumerable<byte[]> bitmaps = makers.SelectMany(maker => infos.Select(info => ReadBitmap(nodeModules, maker, info.Hexcode)));
        PictogramPack.Write(path, new PictogramPackHeader([.. makers], infos), bitmaps);
    }

    private static string PackageOf(string nodeModules, string maker) => Path.Combine(nodeModules, $"emoji-datasource-{maker}");

    private static byte[] ReadBitmap(string nodeModules, string maker, string hexcode)
    {
        string name = NameOf(maker), file = FileOf(maker);
        if (name != maker && !File.Exists(file))
            file = FileOf(name);
        (int width, int height, byte[] pixels) = PngDecoder.DecodeRgba(ReadFile(file), file);
        return (width, height) == (Pictogram.Side, Pictogram.Side)
            ? pixels
            : throw new OmniFusionException($"The image {file} has {width} x {height} pixels instead of {Pictogram.Side} x {Pictogram.Side}.");

        string FileOf(string package) => Path.Combine(PackageOf(nodeModules, package), "img", name, "64", hexcode + ".png");
    }

    // "google-3" is edition 3 of what google drew.
    private static string NameOf(string maker) => maker.Split('-')[0];

    private static string? EditionOf(string maker) => maker.Contains('-', StringComparison.Ordinal) ? maker.Split('-', 2)[1] : null;

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot read {path}: {error.Message}", error);
        }
    }

    private static PictogramInfo[] ReadInfos(string path, IReadOnlyList<string> makers)
    {
        List<PictogramInfo> infos = [];
        try
        {
            using JsonDocument list = JsonDocument.Parse(ReadFile(path));
            foreach (JsonElement entry in list.RootElement.EnumerateArray())
            {
                if (!IsDrawnByAll(entry, makers))
                    continue;
                PictogramInfo info = new(
                    HexcodeOf(entry),
                    DescriptionOf(Text(entry, "name"), Text(entry, "short_name")),
                    Words(Text(entry, "short_name")),
                    Text(entry, "category"),
                    Text(entry, "subcategory"),
                    null);
                infos.Add(info);
                if (!entry.TryGetProperty("skin_variations", out JsonElement variants))
                    continue;
                foreach (JsonProperty variant in variants.EnumerateObject())
                {
                    // Of two people, there are 25 pairs of tones; one tone shows enough.
                    if (!variant.Name.Contains('-') && IsDrawnByAll(variant.Value, makers))
                        infos.Add(info with { Hexcode = HexcodeOf(variant.Value), BaseHexcode = info.Hexcode });
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new OmniFusionException($"{path} is not the list of an emoji-datasource package: {error.Message}", error);
        }
        return infos.Count > 0 ? [.. infos] : throw new OmniFusionException($"{path} has no pictogram that all makers have drawn.");
    }

    private static bool IsDrawnByAll(JsonElement entry, IReadOnlyList<string> makers) =>
        makers.All(maker => entry.TryGetProperty("has_img_" + maker, out JsonElement has) && has.ValueKind == JsonValueKind.True);

    private static string HexcodeOf(JsonElement entry) => Path.GetFileNameWithoutExtension(Text(entry, "image"));

    private static string Text(JsonElement entry, string key) =>
        entry.GetProperty(key).GetString() ?? throw new KeyNotFoundException($"an entry has no {key}.");

    // The list's names are those of the character standard: fine for things ("BAT"), a description for many faces and signs ("WHITE UP
    // POINTING BACKHAND INDEX"), where the short name says what people call it.
    private static string DescriptionOf(string name, string shortName)
    {
        if (name.EndsWith(" Flag", StringComparison.Ordinal))
            return name[..^4] + "flag";
        string words = Words(name.ToLowerInvariant());
        foreach (string ending in (string[])[" symbol", " sign"])
        {
            if (words.EndsWith(ending, StringComparison.Ordinal))
                words = words[..^ending.Length];
        }
        string brief = Words(shortName);
        bool isBetter = name.Contains(':') || words.Count(c => c == ' ') > brief.Count(c => c == ' ') + 1;
        return isBetter && brief.Length > 2 && !brief.Any(char.IsAsciiDigit) ? brief : words;
    }

    private static string Words(string name) =>
        string.Join(' ', name.Split(['_', '-', ' ', ':', ','], StringSplitOptions.RemoveEmptyEntries));
}
