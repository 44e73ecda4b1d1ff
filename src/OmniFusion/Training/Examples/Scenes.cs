using OmniFusion.Media;

namespace OmniFusion.Training.Examples;

/// <summary>Pictures whose content is to be named.</summary>
internal sealed class Scenes(PictureBook pictures, int count, int seed) : ExampleSource
{
    internal override int Count => count;

    internal override double Cost(int index) => PictureCost;

    internal override Example Make(int index, int pass)
    {
        (ImagePatches picture, string names) = pictures.Scene(Chance(seed, index, pass));
        return new Example { Picture = picture, Answer = names };
    }
}
