namespace OmniFusion.Media;

/// <summary>The microphone of this computer, heard through the program <c>ffmpeg</c>: PulseAudio or ALSA, AVFoundation, DirectShow.</summary>
public static class Microphone
{
    /// <summary>Listens until the device ends or the caller asks to stop, and hands out samples, mono, 16 kHz, as they come.</summary>
    /// <param name="device">Its name, as ffmpeg calls it; null: the system's default, which Windows does not have.</param>
    /// <param name="next">Takes samples; the memory is used again afterwards.</param>
    /// <param name="cancellation">Ends the recording.</param>
    /// <exception cref="OmniFusionException">ffmpeg is missing, or the device gives no sound.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static void Listen(string? device, Action<ReadOnlyMemory<float>> next, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(next);
        string complaint = "";
        foreach ((string format, string name) in Candidates(device))
        {
            using ChildProcess ffmpeg = new(
                AudioFfmpeg.Executable,
                ["-nostdin", "-v", "error", "-f", format, "-i", name, "-ac", "1", "-ar", "16000", "-f", "s16le", "-flush_packets", "1", "pipe:1"],
                "The microphone is heard through the program ffmpeg, which is not on the PATH.", cancellation);
            long samples = PcmStream.Read(ffmpeg.Output.BaseStream, next, cancellation);
            ffmpeg.Wait();
            if (samples > 0)
                return;
            complaint = ffmpeg.Complaint;
        }
        throw new OmniFusionException(
            $"{(device is null ? "The default microphone" : $"The microphone {device}")} gives no sound: name another device{(complaint == "" ? "" : "; ffmpeg says: " + complaint)}.");
    }

    private static IEnumerable<(string Format, string Name)> Candidates(string? device)
    {
        if (OperatingSystem.IsWindows())
            return [("dshow", "audio=" + (device ?? throw new OmniFusionException(
                "Windows has no default microphone: name one (ffmpeg -list_devices true -f dshow -i dummy lists them).")))];
        return OperatingSystem.IsMacOS() ? [("avfoundation", ":" + (device ?? "default"))] : [("pulse", device ?? "default"), ("alsa", device ?? "default")];
    }
}
