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
        using ChildProcess ffmpeg = new(program, Arguments(side, svg),
            $"The image {path} is not a PNG; other formats need ffmpeg, which is not installed (or not on the PATH).", cancellation, decisive: NoPicture);
        Task feeding = ffmpeg.FeedAsync(input =>
        {
            input.Write(head.Span);
            rest.CopyTo(input);
        });
        byte[] png = ImageFile.ReadToEnd([], ffmpeg.Output.BaseStream, path, cancellation);
        int code = ffmpeg.Wait();
        feeding.GetAwaiter().GetResult();
        string complaint = ffmpeg.Complaint;
        if (complaint.Contains(NoPicture, StringComparison.Ordinal))
            throw new OmniFusionException($"The image {path} has no picture in it.");
        if (code != 0 || png.Length == 0)
            throw new OmniFusionException($"The image {path} is neither a PNG nor a picture that ffmpeg can decode{(complaint.Length > 0 ? $": {complaint}." : ".")}");
        return png;
    }
}
