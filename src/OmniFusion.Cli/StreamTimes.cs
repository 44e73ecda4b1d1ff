using System.Globalization;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>The options that say how a stream is cut; what is not given is null.</summary>
internal static class StreamTimes
{
    /// <summary>Seconds of audio between two steps.</summary>
    /// <exception cref="UsageException">The number is out of its bounds.</exception>
    internal static double? Chunk(double? given)
    {
        double step = SimultaneousOptions.ChunkBounds.Least;
        return Within("--chunk", given, SimultaneousOptions.ChunkBounds) is not { } seconds ? null
            : Math.Abs(seconds / step - Math.Round(seconds / step)) < 1e-6 ? seconds
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--chunk takes steps of {step} seconds, not {seconds}."));
    }

    /// <summary>Seconds of silence that end a segment.</summary>
    /// <inheritdoc cref="Chunk"/>
    internal static double? Pause(double? given) => Within("--pause", given, SimultaneousOptions.PauseBounds);

    /// <summary>Seconds of silence that end a segment whose sentence is complete.</summary>
    /// <inheritdoc cref="Chunk"/>
    internal static double? SentencePause(double? given) => Within("--sentence-pause", given, SimultaneousOptions.SentencePauseBounds);

    /// <summary>Seconds that a segment lasts at most.</summary>
    /// <inheritdoc cref="Chunk"/>
    internal static double? MaxSegment(double? given) => Within("--max-segment", given, SimultaneousOptions.MaxSegmentBounds);

    private static double? Within(string option, double? given, (double Least, double Most) bounds) =>
        given is null || (given >= bounds.Least && given <= bounds.Most) ? given
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture,
                $"{option} takes {bounds.Least} to {bounds.Most} seconds, not {given}."));
}
