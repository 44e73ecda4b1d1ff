using OmniFusion.Training.Data;

namespace OmniFusion.Training.Examples;

/// <summary>Slides whose text is to be read.</summary>
internal sealed class Slides(PicturePack slides, PictureBook pictures) : ExampleSource
{
    internal override int Count => slides.Count;

    internal override double Cost(int index) => PictureCost;

    internal override Example Make(int index, int pass) =>
        new() { Picture = pictures.Patches(slides.Read(index)), Answer = slides.Texts[index] };
}
