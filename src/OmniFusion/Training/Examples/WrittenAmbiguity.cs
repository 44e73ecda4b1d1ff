using OmniFusion.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Training.Examples;

/// <summary>Ambiguous sentences given as text beside the picture that decides.</summary>
internal sealed class WrittenAmbiguity(AmbiguityCorpus corpus, PictureBook pictures, int seed) : ExampleSource
{
    private readonly AmbiguousSentence[] _sentences = [.. corpus.Sentences.Where(sentence => sentence.Split == "train")];

    // Each sentence once for each reading.
    internal override int Count => 2 * _sentences.Length;

    internal override double Cost(int index) => CostOf(_sentences[index / 2].English) + PictureCost;

    internal override Example Make(int index, int pass)
    {
        AmbiguousSentence sentence = _sentences[index / 2];
        int reading = index % 2;
        (ImagePatches picture, string name) = pictures.Showing(sentence.Word.Pictures[reading], Chance.OfContent(seed, pass, index));
        return new Example
        {
            Text = sentence.English, Picture = picture, Seen = name,
            Answer = sentence.English, Translations = sentence.TranslationsOf(reading),
            Mistranslations = sentence.TranslationsOf(1 - reading),
            Told = TextPairs.Told(name, sentence.English),
        };
    }
}
