using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>
/// The npm package with one maker's drawings: <c>emoji-datasource-MAKER</c>, as <c>MAKER-EDITION</c> an older one of them, or a package of
/// the maker's own, whose files are named and stored in another way.
/// </summary>
internal sealed class PictogramPackage
{
    // Each with its folder, how a file ends, and how npm is to get it.
    private static readonly Dictionary<string, (string Folder, string Ending, string Package)> s_others = new()
    {
        ["emojione"] = ("emoji-datasource-emojione/img/emojione/64", ".png", "emoji-datasource-emojione"),
        ["openmoji"] = ("openmoji/color/svg", ".svg", "openmoji"),
        ["openmoji-black"] = ("openmoji/black/svg", ".svg", "openmoji"),
        ["fluent"] = ("@lobehub/fluent-emoji-3d/assets", ".webp", "@lobehub/fluent-emoji-3d"),
        ["fluent-flat"] = ("@lobehub/fluent-emoji-flat/assets", ".svg", "@lobehub/fluent-emoji-flat"),
        ["fluent-modern"] = ("@lobehub/fluent-emoji-modern/assets", ".svg", "@lobehub/fluent-emoji-modern"),
    };

    private readonly string _ending;

    // By code point without the variation selector, which makers put or leave out as they like.
    private readonly Dictionary<string, string> _files;

    private PictogramPackage(string folder, string ending)
    {
        _ending = ending;
        _files = Directory.EnumerateFiles(folder, "*" + ending).Order(StringComparer.Ordinal)
            .GroupBy(path => PictogramPack.Normalize(Path.GetFileNameWithoutExtension(path))).ToDictionary(group => group.Key, group => group.First());
    }

    /// <summary>Opens the package of a maker.</summary>
    /// <exception cref="OmniFusionException">It is not there.</exception>
    internal static PictogramPackage Open(string nodeModules, string maker)
    {
        (string folder, string ending, string package) = s_others.TryGetValue(maker, out (string, string, string) other) ? other
            : ($"emoji-datasource-{maker}/img/{NameOf(maker)}/64", ".png",
                $"emoji-datasource-{NameOf(maker)}" + (maker == NameOf(maker) ? ""
                    : $"{maker[NameOf(maker).Length..]}@npm:emoji-datasource-{NameOf(maker)}@{maker[(NameOf(maker).Length + 1)..]}"));
        string path = Path.Combine(nodeModules, Path.Combine(folder.Split('/')));
        return Directory.Exists(path) ? new PictogramPackage(path, ending)
            : throw new OmniFusionException($"The folder {path} is missing: npm install {package} in the folder above {nodeModules} gets it.");
    }

    /// <summary>Who drew it: "google-3" is edition 3 of what google drew.</summary>
    internal static string NameOf(string maker) => maker.Split('-')[0];

    /// <summary>Whether the list of an <c>emoji-datasource</c> package tells what the maker drew.</summary>
    internal static bool IsListed(string maker) => !s_others.ContainsKey(maker);

    /// <summary>The drawing as RGBA pixels, or null where the maker has none.</summary>
    /// <exception cref="OmniFusionException">The file is damaged or of another size, or ffmpeg is missing, which decodes what is no PNG.</exception>
    internal byte[]? Read(string hexcode)
    {
        if (!_files.TryGetValue(PictogramPack.Normalize(hexcode), out string? path))
            return null;
        (int width, int height, byte[] pixels) = PngDecoder.DecodeRgba(ReadPng(path), path);
        return (width, height) == (Pictogram.Side, Pictogram.Side)
            ? pixels
            : throw new OmniFusionException($"The image {path} has {width} x {height} pixels instead of {Pictogram.Side} x {Pictogram.Side}.");
    }

    private byte[] ReadPng(string path)
    {
        try
        {
            if (_ending == ".png")
                return File.ReadAllBytes(path);
            using FileStream file = File.OpenRead(path);
            return ImageFfmpeg.ToPng(default, file, path, CancellationToken.None, side: Pictogram.Side, svg: _ending == ".svg" ? file.Length : null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot read {path}: {error.Message}", error);
        }
    }
}
