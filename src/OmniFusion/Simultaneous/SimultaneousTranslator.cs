using OmniFusion.Media;
using OmniFusion.Models;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The fused model on a stream: speech becomes text in another language in one pass, with no transcript between (arXiv 2512.00234).
/// </summary>
public sealed class SimultaneousTranslator : StreamTranslator
{
    private readonly Func<ISpeechDecoder> _newDecoder;
    private readonly Func<ISpeechDecoder, Policy> _newPolicy;

    /// <summary>Begins a stream; the model computes nothing before somebody speaks.</summary>
    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    public SimultaneousTranslator(OmniFusionModel model, SimultaneousOptions options) : this(new StreamParts(model, options))
    {
    }

    /// <summary>Begins a stream over decoders of any kind.</summary>
    internal SimultaneousTranslator(Func<ISpeechDecoder> newDecoder, Func<ISpeechDecoder, Policy> newPolicy, StreamSettings settings)
        : base(settings) => (_newDecoder, _newPolicy) = (newDecoder, newPolicy);

    private SimultaneousTranslator(StreamParts parts) : base(parts.Settings, parts.CheckImage, parts.Options.Image) =>
        (_newDecoder, _newPolicy) = (parts.NewFusedDecoder, parts.NewPolicy);

    private protected override SegmentText NewSegment()
    {
        ISpeechDecoder decoder = _newDecoder();
        return new FusedSegment(decoder, _newPolicy(decoder));
    }
}
