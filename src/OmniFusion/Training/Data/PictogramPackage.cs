using System.Globalization;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>
/// The npm package with one maker's drawings: <c>emoji-datasource-MAKER</c>, as <c>MAKER-EDITION</c> an older one of them, or another package,
/// whose drawings are named and stored in another way. <c>icons-N</c> has for each thing the Nth of the icons that <c>Icons.tsv</c> lists for it,
/// out of many sets: each by another hand, and most in one colour.
/// </summary>
internal sealed class PictogramPackage
{
    private const string IconFile = "icons.json", Icons = "icons";

    // Something to turn and darken: a shape in black has no colour to be told by, and none to learn to do without.
    private const string IconColour = "steelblue";

    // Each with its folder, how a file ends, and how npm is to get it; or with the file that has them all (IconSet).
    private static readonly Dictionary<string, (string Folder, string Ending, string Package)> s_others = new()
    {
        ["emojione"] = ("emoji-datasource-emojione/img/emojione/64", ".png", "emoji-datasource-emojione"),
        ["openmoji"] = ("openmoji/color/svg", ".svg", "openmoji"),
        ["openmoji-black"] = ("openmoji/black/svg", ".svg", "openmoji"),
        ["fluent"] = ("@lobehub/fluent-emoji-3d/assets", ".webp", "@lobehub/fluent-emoji-3d"),
        ["fluent-flat"] = ("@lobehub/fluent-emoji-flat/assets", ".svg", "@lobehub/fluent-emoji-flat"),
        ["fluent-modern"] = ("@lobehub/fluent-emoji-modern/assets", ".svg", "@lobehub/fluent-emoji-modern"),
        ["fluent-contrast"] = ("@iconify-json/fluent-emoji-high-contrast", IconFile, "@iconify-json/fluent-emoji-high-contrast"),
        ["firefox"] = ("@iconify-json/fxemoji", IconFile, "@iconify-json/fxemoji"),
        ["emojione-1"] = ("@iconify-json/emojione-v1", IconFile, "@iconify-json/emojione-v1"),
        ["streamline"] = ("@iconify-json/streamline-emojis", IconFile, "@iconify-json/streamline-emojis"),
    };

    // By code points, as PictogramPack compares them: a path whose ending tells what it is, and how to open it.
    private readonly Dictionary<string, (string Path, Func<Stream> Open)> _drawings;

    private PictogramPackage(Dictionary<string, (string Path, Func<Stream> Open)> drawings) => _drawings = drawings;

    /// <summary>Opens the package of a maker.</summary>
    /// <param name="nodeModules">Folder with the packages.</param>
    /// <param name="maker">The maker.</param>
    /// <param name="codes">What gives the code points of a name (<see cref="IconSet.Codes"/>).</param>
    /// <param name="sets">The sets of icons read so far, by name: makers of icons share them.</param>
    /// <exception cref="OmniFusionException">It is not there, or damaged.</exception>
    internal static PictogramPackage Open(
        string nodeModules, string maker, Lazy<Dictionary<string, string>> codes, Dictionary<string, Dictionary<string, byte[]>> sets)
    {
        if (IsIcons(maker))
            return new PictogramPackage(OfManySets(nodeModules, PlaceOf(maker), sets));
        (string folder, string ending, string package) = s_others.TryGetValue(maker, out (string, string, string) other) ? other
            : ($"emoji-datasource-{maker}/img/{NameOf(maker)}/64", ".png",
                $"emoji-datasource-{NameOf(maker)}" + (maker == NameOf(maker) ? ""
                    : $"{maker[NameOf(maker).Length..]}@npm:emoji-datasource-{NameOf(maker)}@{maker[(NameOf(maker).Length + 1)..]}"));
        string path = Folder(nodeModules, folder, package);
        return new PictogramPackage(ending == IconFile ? InOneFile(Path.Combine(path, IconFile), codes.Value) : InFiles(path, ending));
    }

    private static Dictionary<string, (string Path, Func<Stream> Open)> InFiles(string folder, string ending) =>
        Directory.EnumerateFiles(folder, "*" + ending).Order(StringComparer.Ordinal)
            .GroupBy(path => PictogramPack.Normalize(Path.GetFileNameWithoutExtension(path)))
            .ToDictionary(group => group.Key, group => (group.First(), (Func<Stream>)(() => File.OpenRead(group.First()))));

    private static Dictionary<string, (string Path, Func<Stream> Open)> InOneFile(string path, Dictionary<string, string> codes) =>
        IconSet.Read(path).OrderBy(icon => icon.Key, StringComparer.Ordinal)
            .Where(icon => codes.ContainsKey(IconSet.Key(icon.Key))).GroupBy(icon => PictogramPack.Normalize(codes[IconSet.Key(icon.Key)]))
            .ToDictionary(group => group.Key, group => Drawing(path, group.First().Key, group.First().Value));

    // Where there are fewer, they come round again.
    private static Dictionary<string, (string Path, Func<Stream> Open)> OfManySets(
        string nodeModules, int place, Dictionary<string, Dictionary<string, byte[]>> sets)
    {
        Dictionary<string, (string Path, Func<Stream> Open)> drawings = [];
        foreach (string[] line in EmbeddedLines.Read("Icons.tsv").Select(line => line.Split('\t')))
        {
            string[] icons = line[1].Split(' ');
            string[] icon = icons[(place - 1) % icons.Length].Split(':');
            string package = "@iconify-json/" + icon[0], path = Path.Combine(Folder(nodeModules, package, package), IconFile);
            if (!sets.TryGetValue(icon[0], out Dictionary<string, byte[]>? set))
                sets[icon[0]] = set = IconSet.Read(path, IconColour);
            // A later edition of a set may have dropped one.
            if (set.TryGetValue(icon[1], out byte[]? svg))
                drawings[PictogramPack.Normalize(line[0])] = Drawing(path, icon[1], svg);
        }
        return drawings;
    }

    private static int PlaceOf(string maker) =>
        int.TryParse(maker.AsSpan(NameOf(maker).Length).TrimStart('-'), NumberStyles.None, CultureInfo.InvariantCulture, out int place) && place > 0 ? place
            : throw new OmniFusionException($"There is no maker '{maker}': icons are {Icons}-1, {Icons}-2 and so on.");

    private static (string Path, Func<Stream> Open) Drawing(string path, string name, byte[] svg) => ($"{path}: {name}.svg", () => new MemoryStream(svg));

    private static string Folder(string nodeModules, string folder, string package)
    {
        string path = Path.Combine(nodeModules, Path.Combine(folder.Split('/')));
        return Directory.Exists(path) ? path
            : throw new OmniFusionException($"The folder {path} is missing: npm install {package} in the folder above {nodeModules} gets it.");
    }

    /// <summary>Who drew it: "google-3" is edition 3 of what google drew.</summary>
    internal static string NameOf(string maker) => maker.Split('-')[0];

    /// <summary>Whether the list of an <c>emoji-datasource</c> package tells what the maker drew.</summary>
    internal static bool IsListed(string maker) => !s_others.ContainsKey(maker) && !IsIcons(maker);

    private static bool IsIcons(string maker) => NameOf(maker) == Icons;

    /// <summary>The drawing as RGBA pixels, or null where the maker has none.</summary>
    /// <exception cref="OmniFusionException">The file is damaged or of another size, or ffmpeg is missing, which decodes what is no PNG.</exception>
    internal byte[]? Read(string hexcode)
    {
        if (!_drawings.TryGetValue(PictogramPack.Normalize(hexcode), out (string Path, Func<Stream> Open) drawing))
            return null;
        (int width, int height, byte[] pixels) = PngDecoder.DecodeRgba(ReadPng(drawing.Path, drawing.Open), drawing.Path);
        return (width, height) == (Pictogram.Side, Pictogram.Side)
            ? pixels
            : throw new OmniFusionException(
                $"The image {drawing.Path} has {width} x {height} pixels instead of {Pictogram.Side} x {Pictogram.Side}.");
    }

    private static byte[] ReadPng(string path, Func<Stream> open)
    {
        try
        {
            using Stream file = open();
            string ending = Path.GetExtension(path);
            return ending == ".png" ? ImageFile.ReadToEnd([], file, path, CancellationToken.None)
                : ImageFfmpeg.ToPng(default, file, path, CancellationToken.None, side: Pictogram.Side, svg: ending == ".svg" ? file.Length : null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot read {path}: {error.Message}", error);
        }
    }
}
