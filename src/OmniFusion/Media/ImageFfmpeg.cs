using System.ComponentModel;
using System.Diagnostics;

namespace OmniFusion.Media;

/// <summary>Has an <c>ffmpeg</c> process decode a picture of any format to PNG.</summary>
internal static class ImageFfmpeg
{
    private const string NoPicture = "does not contain any stream";

    // The file goes through the standard input, so its name (a leading dash, a protocol, %d) means nothing to ffmpeg,
    // and the whitelist keeps playlist-like formats from opening anything else.
    private static string[] Arguments(int? side, long? svg) =>
    [
        "-hide_banner", "-loglevel", "error", "-xerror", "-err_detect", "explode", "-protocol_whitelist", "pipe",
        "-max_pixels", $"{RgbImage.MaxPixels}", "-noautorotate",
        .. svg is null ? [] : new[] { "-f", "svg_pipe", "-frame_size", $"{svg}" }, "-i", "pipe:0", "-frames:v", "1",
        .. side is null ? [] : new[] { "-vf", $"scale={side}:{side}:flags=area" },
        "-sws_flags", "bicubic+accurate_rnd+full_chroma_int",
        "-f", "image2pipe", "-c:v", "png", "-pix_fmt", "rgba", "pipe:1",
    ];

    /// <summary>
    /// The PNG bytes that <paramref name="program"/> makes of a file, given its first bytes and the stream behind them; where a side is given,
    /// as a square of so many pixels. ffmpeg reads an SVG from a pipe only when it knows that it is one, and how long.
    /// </summary>
    public static byte[] ToPng(
        ReadOnlyMemory<byte> head, Stream rest, string path, CancellationToken cancellation, string program = "ffmpeg", int? side = null,
        long? svg = null)
    {
        ProcessStartInfo start = new(program, Arguments(side, svg))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Start(start, path);
        using CancellationTokenRegistration ending = cancellation.Register(() => End(process));
        try
        {
            string complaint = "";
            // The last line says what is wrong, unless one before says that there is nothing to see.
            process.ErrorDataReceived += (_, line) => complaint =
                string.IsNullOrWhiteSpace(line.Data) || complaint.Contains(NoPicture, StringComparison.Ordinal) ? complaint : line.Data.Trim();
            process.BeginErrorReadLine();
            Task feeding = Task.Run(() => Feed(process, head, rest), CancellationToken.None);
            byte[] png = ImageFile.ReadToEnd([], process.StandardOutput.BaseStream, path, cancellation);
            process.WaitForExit();
            feeding.GetAwaiter().GetResult();
            cancellation.ThrowIfCancellationRequested();
            if (complaint.Contains(NoPicture, StringComparison.Ordinal))
                throw new OmniFusionException($"The image {path} has no picture in it.");
            if (process.ExitCode != 0 || png.Length == 0)
                throw new OmniFusionException($"The image {path} is neither a PNG nor a picture that ffmpeg can decode"
                    + (complaint.Length > 0 ? $": {complaint.TrimEnd('.')}." : "."));
            return png;
        }
        finally
        {
            End(process);
        }
    }

    private static Process Start(ProcessStartInfo start, string path)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new OmniFusionException(
                $"The image {path} is not a PNG; other formats need ffmpeg, which is not installed (or not on the PATH).", error);
        }
    }

    private static void Feed(Process process, ReadOnlyMemory<byte> head, Stream rest)
    {
        try
        {
            using Stream input = process.StandardInput.BaseStream;
            input.Write(head.Span);
            rest.CopyTo(input);
        }
        catch (IOException)
        {
            // ffmpeg stops listening when it has its frame, or has given up; its exit code tells which.
        }
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
        }
    }
}
