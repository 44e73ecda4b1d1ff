namespace OmniFusion.Media;

/// <summary>Sound of one channel.</summary>
/// <param name="Samples">The samples in time order; full scale is -1 to 1 (floating-point files may exceed it).</param>
/// <param name="SampleRate">Samples per second.</param>
public sealed record Waveform(float[] Samples, int SampleRate)
{
    /// <summary>How long the sound lasts.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Samples.Length / SampleRate);
}
