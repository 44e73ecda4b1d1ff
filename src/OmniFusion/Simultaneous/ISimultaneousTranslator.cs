using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>A simultaneous translation of one stream, step by step; one thread at a time.</summary>
public interface ISimultaneousTranslator : IDisposable
{
    /// <summary>Takes the next samples, mono, 16 kHz, and tells what they brought.</summary>
    StreamEvent Push(ReadOnlySpan<float> samples, CancellationToken cancellation = default);

    /// <summary>The stream has ended: puts out the rest.</summary>
    StreamEvent Finish(CancellationToken cancellation = default);

    /// <summary>What is seen from now on, or null.</summary>
    void Show(RgbImage? image);
}
