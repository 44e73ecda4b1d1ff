using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
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
            (_, "mic") => new Microphone(device),
            _ => throw new UsageException($"--source takes - or mic, not '{source}'."),
        };
    }

    // Signed 16-bit little-endian, as soon as it comes; half a sample waits for its other half.
    private static long ReadPcm(Stream stream, Action<ReadOnlyMemory<float>> next, CancellationToken cancellation)
    {
        byte[] bytes = new byte[1 << 13];
        float[] samples = new float[bytes.Length / 2];
        long all = 0;
        int held = 0, got;
        while ((got = stream.Read(bytes, held, bytes.Length - held)) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = (held + got) / 2;
            for (int i = 0; i < count; i++)
                samples[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(2 * i)) / 32768f;
            held = (held + got) % 2;
            if (held == 1)
                bytes[0] = bytes[2 * count];
            if (count > 0)
                next(samples.AsMemory(0, count));
            all += count;
        }
        return all;
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
            if (IsClosed())
                throw new OmniFusionException("Standard input is closed: there is nothing to listen to.");
            using Stream stream = Console.OpenStandardInput();
            ReadPcm(stream, next, cancellation);
        }

        // The runtime opens a pipe to itself, which gets the number of standard input where that is free; nobody will write into it.
        private static bool IsClosed()
        {
            const string own = "/proc/self/fd";
            return OperatingSystem.IsLinux()
                && new FileInfo(own + "/0").LinkTarget is { } input && input.StartsWith("pipe:", StringComparison.Ordinal)
                && Directory.EnumerateFiles(own).Any(file => new FileInfo(file).LinkTarget == input && IsForWriting(Path.GetFileName(file)));
        }

        // The last octal digit of the flags: 0 to read, 1 to write.
        private static bool IsForWriting(string descriptor) => File.ReadLines("/proc/self/fdinfo/" + descriptor)
            .Any(line => line.StartsWith("flags:", StringComparison.Ordinal) && line.EndsWith('1'));
    }

    private sealed class Microphone(string? device) : StreamSource
    {
        internal override void Read(Action<ReadOnlyMemory<float>> next, CancellationToken cancellation)
        {
            string complaint = "";
            foreach ((string format, string name) in Candidates())
            {
                (long samples, complaint) = Record(format, name, next, cancellation);
                if (samples > 0)
                    return;
            }
            throw new OmniFusionException(
                $"The microphone gives no sound{(complaint == "" ? "" : "; ffmpeg says: " + complaint.TrimEnd('.'))}. "
                + "Name one with --device.");
        }

        private IEnumerable<(string Format, string Name)> Candidates()
        {
            if (OperatingSystem.IsWindows())
                return [("dshow", "audio=" + (device ?? throw new OmniFusionException(
                    "Windows names no default microphone: give --device NAME (ffmpeg -list_devices true -f dshow -i dummy lists them).")))];
            return OperatingSystem.IsMacOS() ? [("avfoundation", ":" + (device ?? "default"))]
                : [("pulse", device ?? "default"), ("alsa", device ?? "default")];
        }

        private static (long Samples, string Complaint) Record(
            string format, string name, Action<ReadOnlyMemory<float>> next, CancellationToken cancellation)
        {
            ProcessStartInfo start = new("ffmpeg",
            [
                "-nostdin", "-v", "error", "-f", format, "-i", name, "-ac", "1", "-ar", "16000", "-f", "s16le", "-flush_packets", "1",
                "pipe:1",
            ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process process = Start(start);
            using CancellationTokenRegistration stop = cancellation.Register(() => Kill(process));
            try
            {
                Task<string> complaint = process.StandardError.ReadToEndAsync(CancellationToken.None);
                long samples = ReadPcm(process.StandardOutput.BaseStream, next, cancellation);
                process.WaitForExit();
                cancellation.ThrowIfCancellationRequested();
                return (samples, complaint.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault("").Trim());
            }
            finally
            {
                Kill(process);
            }
        }

        private static Process Start(ProcessStartInfo start)
        {
            try
            {
                return Process.Start(start)!;
            }
            catch (Win32Exception error)
            {
                throw new OmniFusionException("The microphone is heard through the program ffmpeg, which is not on the PATH.", error);
            }
        }

        private static void Kill(Process process)
        {
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (Exception error) when (error is InvalidOperationException or Win32Exception)
            {
                // It has ended already.
            }
        }
    }
}
