using System.ComponentModel;
using System.Diagnostics;

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
        using Process process = Start(path, executable);
        using CancellationTokenRegistration stop = cancellation.Register(() => Kill(process));
        try
        {
            process.StandardInput.Close();
            Task<string> complaint = Complaint(process.StandardError);
            WavReader reader;
            try
            {
                reader = new WavReader(process.StandardOutput.BaseStream, path);
            }
            catch (OmniFusionException)
            {
                process.WaitForExit();
                cancellation.ThrowIfCancellationRequested();
                throw Failed(path, complaint.Result);
            }

            T result = decode(reader);
            process.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            return process.ExitCode == 0 ? result : throw Failed(path, complaint.Result);
        }
        finally
        {
            Kill(process);
        }
    }

    private static Process Start(string path, string executable)
    {
        ProcessStartInfo start = new(executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };

        // "file:" before the full path: no name is taken for an option or an address, and no playlist reaches the network.
        string[] arguments =
        [
            "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i", "file:" + Path.GetFullPath(path),
            "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1",
        ];
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new OmniFusionException(
                $"{path} is not a plain WAV file, and the program ffmpeg, which decodes other formats, is not on the PATH.", e);
        }
    }

    // The last line says what is wrong, but where there is no sound track: hints for users of ffmpeg come behind that.
    private static async Task<string> Complaint(StreamReader errors)
    {
        string last = "";
        while (await errors.ReadLineAsync().ConfigureAwait(false) is string line)
            if (!string.IsNullOrWhiteSpace(line) && !last.Contains(NoTrack, StringComparison.Ordinal))
                last = line.Trim();
        return last;
    }

    private static OmniFusionException Failed(string path, string complaint) => complaint.Contains(NoTrack, StringComparison.Ordinal)
        ? new($"{path} has no sound track.")
        : new($"{path} cannot be decoded as sound: "
            + $"{(complaint == "" ? "ffmpeg gave no reason" : "ffmpeg says: " + complaint.TrimEnd('.'))}.");

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }
}
