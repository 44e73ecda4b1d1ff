using OmniFusion.Models;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The baseline of the paper on a stream: the thinker writes a transcript, and the translator by itself translates what of it is stable.
/// Same weights, same segments, and unless the transcript has a policy of its own the same policy in both stages.
/// </summary>
public sealed class CascadeTranslator : StreamTranslator
{
    private readonly Func<ISpeechDecoder> _newRecognizer;
    private readonly Func<ITextDecoder> _newTranslator;
    private readonly Func<IPartialDecoder, bool, Policy> _newPolicy;

    /// <summary>Begins a stream; the models compute nothing before somebody speaks.</summary>
    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    public CascadeTranslator(OmniFusionModel model, SimultaneousOptions options) : this(new StreamParts(model, options))
    {
    }

    /// <summary>Begins a stream over decoders of any kind; the policies are asked for with whether their decoder hears.</summary>
    internal CascadeTranslator(
        Func<ISpeechDecoder> newRecognizer, Func<ITextDecoder> newTranslator, Func<IPartialDecoder, bool, Policy> newPolicy,
        StreamSettings settings)
        : base(settings) => (_newRecognizer, _newTranslator, _newPolicy) = (newRecognizer, newTranslator, newPolicy);

    private CascadeTranslator(StreamParts parts) : base(parts.Settings, parts.CheckImage, parts.Options.Image) =>
        (_newRecognizer, _newTranslator, _newPolicy) = (parts.NewRecognizer, parts.NewTextDecoder,
            (decoder, hears) => hears ? parts.NewTranscriptPolicy(decoder) : parts.NewPolicy(decoder));

    private protected override SegmentText NewSegment()
    {
        ISpeechDecoder recognizer = _newRecognizer();
        ITextDecoder translator = _newTranslator();
        return new CascadeSegment(recognizer, _newPolicy(recognizer, true), translator, _newPolicy(translator, false));
    }
}
