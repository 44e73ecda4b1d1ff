using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>A decoder whose source is one segment of speech.</summary>
public interface ISpeechDecoder : IPartialDecoder, IDisposable
{
    /// <summary>Seconds of audio taken.</summary>
    double Seconds { get; }

    /// <summary>Takes the next samples, mono, 16 kHz, any number of them.</summary>
    void Append(ReadOnlySpan<float> samples);

    /// <summary>There will be no more samples: from now on the result is that of the offline computation.</summary>
    void Complete();

    /// <summary>What is seen from now on, or null. What was kept does not change.</summary>
    void Show(RgbImage? image);
}
