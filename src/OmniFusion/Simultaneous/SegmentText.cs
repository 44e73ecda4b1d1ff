using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>The translation of one segment of speech in the making.</summary>
internal abstract class SegmentText : IDisposable
{
    // German captions have about 4 tokens a second; a model that runs on without end is stopped, a fast speaker is not.
    private const int TokensPerSecond = 12, TokensAtLeast = 24;

    /// <summary>What is out, of this segment.</summary>
    internal abstract string Text { get; }

    /// <summary>What would follow now.</summary>
    internal abstract string Tentative { get; }

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

    private protected static int WordsIn(ISpeechDecoder speech) => speech is ISpeller speller
        ? WordCuts.Count(speller.Spelling) : (int)(speech.Seconds * ISpeller.WordsPerSecond);
}

/// <summary>A speech decoder whose audio tower can spell what it heard.</summary>
public interface ISpeller
{
    /// <summary>Words in a second of English speech, for decoders that cannot spell.</summary>
    internal const double WordsPerSecond = 2.5;

    /// <summary>The characters heard so far, the last word perhaps half.</summary>
    string Spelling { get; }
}

/// <summary>The fused model writes the translation from the speech.</summary>
internal sealed class FusedSegment(ISpeechDecoder speech, Policy policy) : SegmentText
{
    private readonly PartialText _text = new(speech, policy);

    internal override string Text => _text.Text;

    internal override string Tentative => _text.Tentative;

    internal override void Append(ReadOnlySpan<float> samples) => speech.Append(samples);

    internal override void Complete() => speech.Complete();

    internal override void Show(RgbImage? image) => speech.Show(image);

    internal override void Advance(CancellationToken cancellation) =>
        _text.Advance(speech.Seconds, WordsIn(speech), MostTokens(speech.Seconds), cancellation);

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

    internal override void Append(ReadOnlySpan<float> samples) => speech.Append(samples);

    internal override void Complete() => speech.Complete();

    internal override void Show(RgbImage? image) => speech.Show(image);

    internal override void Advance(CancellationToken cancellation)
    {
        _heard.Advance(speech.Seconds, WordsIn(speech), MostTokens(speech.Seconds), cancellation);
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
