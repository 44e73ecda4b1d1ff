using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>The translation of one segment of speech in the making.</summary>
internal abstract class SegmentText(ISpeechDecoder speech, PartialText text) : IDisposable
{
    // German captions have about 4 tokens a second; a model that runs on without end is stopped, a fast speaker is not.
    private const int TokensPerSecond = 12, TokensAtLeast = 24;

    // Words of a second of speech, for a model that cannot spell.
    private const double WordsPerSecond = 2.5;

    /// <summary>What is out, of this segment.</summary>
    internal string Text => text.Text;

    /// <summary>What would follow now.</summary>
    internal string Tentative => text.Tentative;

    /// <summary>Whether what was written about the speech is a whole sentence that the policy lets out to its end.</summary>
    internal abstract bool IsSentence { get; }

    /// <summary>
    /// What the thinker wrote about the speech so far; null where it writes nothing. Where the text ends with a sentence it is the reading that told
    /// its end.
    /// </summary>
    internal string? Transcript => SentenceEnd is { } end && Written is not null ? end.Heard : Written;

    /// <summary>Where in the speech the text ends, when it ends with a sentence behind which more is heard; otherwise null.</summary>
    internal SourceEnd? SentenceEnd { get; private set; }

    /// <summary>How far what was heard is from the offline computation.</summary>
    internal float LogMelDeviation => (speech as SpeechDecoder)?.LogMelDeviation ?? 0;

    private protected ISpeechDecoder Speech => speech;

    /// <summary>All that the thinker wrote.</summary>
    private protected abstract string? Written { get; }

    private protected PartialText Translation => text;

    private protected int MostTokens => TokensAtLeast + (int)(TokensPerSecond * speech.Seconds);

    /// <summary>What the audio tower's own head hears; null in a model without it.</summary>
    internal Spelling? Spell() => (speech as ISpellingDecoder)?.Spell();

    /// <summary>The next samples.</summary>
    internal void Append(ReadOnlySpan<float> samples) => speech.Append(samples);

    /// <summary>There are no more samples.</summary>
    internal void Complete() => speech.Complete();

    /// <summary>What is seen from now on.</summary>
    internal void Show(RgbImage? image) => speech.Show(image);

    /// <summary>Brings the texts up to date.</summary>
    /// <param name="cancellation">Checked at each token.</param>
    /// <param name="sentencesOnly">Nothing is done where what is written about the speech is no whole sentence.</param>
    internal void Advance(CancellationToken cancellation, bool sentencesOnly)
    {
        SentenceEnd = null;
        Write(cancellation, sentencesOnly);
    }

    /// <inheritdoc/>
    public virtual void Dispose() => speech.Dispose();

    /// <inheritdoc cref="Advance(CancellationToken, bool)"/>
    private protected abstract void Write(CancellationToken cancellation, bool sentencesOnly);

    /// <summary>Brings up to date what is written about the speech itself.</summary>
    private protected void Advance(
        PartialText written, CancellationToken cancellation, bool sentencesOnly, Func<string, int, bool>? endsAt = null) => written.Advance(
        speech.Seconds, Spell()?.Words ?? (int)(speech.Seconds * WordsPerSecond), MostTokens, cancellation, sentencesOnly, endsAt);

    /// <summary>Whether the segment may end with a sentence of its translation.</summary>
    /// <param name="heard">What is translated, in words.</param>
    /// <param name="translation">As it would be now.</param>
    /// <param name="end">Its length up to the end of the sentence.</param>
    private protected bool EndsAt(string heard, string translation, int end)
    {
        SentenceEnd = Spell() is { } spelling ? Sentences.InSource(translation, end, heard, spelling) : null;
        return SentenceEnd is not null;
    }
}

/// <summary>The fused model writes the translation from the speech.</summary>
internal sealed class FusedSegment(ISpeechDecoder speech, Policy policy) : SegmentText(speech, new PartialText(speech, policy))
{
    internal override bool IsSentence => Translation.IsSentence;

    private protected override string? Written => (Speech as FusedSpeechDecoder)?.Transcript is { Length: > 0 } heard ? heard : null;

    private protected override void Write(CancellationToken cancellation, bool sentencesOnly) => Advance(
        Translation, cancellation, sentencesOnly, sentencesOnly ? null : (text, end) => Speech is ISpellingDecoder decoder && decoder.Heard.Any(heard => EndsAt(heard, text, end)));
}

/// <summary>The recogniser writes a transcript, and the translator translates what of it is stable.</summary>
internal sealed class CascadeSegment(ISpeechDecoder speech, Policy speechPolicy, ITextDecoder translator, Policy textPolicy)
    : SegmentText(speech, new PartialText(translator, textPolicy))
{
    private readonly PartialText _heard = new(speech, speechPolicy);
    private string _source = "";
    private bool _ended;

    internal override bool IsSentence => _heard.IsSentence;

    private protected override string? Written => (_heard.Text + _heard.Tentative).Trim() is { Length: > 0 } heard ? heard : null;

    private protected override void Write(CancellationToken cancellation, bool sentencesOnly)
    {
        Advance(_heard, cancellation, sentencesOnly);
        if (sentencesOnly && !IsSentence)
            return;
        string source = _heard.Text.Trim();
        if (source.Length == 0 || (source == _source && Speech.SourceEnded == _ended))
            return;
        translator.SetSource(source, Speech.SourceEnded);
        Translation.Advance(Speech.Seconds, WordCuts.Count(source), MostTokens, cancellation,
            endsAt: sentencesOnly ? null : (text, end) => EndsAt(source, text, end));
        (_source, _ended) = (source, Speech.SourceEnded);
    }

    public override void Dispose()
    {
        base.Dispose();
        translator.Dispose();
    }
}
