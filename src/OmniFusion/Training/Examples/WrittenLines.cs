namespace OmniFusion.Training.Examples;

/// <summary>Sentences given as text beside a picture, which shows a thing of the sentence or any other.</summary>
internal sealed class WrittenLines(
    string[] text, IReadOnlyDictionary<string, string[]> translations, int count, int seed, PictureBook pictures) : ExampleSource
{
    internal override int Count => count;

    // A pass takes other sentences than the last, so each costs what sentences cost on average.
    private readonly double _cost = text.Average(CostOf) + PictureCost;

    internal override double Cost(int index) => _cost;

    internal override Example Make(int index, int pass)
    {
        Random chance = Chance.OfContent(seed, pass, index);
        int line = chance.Next(text.Length);
        return new Example
        {
            Text = text[line],
            Picture = pictures.About(text[line], chance),
            Answer = text[line], Told = text[line],
            Translations = translations.ToDictionary(item => item.Key, item => item.Value[line]),
        };
    }
}
