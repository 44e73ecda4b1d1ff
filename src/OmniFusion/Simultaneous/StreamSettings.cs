using System.Globalization;

namespace OmniFusion.Simultaneous;

/// <summary>How a stream is cut: into chunks, one step each, and into segments, one text each.</summary>
internal sealed record StreamSettings
{
    internal const double DefaultPause = 0.4, DefaultSentencePause = 0.2, DefaultMaxSegment = 20;

    /// <param name="chunkSeconds">Seconds of audio between two steps.</param>
    /// <param name="pauseSeconds">Seconds of silence that end a segment.</param>
    /// <param name="sentencePauseSeconds">Seconds of silence that end a segment whose sentence is out.</param>
    /// <param name="maxSegmentSeconds">Longest segment.</param>
    /// <param name="spaced">Whether a space stands between two segments' texts.</param>
    /// <exception cref="OmniFusionException">A number is out of its bounds.</exception>
    internal StreamSettings(
        double chunkSeconds = SimultaneousOptions.DefaultChunk, double pauseSeconds = DefaultPause,
        double sentencePauseSeconds = DefaultSentencePause, double maxSegmentSeconds = DefaultMaxSegment, bool spaced = true)
    {
        ChunkSamples = Frames("chunk", chunkSeconds, SimultaneousOptions.ChunkBounds) * VoiceActivity.FrameSamples;
        // Whoever feeds it counts in chunks, too.
        if (Math.Abs(ChunkSeconds - chunkSeconds) > 1e-6)
            throw new OmniFusionException(string.Create(CultureInfo.InvariantCulture,
                $"The chunk is a multiple of {VoiceActivity.FrameSeconds} seconds, not {chunkSeconds}."));
        PauseFrames = Frames("pause that ends a segment", pauseSeconds, SimultaneousOptions.PauseBounds);
        SentencePauseFrames = Frames("pause that ends a sentence", sentencePauseSeconds, SimultaneousOptions.SentencePauseBounds);
        MaxSegmentFrames = Frames("longest segment", maxSegmentSeconds, SimultaneousOptions.MaxSegmentBounds);
        Spaced = spaced;
    }

    internal int ChunkSamples { get; }

    internal double ChunkSeconds => (double)ChunkSamples / Media.AudioFile.ModelRate;

    internal int PauseFrames { get; }

    internal int SentencePauseFrames { get; }

    internal int MaxSegmentFrames { get; }

    internal bool Spaced { get; }

    /// <summary>Frames of silence that end a segment of so many frames: fewer and fewer from the half of the longest on.</summary>
    internal int PauseThatEnds(int segmentFrames)
    {
        const int Shortest = 2;
        int half = MaxSegmentFrames / 2;
        return segmentFrames <= half ? PauseFrames
            : Math.Max(PauseFrames - (PauseFrames - Shortest) * (segmentFrames - half) / (MaxSegmentFrames - half), Shortest);
    }

    private static int Frames(string what, double seconds, (double Least, double Most) bounds) =>
        seconds >= bounds.Least && seconds <= bounds.Most ? (int)Math.Round(seconds / VoiceActivity.FrameSeconds)
            : throw new OmniFusionException(string.Create(CultureInfo.InvariantCulture,
                $"The {what} takes {bounds.Least} to {bounds.Most} seconds, not {seconds}."));
}
