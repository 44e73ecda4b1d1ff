using OmniFusion.Media;

namespace OmniFusion.Training.Examples;

/// <summary>Pictures whose content is to be named.</summary>
/// <param name="pictures">Draws them.</param>
/// <param name="count">Pictures in a pass.</param>
/// <param name="seed">Of what they show.</param>
/// <param name="single">Whether each shows one thing only.</param>
internal sealed class Scenes(PictureBook pictures, int count, int seed, bool single = false) : ExampleSource
{
    internal override int Count => count;

    internal override double Cost(int index) => PictureCost;

    internal override Example Make(int index, int pass)
    {
        (ImagePatches picture, string names, int? shown) = pictures.Scene(Chance.OfContent(seed, pass, index), single);
        return new Example
        {
            Picture = picture, Answer = names, Seen = names, Shown = shown, Translations = new Dictionary<string, string> { ["en"] = names },
        };
    }
}
