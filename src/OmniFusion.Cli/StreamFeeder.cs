using System.Diagnostics;
using OmniFusion.Media;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>Gives samples to a session in pieces that end with the chunks, at their own speed where asked, and images in time.</summary>
internal sealed class StreamFeeder(
    SimultaneousSession session, IReadOnlyList<(double Seconds, RgbImage Image)> images, double chunkSeconds, bool realtime,
    CancellationToken cancellation)
{
    private readonly int _chunk = (int)Math.Round(chunkSeconds * AudioFile.ModelRate);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _given;
    private int _shown;

    /// <summary>Gives the next samples; returns when they are taken.</summary>
    internal void Take(ReadOnlyMemory<float> samples)
    {
        while (!samples.IsEmpty)
        {
            while (_shown < images.Count && At(_shown) <= _given)
                session.ShowAsync(images[_shown++].Image, cancellation).AsTask().GetAwaiter().GetResult();
            long until = _given + _chunk - _given % _chunk;
            if (_shown < images.Count)
                until = Math.Min(until, At(_shown));
            int count = (int)Math.Min(samples.Length, until - _given);
            if (realtime)
                WaitFor((double)(_given + count) / AudioFile.ModelRate);
            session.PushAsync(samples[..count], cancellation).AsTask().GetAwaiter().GetResult();
            samples = samples[count..];
            _given += count;
        }
    }

    private long At(int image) => (long)Math.Min(images[image].Seconds * AudioFile.ModelRate, long.MaxValue / 2);

    private void WaitFor(double seconds)
    {
        TimeSpan wait = TimeSpan.FromSeconds(seconds) - _clock.Elapsed;
        if (wait > TimeSpan.Zero && cancellation.WaitHandle.WaitOne(wait))
            cancellation.ThrowIfCancellationRequested();
    }
}
