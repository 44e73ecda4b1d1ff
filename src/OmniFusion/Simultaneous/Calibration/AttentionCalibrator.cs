using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>A spoken sentence to calibrate on.</summary>
/// <param name="Samples">Mono, 16 kHz, the whole utterance.</param>
/// <param name="Transcript">What is said.</param>
/// <param name="Translation">Its translation.</param>
public sealed record CalibrationSentence(float[] Samples, string Transcript, string Translation);

/// <summary>
/// Finds the attention heads that follow the source, in all three decoders that a policy may look at: the translator over fused states, the
/// thinker as recogniser, and the translator over text. Each reads a text about a whole utterance (forced decoding), and all its heads are
/// scored (<see cref="HeadCalibration"/>). One thread at a time.
/// </summary>
public sealed class AttentionCalibrator
{
    private readonly OmniFusionModel _model;
    private readonly string _source, _target;
    private readonly bool _ownTexts;
    private readonly AttentionProbe _translatorProbe, _thinkerProbe;
    private readonly int _translatorHeads, _thinkerHeads;

    /// <summary>Begins with no sentences.</summary>
    /// <param name="model">The model to calibrate.</param>
    /// <param name="targetLanguage">Code or English name of the language of the translations.</param>
    /// <param name="sourceLanguage">That of the transcripts.</param>
    /// <param name="ownTexts">Whether each decoder reads what it writes itself, instead of the transcripts and translations given.</param>
    /// <exception cref="OmniFusionException">A language is not known.</exception>
    public AttentionCalibrator(OmniFusionModel model, string targetLanguage, string sourceLanguage = "en", bool ownTexts = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        (_model, _ownTexts) = (model, ownTexts);
        (_source, _target) = (Languages.Find(sourceLanguage).Code, model.Reader.Target(targetLanguage).Code);
        (_translatorProbe, Fused) = Begin(model.Parts.Translator.Decoder.Shape);
        (_, Text) = Begin(model.Parts.Translator.Decoder.Shape);
        (_thinkerProbe, Recognizer) = Begin(model.Parts.Thinker.Decoder.Shape);
        (_translatorHeads, _thinkerHeads) = (HeadsOf(model.Parts.Translator.Decoder.Shape), HeadsOf(model.Parts.Thinker.Decoder.Shape));
    }

    /// <summary>The translator's heads over fused states.</summary>
    public HeadCalibration Fused { get; }

    /// <summary>The thinker's heads over speech.</summary>
    public HeadCalibration Recognizer { get; }

    /// <summary>The translator's heads over text.</summary>
    public HeadCalibration Text { get; }

    /// <summary>Takes a sentence. What has too few tokens for a decoder does not count in its calibration.</summary>
    /// <exception cref="OmniFusionException">The utterance or a text is longer than the model takes.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public void Add(CalibrationSentence sentence, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(sentence);
        using (FusedSpeechDecoder fused = FusedSpeechDecoder.Create(_model, _target))
            AddSpeech(Fused, fused, sentence, sentence.Translation, _translatorProbe, _translatorHeads, cancellation);
        using (SpeechRecognizerDecoder recognizer = SpeechRecognizerDecoder.Create(_model))
            AddSpeech(Recognizer, recognizer, sentence, sentence.Transcript, _thinkerProbe, _thinkerHeads, cancellation);
        if (string.IsNullOrWhiteSpace(sentence.Transcript))
            return;
        using TextDecoder text = TextDecoder.Create(_model, _source, _target);
        text.SetSource(sentence.Transcript, ended: true);
        Count(Text, text, sentence.Translation, ids => text.Follow(ids, _translatorProbe), _translatorProbe, _translatorHeads,
            cancellation);
    }

    /// <summary>Settings of a bundle that name the best heads of each decoder, and nothing else.</summary>
    /// <param name="heads">Heads to name of each, at least 1; no more than there are.</param>
    /// <exception cref="OmniFusionException">No sentence counted.</exception>
    public BundleSimultaneous Choose(int heads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        return new BundleSimultaneous { Heads = Best(Fused), RecognizerHeads = Best(Recognizer), TextHeads = Best(Text) };

        (int, int)[] Best(HeadCalibration calibration) =>
            [.. calibration.Ranked().Take(heads).Select(head => (head.Head.Layer, head.Head.Head))];
    }

    private void AddSpeech(HeadCalibration into, SpeechDecoder decoder, CalibrationSentence sentence, string written, AttentionProbe probe,
        int heads, CancellationToken cancellation)
    {
        decoder.Append(sentence.Samples);
        decoder.Complete();
        if (decoder.SourcePositions > 0)
            Count(into, decoder, written, ids => decoder.Follow(ids, probe), probe, heads, cancellation);
    }

    private void Count(HeadCalibration into, IPartialDecoder decoder, string written, Action<int[]> follow, AttentionProbe probe, int heads,
        CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        int[] ids = _ownTexts ? decoder.Write([], _model.Bundle.Generation.MaxNewTokens, cancellation).Tokens
            : decoder.Tokenizer.Encode(written.Trim(), addSpecialTokens: false);
        if (ids.Length < HeadCalibration.FewestTokens)
            return;
        follow(ids);
        into.Add([.. Enumerable.Range(0, heads).Select(probe.RowsOf)]);
    }

    private static (AttentionProbe Probe, HeadCalibration Calibration) Begin(DecoderShape shape) => (
        new AttentionProbe(shape, [.. Enumerable.Range(0, HeadsOf(shape)).Select(i => (i / shape.Heads, i % shape.Heads))], apart: true),
        new HeadCalibration(shape.Layers, shape.Heads));

    private static int HeadsOf(DecoderShape shape) => shape.Layers * shape.Heads;
}
