using OmniFusion.Training.Data;

namespace OmniFusion.Training.Examples;

/// <summary>Sentences with a term, such as a name, mostly heard beside a slide that shows its spelling, sometimes beside another's or none.</summary>
internal sealed class SpokenTerms : ExampleSource
{
    // Shares of the examples without a slide, and with that of another term.
    private const double Unseen = 0.2, Unrelated = 0.1;

    private readonly SpokenLines _lines;
    private readonly SpeechExamples _speech;
    private readonly string[] _terms;
    private readonly PicturePack _slides;
    private readonly ILookup<string, int> _byTerm;
    private readonly PictureBook _pictures;
    private readonly int _seed;

    /// <exception cref="OmniFusionException">A term has no slide.</exception>
    internal SpokenTerms(SpokenLines lines, SpeechExamples speech, string[] terms, PicturePack slides, PictureBook pictures, int seed)
    {
        (_lines, _speech, _terms, _slides, _pictures, _seed) = (lines, speech, terms, slides, pictures, seed);
        _byTerm = slides.Texts.Select((text, slide) => (text, slide)).ToLookup(item => item.text, item => item.slide);
        if (terms.FirstOrDefault(term => !_byTerm.Contains(term)) is { } missing)
            throw new OmniFusionException($"No slide shows '{missing}'.");
    }

    internal override int Count => _lines.Count;

    internal override double Cost(int index) => _lines.Cost(index) + PictureCost;

    internal override Example Make(int index, int pass)
    {
        Random chance = Chance.OfSlide(_seed, pass, index);
        Example spoken = _lines.Make(index, pass);
        double share = chance.NextDouble();
        if (share < Unseen)
            return spoken;
        int[] own = [.. _byTerm[_terms[_speech.TextIndex(index)]]];
        int slide = share < Unseen + Unrelated ? chance.Next(_slides.Count) : own[chance.Next(own.Length)];
        // The teacher, which only reads, has no part in this: how a name is spelt is for the slide to say.
        return spoken with { Picture = _pictures.Patches(_slides.Read(slide)), Told = null };
    }
}
