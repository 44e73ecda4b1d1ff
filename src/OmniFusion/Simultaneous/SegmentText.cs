using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>The translation of one segment of speech in the making.</summary>
internal abstract class SegmentText : IDisposable
{
    // German captions have about 4 tokens a second; a model that runs on without end is stopped, a fast speaker is not.
    private const int TokensPerSecond = 12, TokensAtLeast = 24;

    // Words of a second of speech, for a model that cannot spell.
    private const double WordsPerSecond = 2.5;

    /// <summary>What is out, of this segment.</summary>
    internal abstract string Text { get; }

    /// <summary>What would follow now.</summary>
    internal abstract string Tentative { get; }

    /// <summary>Whether what was written about the speech is a whole sentence that the policy lets out to its end.</summary>
    internal abstract bool IsSentence { get; }

    /// <summary>What the audio tower's own head hears; null in a model without it.</summary>
    internal abstract Spelling? Spell();

    /// <summary>The next samples.</summary>
    internal abstract void Append(ReadOnlySpan<float> samples);

    /// <summary>There are no more samples.</summary>
    internal abstract void Complete();

    /// <summary>What is seen from now on.</summary>
    internal abstract void Show(RgbImage? image);

    /// <summary>Brings the texts up to date.</summary>
    internal abstract void Advance(CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract void Dispose();

    private protected static int MostTokens(double seconds) => TokensAtLeast + (int)(TokensPerSecond * seconds);

    private protected static int WordsIn(ISpeechDecoder speech, Spelling? spelling) =>
        spelling?.Words ?? (int)(speech.Seconds * WordsPerSecond);
}

/// <summary>The fused model writes the translation from the speech.</summary>
internal sealed class FusedSegment(ISpeechDecoder speech, Policy policy) : SegmentText
{
    private readonly PartialText _text = new(speech, policy);

    internal override string Text => _text.Text;

    internal override string Tentative => _text.Tentative;

    internal override bool IsSentence => _text.IsSentence;

    internal override Spelling? Spell() => (speech as ISpellingDecoder)?.Spell();

    internal override void Append(ReadOnlySpan<float> samples) => speech.Append(samples);

    internal override void Complete() => speech.Complete();

    internal override void Show(RgbImage? image) => speech.Show(image);

    internal override void Advance(CancellationToken cancellation) =>
        _text.Advance(speech.Seconds, WordsIn(speech, Spell()), MostTokens(speech.Seconds), cancellation);

    public override void Dispose() => speech.Dispose();
}

/// <summary>The recogniser writes a transcript, and the translator translates what of it is stable.</summary>
internal sealed class CascadeSegment(ISpeechDecoder speech, Policy speechPolicy, ITextDecoder translator, Policy textPolicy) : SegmentText
{
    private readonly PartialText _heard = new(speech, speechPolicy), _text = new(translator, textPolicy);
    private string _source = "";
    private bool _ended;

    internal override string Text => _text.Text;

    internal override string Tentative => _text.Tentative;

    internal override bool IsSentence => _heard.IsSentence;

    internal override Spelling? Spell() => (speech as ISpellingDecoder)?.Spell();

    internal override void Append(ReadOnlySpan<float> samples) => speech.Append(samples);

    internal override void Complete() => speech.Complete();

    internal override void Show(RgbImage? image) => speech.Show(image);

    internal override void Advance(CancellationToken cancellation)
    {
        _heard.Advance(speech.Seconds, WordsIn(speech, Spell()), MostTokens(speech.Seconds), cancellation);
        string source = _heard.Text.Trim();
        if (source.Length == 0 || (source == _source && speech.SourceEnded == _ended))
            return;
        translator.SetSource(source, speech.SourceEnded);
        _text.Advance(speech.Seconds, WordCuts.Count(source), MostTokens(speech.Seconds), cancellation);
        (_source, _ended) = (source, speech.SourceEnded);
    }

    public override void Dispose()
    {
        speech.Dispose();
        translator.Dispose();
    }
}
