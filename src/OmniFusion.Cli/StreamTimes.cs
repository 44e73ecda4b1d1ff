using System.Globalization;

namespace OmniFusion.Cli;

/// <summary>The options that say how a stream is cut; what is not given is null.</summary>
internal static class StreamTimes
{
    private const double Frame = 0.02;

    /// <summary>Seconds of audio between two steps.</summary>
    /// <exception cref="UsageException">The number is out of its bounds.</exception>
    internal static double? Chunk(float? given) => Within("--chunk", given, Frame, 30) is not { } seconds ? null
        : Math.Abs(seconds / Frame - Math.Round(seconds / Frame)) < 1e-6 ? seconds
        : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--chunk takes steps of {Frame} seconds, not {seconds}."));

    /// <summary>Seconds of silence that end a segment.</summary>
    /// <inheritdoc cref="Chunk"/>
    internal static double? Pause(float? given) => Within("--pause", given, 0.04, 10);

    /// <summary>Seconds of silence that end a segment whose sentence is complete.</summary>
    /// <inheritdoc cref="Chunk"/>
    internal static double? SentencePause(float? given) => Within("--sentence-pause", given, 0, 10);

    /// <summary>Seconds that a segment lasts at most.</summary>
    /// <inheritdoc cref="Chunk"/>
    internal static double? MaxSegment(float? given) => Within("--max-segment", given, 2, 30);

    private static double? Within(string option, float? given, double least, double most)
    {
        if (given is not { } number)
            return null;
        double seconds = Options.AsWritten(number);
        return seconds >= least && seconds <= most ? seconds
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option} takes {least} to {most} seconds, not {seconds}."));
    }
}
