namespace OmniFusion.Media;

/// <summary>
/// Decodes what is not plain WAV with the <c>ffmpeg</c> program, to a floating-point WAV stream of the recording's own rate and
/// channels, so that mixing and resampling are the same for every format.
/// </summary>
internal static class AudioFfmpeg
{
    public const string Executable = "ffmpeg";

    private const string NoTrack = "matches no streams";

    /// <summary>Runs the program and hands its output to <paramref name="decode"/>.</summary>
    /// <exception cref="OmniFusionException">The program is missing or cannot decode the file.</exception>
    public static T Decode<T>(string path, string executable, Func<WavReader, T> decode, CancellationToken cancellation)
    {
        // "file:" before the full path: no name is taken for an option or an address, and no playlist reaches the network.
        // Where there is no sound track, hints for users of ffmpeg come behind the line that says so.
        using ChildProcess ffmpeg = new(
            executable,
            [
                "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i", "file:" + Path.GetFullPath(path),
                "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1",
            ],
            $"{path} is not a plain WAV file, and the program ffmpeg, which decodes other formats, is not on the PATH.",
            cancellation, decisive: NoTrack);
        ffmpeg.Input.Close();
        WavReader reader;
        try
        {
            reader = new WavReader(ffmpeg.Output.BaseStream, path);
        }
        catch (OmniFusionException)
        {
            ffmpeg.Wait();
            throw Failed(path, ffmpeg.Complaint);
        }
        T result = decode(reader);
        return ffmpeg.Wait() == 0 ? result : throw Failed(path, ffmpeg.Complaint);
    }

    private static OmniFusionException Failed(string path, string complaint) => complaint.Contains(NoTrack, StringComparison.Ordinal)
        ? new($"{path} has no sound track.")
        : new($"{path} cannot be decoded as sound: {(complaint == "" ? "ffmpeg gave no reason" : "ffmpeg says: " + complaint)}.");
}
