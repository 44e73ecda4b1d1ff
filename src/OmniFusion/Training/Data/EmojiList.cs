using System.Text.Json;

namespace OmniFusion.Training.Data;

/// <summary>What a package <c>emoji-datasource-MAKER</c> says about its drawings: <c>emoji.json</c>.</summary>
internal sealed class EmojiList
{
    private readonly string _path;
    private readonly JsonElement[] _entries;

    private EmojiList(string path, JsonElement[] entries) => (_path, _entries) = (path, entries);

    /// <summary>Reads the list of a maker.</summary>
    /// <exception cref="OmniFusionException">It cannot be read or is something else.</exception>
    internal static EmojiList Read(string nodeModules, string maker)
    {
        string path = Path.Combine(nodeModules, $"emoji-datasource-{maker}", "emoji.json");
        return IconSet.Parsed(path, root => new EmojiList(path, [.. root.Clone().EnumerateArray()]));
    }

    /// <summary>The code points of each name, in the order of the list.</summary>
    /// <exception cref="OmniFusionException">An entry lacks something.</exception>
    internal IEnumerable<(string Name, string Code)> Names() => Checked(() => (
        from entry in _entries
        from name in entry.GetProperty("short_names").EnumerateArray().Prepend(entry.GetProperty("name"))
        select (IconSet.Text(name), HexcodeOf(entry))).ToArray());

    /// <summary>What all of some makers have drawn, each followed by its variants of one skin tone.</summary>
    /// <exception cref="OmniFusionException">There is nothing, or an entry lacks something.</exception>
    internal PictogramInfo[] DrawnBy(IReadOnlyList<string> makers)
    {
        PictogramInfo[] infos = Checked(() => _entries.Where(entry => IsDrawnByAll(entry, makers)).SelectMany(entry => Infos(entry, makers)).ToArray());
        return infos.Length > 0 ? infos : throw new OmniFusionException($"{_path} has no pictogram that all makers have drawn.");
    }

    private static IEnumerable<PictogramInfo> Infos(JsonElement entry, IReadOnlyList<string> makers)
    {
        string shortName = Text(entry, "short_name");
        PictogramInfo info = new(
            HexcodeOf(entry), DescriptionOf(Text(entry, "name"), shortName), Words(shortName), Text(entry, "category"), Text(entry, "subcategory"), null);
        yield return info;
        if (!entry.TryGetProperty("skin_variations", out JsonElement variants))
            yield break;
        // Of two people, there are 25 pairs of tones; one tone shows enough.
        foreach (JsonProperty variant in variants.EnumerateObject())
            if (!variant.Name.Contains('-') && IsDrawnByAll(variant.Value, makers))
                yield return info with { Hexcode = HexcodeOf(variant.Value), BaseHexcode = info.Hexcode };
    }

    private T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException)
        {
            throw new OmniFusionException($"{_path} is not the list of an emoji-datasource package: {error.Message}", error);
        }
    }

    private static bool IsDrawnByAll(JsonElement entry, IReadOnlyList<string> makers) =>
        makers.All(maker => entry.TryGetProperty("has_img_" + maker, out JsonElement has) && has.ValueKind == JsonValueKind.True);

    private static string HexcodeOf(JsonElement entry) => Path.GetFileNameWithoutExtension(Text(entry, "image"));

    private static string Text(JsonElement entry, string key) => IconSet.Text(entry.GetProperty(key));

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
