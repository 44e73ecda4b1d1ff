using OmniFusion.Media;

namespace OmniFusion.Cli;

/// <summary>Where the audio of a stream comes from.</summary>
internal abstract class StreamSource
{
    /// <summary>Whether it arrives at the speed of speech by itself.</summary>
    internal virtual bool IsLive => true;

    /// <summary>Reads to the end and hands out samples, mono, 16 kHz.</summary>
    /// <exception cref="OmniFusionException">It cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    internal abstract void Read(Action<ReadOnlyMemory<float>> next, CancellationToken cancellation);

    /// <exception cref="UsageException">The options do not go together.</exception>
    internal static StreamSource Of(string? input, string? source, string? device)
    {
        if (input is not null && source is not null)
            throw new UsageException("stream takes either INPUT or --source, not both.");
        if (device is not null && source != "mic")
            throw new UsageException("--device goes with --source mic.");
        return (input, source) switch
        {
            (null, null) => throw new UsageException("there is nothing to listen to: give INPUT, or --source - or mic."),
            ("-", _) or (_, "-") => new StandardInput(),
            ({ } file, _) => new Recording(file),
            (_, "mic") => new Recorder(device),
            _ => throw new UsageException($"--source takes - or mic, not '{source}'."),
        };
    }

    private sealed class Recording(string path) : StreamSource
    {
        internal override bool IsLive => false;

        internal override void Read(Action<ReadOnlyMemory<float>> next, CancellationToken cancellation) =>
            AudioFile.StreamMono16k(path, next, cancellation);
    }

    private sealed class StandardInput : StreamSource
    {
        internal override void Read(Action<ReadOnlyMemory<float>> next, CancellationToken cancellation)
        {
            using Stream stream = StandardStreams.Input();
            PcmStream.Read(stream, next, cancellation);
        }
    }

    private sealed class Recorder(string? device) : StreamSource
    {
        internal override void Read(Action<ReadOnlyMemory<float>> next, CancellationToken cancellation) =>
            Microphone.Listen(device, next, cancellation);
    }
}
