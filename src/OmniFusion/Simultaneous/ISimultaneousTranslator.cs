using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>A simultaneous translation of one stream, step by step; one thread at a time.</summary>
public interface ISimultaneousTranslator : IDisposable
{
    /// <summary>Takes the next samples, mono, 16 kHz, and tells in order what they brought; nothing where nothing changed.</summary>
    IReadOnlyList<StreamEvent> Push(ReadOnlySpan<float> samples, CancellationToken cancellation = default);

    /// <summary>The stream has ended: puts out the rest, in one event at least.</summary>
    IReadOnlyList<StreamEvent> Finish(CancellationToken cancellation = default);

    /// <summary>What is seen from here on in the audio, or null.</summary>
    /// <exception cref="OmniFusionException">The model cannot take this image.</exception>
    void Show(RgbImage? image);
}
