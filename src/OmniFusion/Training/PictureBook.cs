using OmniFusion.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Training;

/// <summary>Draws the pictures that a training asks for, each time another one. Safe from several threads.</summary>
internal sealed class PictureBook
{
    /// <summary>Pixels in a row, and rows, of a picture.</summary>
    internal const int Side = 112;

    /// <summary>Tokens that a thinker sees such a picture as: one for each 28 x 28 pixels.</summary>
    internal const int Tokens = Side / 28 * (Side / 28);

    // Share of the pictures that are drawn as whoever shows a thing on purpose would: upright, on white, in the drawing's own colours.
    private const double Plain = 0.3;

    // Share of the drawings that are of two makers together.
    private const double Mixed = 0.5;

    // How often another maker is asked.
    private const int Attempts = 8;

    // Shorter names, such as "up", say nothing about a sentence that has the word.
    private const int ShortestWord = 3;

    private readonly PictogramPack _pack;
    private readonly IReadOnlyList<string> _makers;
    private readonly SceneComposer _composer = new(Side);
    private readonly ImageProcessor _processor = new(new ImageProcessorConfig(), imageSize: null);

    // What is drawn, without the variants in skin tone, which stand behind their base.
    private readonly PictogramInfo[] _infos, _wanted;
    private readonly ILookup<string, PictogramInfo> _variants, _byWord;

    /// <summary>A book of one pack.</summary>
    /// <param name="pack">The pictograms.</param>
    /// <param name="makers">Whose drawings are used.</param>
    /// <param name="wanted">Pictograms that most of the scenes are made of, or none.</param>
    /// <exception cref="OmniFusionException">The pack has no such maker or pictogram.</exception>
    internal PictureBook(PictogramPack pack, IReadOnlyList<string> makers, IEnumerable<string> wanted)
    {
        (_pack, _makers) = (pack, makers);
        if (makers.Count == 0 || makers.Any(maker => !pack.Makers.Contains(maker)))
            throw new OmniFusionException($"The pictograms are by {string.Join(", ", pack.Makers)}, not by {string.Join(", ", makers)}.");
        _infos = [.. pack.Infos.Where(info => info.BaseHexcode is null)];
        _variants = pack.Infos.Where(info => info.BaseHexcode is not null).ToLookup(info => info.BaseHexcode!);
        _byWord = _infos.Where(info => info.Name.Length >= ShortestWord && !info.Name.Contains(' ')).ToLookup(info => info.Name.ToLowerInvariant());
        _wanted = [.. wanted.Distinct().Select(code => pack.Find(code, makers[0])?.Info
            ?? throw new OmniFusionException($"There is no pictogram '{code}' that all makers drew."))];
    }

    /// <summary>A picture that shows one of these pictograms, now and then beside something else, and the name of the one.</summary>
    internal (ImagePatches Picture, string Name) Showing(IReadOnlyList<string> hexcodes, Random random)
    {
        PictogramInfo shown = _pack.Find(hexcodes[random.Next(hexcodes.Count)], _makers[0])!.Info;
        List<PictogramInfo> scene = [shown];
        // What stands beside it must not speak for the other reading.
        if (random.NextDouble() < 0.2)
            scene.Add(OfAll(random));
        return (Draw(scene, random), shown.Name);
    }

    /// <summary>A picture to go with a sentence: half of the time, where that can be drawn, of a thing it names, else of anything.</summary>
    internal ImagePatches About(string sentence, Random random)
    {
        PictogramInfo[] named = random.Next(2) == 0
            ? [.. sentence.ToLowerInvariant().Split(' ', ',', '.', '\'', '"').SelectMany(word => _byWord[word])] : [];
        return named.Length > 0 ? Draw([named[random.Next(named.Length)]], random) : Scene(random).Picture;
    }

    /// <summary>Things that can be shown.</summary>
    internal int Count => _infos.Length;

    /// <summary>One to three pictograms, their names in the order of the alphabet, and the number of a single one.</summary>
    internal (ImagePatches Picture, string Names, int? Shown) Scene(Random random, bool single = false)
    {
        double share = random.NextDouble();
        int count = single || share < 0.6 ? 1 : share < 0.85 ? 2 : 3;
        PictogramInfo[] infos = [.. Enumerable.Range(0, count).Select(_ =>
            _wanted.Length > 0 && random.Next(4) > 0 ? _wanted[random.Next(_wanted.Length)] : OfAll(random))];
        string names = string.Join(", ", infos.Select(info => info.Name).Order(StringComparer.Ordinal));
        return (Draw(infos, random), names, count == 1 ? Array.IndexOf(_infos, infos[0]) : null);
    }

    /// <summary>Patches of a picture of the right size.</summary>
    internal ImagePatches Patches(RgbImage image) => _processor.Process(image);

    private PictogramInfo OfAll(Random random) => _infos[random.Next(_infos.Length)];

    private ImagePatches Draw(IReadOnlyList<PictogramInfo> scene, Random random)
    {
        Pictogram[] drawings = [.. scene.Select(info =>
        {
            PictogramInfo[] tones = [info, .. _variants[info.Hexcode]];
            string tone = tones[random.Next(tones.Length)].Hexcode;
            Pictogram drawing = Drawing(tone, random);
            return random.NextDouble() < Mixed ? PictogramMixer.Mix(drawing, Drawing(tone, random), random) : drawing;
        })];
        return Patches(random.NextDouble() < Plain ? _composer.ComposeFixed(drawings) : _composer.Compose(drawings, random));
    }

    // By a maker who drew it: a pack repeats the first maker's drawing for those who did not, and it would be seen too often.
    private Pictogram Drawing(string hexcode, Random random)
    {
        Pictogram first = _pack.Find(hexcode, _pack.Makers[0])!, drawing = first;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            string maker = _makers[random.Next(_makers.Count)];
            drawing = _pack.Find(hexcode, maker)!;
            if (maker == first.Maker || !drawing.Pixels.SequenceEqual(first.Pixels))
                break;
        }
        return drawing;
    }
}
