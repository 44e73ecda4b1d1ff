namespace OmniFusion.Training.Data;

/// <summary>
/// Makes a <see cref="PictogramPack"/> from npm packages: <c>emoji-datasource-MAKER</c> (iamcal/emoji-data), which hold the drawings and, in
/// <c>emoji.json</c>, what they show; older editions of them, which stand beside the new ones as <c>emoji-datasource-MAKER-EDITION</c>; and
/// packages of other makers (emojione; openmoji and fluent, each in several styles; sets of icons that are stored by their names). Taken is what all makers of the list have drawn, and variants of one
/// skin tone. What an older edition lacks is taken from the new one, and what one of those others lacks from the first maker.
/// </summary>
public static class PictogramPackBuilder
{
    /// <summary>
    /// The makers whose drawings the shipped recipes use, the last one to test with: how well a maker is known that was never seen hangs on
    /// how many others were.
    /// </summary>
    public static IReadOnlyList<string> UsualMakers { get; } =
    [
        "google", "google-3", "google-4", "twitter", "twitter-3", "emojione", "openmoji", "openmoji-black", "fluent", "fluent-flat", "fluent-modern",
        "fluent-contrast", "firefox", "emojione-1", "streamline", "icons-1", "icons-2", "icons-3", "icons-4", "icons-5", "icons-6", "icons-7", "icons-8",
        "facebook",
    ];

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
        string[] listed = [.. makers.Where(PictogramPackage.IsListed).Select(PictogramPackage.NameOf).Distinct()];
        Lazy<EmojiList> list = new(() => EmojiList.Read(nodeModules, makers[0]));
        Lazy<Dictionary<string, string>> codes = new(() => IconSet.Codes(nodeModules, list.Value));
        Dictionary<string, Dictionary<string, byte[]>> sets = [];
        Dictionary<string, PictogramPackage> packages = makers.Concat(listed).Distinct()
            .ToDictionary(maker => maker, maker => PictogramPackage.Open(nodeModules, maker, codes, sets));
        if (!PictogramPackage.IsListed(makers[0]))
            throw new OmniFusionException($"What is drawn is told by the list of the first maker, and {makers[0]} has none.");
        PictogramInfo[] infos = list.Value.DrawnBy(listed);
        // In the order of the pack, but several at once: what is no PNG takes an ffmpeg each.
        IEnumerable<byte[]> bitmaps = makers.SelectMany(maker => infos.Select(info => (maker, info.Hexcode)))
            .AsParallel().AsOrdered().Select(item => Read(packages, item.maker, item.Hexcode, makers[0], nodeModules));
        try
        {
            PictogramPack.Write(path, new PictogramPackHeader([.. makers], infos), bitmaps);
        }
        catch (AggregateException error) when (error.InnerExceptions[0] is OmniFusionException first)
        {
            throw new OmniFusionException(first.Message, error);
        }
    }

    private static byte[] Read(Dictionary<string, PictogramPackage> packages, string maker, string hexcode, string first, string nodeModules)
    {
        string other = PictogramPackage.IsListed(maker) ? PictogramPackage.NameOf(maker) : first;
        return packages[maker].Read(hexcode) ?? packages[other].Read(hexcode) ?? throw new OmniFusionException(
            $"The drawing {hexcode}.png of {other} is missing in {nodeModules}, though its list has it.");
    }
}
