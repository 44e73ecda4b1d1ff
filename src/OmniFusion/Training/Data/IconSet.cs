using System.Text;
using System.Text.Json;

namespace OmniFusion.Training.Data;

/// <summary>
/// Drawings in the layout of Iconify (<c>@iconify-json/NAME</c>): one <c>icons.json</c> with the inside of an SVG under each name, and further
/// names of the same. Names are not code points; for emoji the lists of emoji-datasource and OpenMoji tell which code points they stand for.
/// </summary>
internal static class IconSet
{
    private const string Namespaces = "xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"";

    // Iconify's, for a set that gives none (https://iconify.design/docs/types/iconify-json.html).
    private const double UsualSize = 16;

    /// <summary>The SVG of each drawing by its name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="colour">For what is drawn in one colour, the colour, as CSS has it.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or is something else.</exception>
    internal static Dictionary<string, byte[]> Read(string path, string colour = "black") =>
        Parsed(path, root =>
        {
            Dictionary<string, byte[]> drawings = [];
            JsonElement icons = root.GetProperty("icons");
            foreach (JsonProperty icon in icons.EnumerateObject())
            {
                (double width, double height) = (Size(icon.Value, root, "width"), Size(icon.Value, root, "height"));
                string svg = FormattableString.Invariant(
                    $"<svg {Namespaces} width=\"{Pictogram.Side}\" height=\"{Pictogram.Side}\" viewBox=\"0 0 {width} {height}\" color=\"{colour}\">") + Text(icon.Value.GetProperty("body")) + "</svg>";
                drawings.TryAdd(icon.Name, Encoding.UTF8.GetBytes(svg));
            }
            if (root.TryGetProperty("aliases", out JsonElement aliases))
            {
                foreach (JsonProperty alias in aliases.EnumerateObject())
                    if (drawings.TryGetValue(Text(alias.Value.GetProperty("parent")), out byte[]? drawing))
                        drawings.TryAdd(alias.Name, drawing);
            }
            return drawings;
        });

    /// <summary>The code points that the <see cref="Key"/> of a name stands for, by the list of the first maker and, where it is there, OpenMoji's.</summary>
    /// <exception cref="OmniFusionException">A list cannot be read or is something else.</exception>
    internal static Dictionary<string, string> Codes(string nodeModules, EmojiList first)
    {
        Dictionary<string, string> codes = [];
        foreach ((string name, string code) in first.Names())
            codes.TryAdd(Key(name), code);
        string annotated = Path.Combine(nodeModules, "openmoji", "data", "openmoji.json");
        return !File.Exists(annotated) ? codes : Parsed(annotated, root =>
        {
            foreach (JsonElement entry in root.EnumerateArray())
                codes.TryAdd(Key(Text(entry.GetProperty("annotation"))), Text(entry.GetProperty("hexcode")));
            return codes;
        });
    }

    /// <summary>
    /// A name in small letters without what stands between words, in which sets differ, and without a number, which they give to the drawings
    /// of which they have several.
    /// </summary>
    internal static string Key(string name)
    {
        string numbered = name.Length > 2 && name[^2] == '-' && char.IsAsciiDigit(name[^1]) ? name[..^2] : name;
        return string.Concat(numbered.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit));
    }

    private static double Size(JsonElement icon, JsonElement set, string name) =>
        icon.TryGetProperty(name, out JsonElement own) || set.TryGetProperty(name, out own) ? own.GetDouble() : UsualSize;

    /// <summary>A text that must be there.</summary>
    /// <exception cref="KeyNotFoundException">It is null.</exception>
    internal static string Text(JsonElement value) => value.GetString() ?? throw new KeyNotFoundException("A name or drawing is null.");

    /// <summary>Reads a JSON file.</summary>
    /// <exception cref="OmniFusionException">It cannot be read or is something else.</exception>
    internal static T Parsed<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot read {path}: {error.Message}", error);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new OmniFusionException($"{path} is not a list of drawings as its package should have it: {error.Message}", error);
        }
    }
}
