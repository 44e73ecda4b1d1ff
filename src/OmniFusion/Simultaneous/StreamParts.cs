using OmniFusion.Checkpoints;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// What the translators of a stream are made of: options where they are given, otherwise the bundle's, otherwise the defaults.
/// </summary>
internal sealed class StreamParts
{
    private readonly OmniFusionModel _model;
    private readonly Language _source, _target;
    private readonly PolicyOptions _policy, _transcriptPolicy;
    private readonly ShownImage _shown = new();

    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    internal StreamParts(OmniFusionModel model, SimultaneousOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        (_model, Options) = (model, options);
        BundleSimultaneous bundle = model.Bundle.Simultaneous;
        _target = model.Reader.Target(options.TargetLanguage);
        _source = Languages.Find(options.SourceLanguage);
        _policy = options.Policy ?? PolicyOptions.Parse(bundle.Policy ?? SimultaneousOptions.DefaultPolicy);
        _transcriptPolicy = options.TranscriptPolicy ?? _policy;
        Check(options, _policy);
        Settings = new StreamSettings(
            options.ChunkSeconds ?? bundle.ChunkSeconds ?? SimultaneousOptions.DefaultChunk,
            options.PauseSeconds ?? bundle.PauseSeconds ?? StreamSettings.DefaultPause,
            options.SentencePauseSeconds ?? bundle.SentencePauseSeconds ?? StreamSettings.DefaultSentencePause,
            options.MaxSegmentSeconds ?? bundle.MaxSegmentSeconds ?? StreamSettings.DefaultMaxSegment,
            // Chinese and Japanese are written without spaces.
            spaced: _target.Code is not ("zh" or "ja"));
        FusedHeads = Heads(bundle.Heads, model.Parts.Translator.Decoder.Shape);
        RecognizerHeads = Heads(bundle.RecognizerHeads, model.Parts.Thinker.Decoder.Shape);
        TextHeads = Heads(bundle.TextHeads, model.Parts.Translator.Decoder.Shape);
    }

    /// <exception cref="OmniFusionException">The model cannot take this image.</exception>
    internal void CheckImage(RgbImage image) => _model.Reader.ReadForSpeech(_target, image, imageSize: null, transcribe: false);

    internal SimultaneousOptions Options { get; }

    internal StreamSettings Settings { get; }

    private IReadOnlyList<AttentionHead> FusedHeads { get; }

    private IReadOnlyList<AttentionHead> RecognizerHeads { get; }

    private IReadOnlyList<AttentionHead> TextHeads { get; }

    internal Policy NewPolicy(IPartialDecoder decoder) => _policy.Create(decoder.Tokenizer);

    internal Policy NewTranscriptPolicy(IPartialDecoder decoder) => _transcriptPolicy.Create(decoder.Tokenizer);

    internal ISpeechDecoder NewFusedDecoder() =>
        FusedSpeechDecoder.Create(_model, _target.Code, Decoding(_policy, FusedHeads), Options.ChainOfThought);

    internal ISpeechDecoder NewRecognizer() => SpeechRecognizerDecoder.Create(_model, Decoding(_transcriptPolicy, RecognizerHeads));

    internal ITextDecoder NewTextDecoder() => TextDecoder.Create(_model, _source.Code, _target.Code, Decoding(_policy, TextHeads));

    private PartialDecoderOptions Decoding(PolicyOptions policy, IReadOnlyList<AttentionHead> heads) => new()
    {
        Exact = Options.Exact, Heads = policy.NeedsAttention ? heads : null, Shown = _shown,
    };

    private static void Check(SimultaneousOptions options, PolicyOptions policy)
    {
        if (options.ChainOfThought && options.Cascade)
            throw new OmniFusionException("A cascade and a chain of thought are two ways to translate: choose one of them.");
        if (options.ChainOfThought && policy.NeedsAttention)
            throw new OmniFusionException(
                $"The policy {policy.Name} follows the audio, but in a chain of thought the translator looks at the transcript: choose another one.");
        if (options.TranscriptPolicy is not null && !options.Cascade)
            throw new OmniFusionException("A policy of the transcript belongs to a cascade.");
    }

    // Uncalibrated: all heads of the layer two thirds up, where the published attention policies look (Papi et al. 2023).
    private static IReadOnlyList<AttentionHead> Heads(IReadOnlyList<(int Layer, int Head)>? chosen, DecoderShape shape)
    {
        if (chosen is null)
            return [.. Enumerable.Range(0, shape.Heads).Select(head => new AttentionHead(2 * shape.Layers / 3, head))];
        foreach ((int layer, int head) in chosen)
            if (layer >= shape.Layers || head >= shape.Heads)
                throw new OmniFusionException(
                    $"The bundle names the attention head {head} of layer {layer}, "
                    + $"but there are {shape.Layers} layers of {shape.Heads} heads.");
        return [.. chosen.Select(head => new AttentionHead(head.Layer, head.Head))];
    }
}
