namespace OmniFusion.Training.Examples;

/// <summary>Sentences spoken, some of them in the presence of a picture: one that shows a thing of the sentence, or any other.</summary>
internal sealed class SpokenLines : ExampleSource
{
    private readonly SpeechExamples _speech;
    private readonly string[] _text;
    private readonly IReadOnlyDictionary<string, string[]> _translations;
    private readonly PictureBook? _pictures;
    private readonly double _pictureShare, _transcribed, _beginnings;
    private readonly int _seed;

    internal SpokenLines(SpeechExamples speech, string[] text, IReadOnlyDictionary<string, string[]> translations, int seed,
        PictureBook? pictures = null, double pictureShare = 0, double transcribed = 0, double beginnings = 0)
    {
        (_speech, _text, _translations, _seed) = (speech, text, translations, seed);
        (_pictures, _pictureShare) = (pictures, pictures is null ? 0 : pictureShare);
        (_transcribed, _beginnings) = (transcribed, beginnings);
    }

    /// <summary>Whether a teacher has a say.</summary>
    internal bool Taught { get; init; } = true;

    internal override int Count => _speech.Count;

    internal override double Cost(int index) => _speech.SecondsOf(index) + _pictureShare * PictureCost;

    internal override Example Make(int index, int pass)
    {
        Random chance = Chance.OfContent(_seed, pass, index);
        int line = _speech.TextIndex(index);
        return new Example
        {
            Mel = _speech.ReadAugmented(index, pass),
            Picture = chance.NextDouble() < _pictureShare ? _pictures!.About(_text[line], chance) : null,
            Transcribed = chance.NextDouble() < _transcribed,
            Answer = _text[line], Told = Taught ? _text[line] : null,
            Translations = _translations.ToDictionary(item => item.Key, item => item.Value[line]),
            BreaksOff = chance.NextDouble() < _beginnings ? chance.NextDouble() : null,
        };
    }
}
