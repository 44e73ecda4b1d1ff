using OmniFusion.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Training.Examples;

/// <summary>
/// Ambiguous sentences spoken, mostly with a picture that decides. Some come without a picture and some with one of something else: then the
/// translation is one of the two, so that the picture is believed only where it says something.
/// </summary>
internal sealed class SpokenAmbiguity : ExampleSource
{
    // Shares of the examples without a picture, and with one that has nothing to do with the sentence.
    private const double Unseen = 0.12, Unrelated = 0.08;

    private readonly AmbiguityCorpus _corpus;
    private readonly SpeechExamples _speech;
    private readonly PictureBook _pictures;
    private readonly int _seed;
    private readonly double _transcribed;
    private readonly int[] _items;

    internal SpokenAmbiguity(AmbiguityCorpus corpus, SpeechExamples speech, PictureBook pictures, int seed, double transcribed)
    {
        (_corpus, _speech, _pictures, _seed, _transcribed) = (corpus, speech, pictures, seed, transcribed);
        _items = [.. Enumerable.Range(0, speech.Count).Where(item => corpus.Sentences[speech.TextIndex(item)].Split == "train")];
    }

    internal override int Count => _items.Length;

    internal override double Cost(int index) => _speech.SecondsOf(_items[index]) + PictureCost;

    internal override Example Make(int index, int pass)
    {
        Random chance = Chance.OfContent(_seed, pass, index);
        AmbiguousSentence sentence = _corpus.Sentences[_speech.TextIndex(_items[index])];
        int reading = chance.Next(2);
        double share = chance.NextDouble();
        (ImagePatches? picture, string? seen) = share < Unseen ? (null, null)
            : share < Unseen + Unrelated ? (_pictures.Scene(chance).Picture, null)
            : _pictures.Showing(sentence.Word.Pictures[reading], chance);
        return new Example
        {
            Mel = _speech.ReadAugmented(_items[index], pass), Picture = picture, Seen = seen, Answer = sentence.English,
            Transcribed = chance.NextDouble() < _transcribed,
            Translations = sentence.TranslationsOf(reading),
            Mistranslations = seen is null ? null : sentence.TranslationsOf(1 - reading),
            Told = seen is null ? null : TextPairs.Told(seen, sentence.English),
        };
    }
}
