namespace OmniFusion.Media;

/// <summary>Has an <c>ffmpeg</c> process decode a picture of any format to PNG.</summary>
internal static class ImageFfmpeg
{
    private const string NoPicture = "does not contain any stream";

    // Formats of pictures, and those that films have in common with them (AVIF, HEIF): no playlist, which would open other files.
    private const string Formats = "image2,gif,apng,ico,mov,mp4,matroska,jpegxl_anim,bmp_pipe,cri_pipe,dds_pipe,dpx_pipe,exr_pipe,gem_pipe,gif_pipe,"
        + "hdr_pipe,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,pam_pipe,pbm_pipe,pcx_pipe,pfm_pipe,pgm_pipe,pgmyuv_pipe,pgx_pipe,phm_pipe,"
        + "photocd_pipe,pictor_pipe,png_pipe,ppm_pipe,psd_pipe,qdraw_pipe,qoi_pipe,sgi_pipe,sunrast_pipe,svg_pipe,tiff_pipe,vbn_pipe,webp_pipe,"
        + "xbm_pipe,xpm_pipe,xwd_pipe";

    private static string[] Arguments(string file, bool isTiff, int? side, long? svg) =>
    [
        // Of a TIFF ffmpeg takes every tag for an error that it does not know, and it knows few.
        "-hide_banner", "-nostdin", "-loglevel", "error", "-xerror", .. isTiff ? [] : new[] { "-err_detect", "explode" }, "-protocol_whitelist", "file",
        "-format_whitelist", Formats, "-max_pixels", $"{RgbImage.MaxPixels}", "-noautorotate",
        .. svg is null ? [] : new[] { "-f", "svg_pipe", "-frame_size", $"{svg}" }, "-i", "file:" + file, "-frames:v", "1",
        .. side is null ? [] : new[] { "-vf", $"scale={side}:{side}:flags=area" },
        "-sws_flags", "bicubic+accurate_rnd+full_chroma_int",
        "-f", "image2pipe", "-c:v", "png", "-pix_fmt", "rgba", "pipe:1",
    ];

    /// <summary>
    /// The PNG bytes that <paramref name="program"/> makes of a file, given its first bytes and the stream behind them; where a side is given,
    /// as a square of so many pixels. ffmpeg reads an SVG only when it knows that it is one, and how long.
    /// </summary>
    public static byte[] ToPng(
        ReadOnlyMemory<byte> head, Stream rest, string path, CancellationToken cancellation, string program = "ffmpeg", int? side = null,
        long? svg = null)
    {
        // Some formats need a file to jump about in. A copy has a name that means nothing to ffmpeg but for its ending, by which it knows TGA.
        string folder = Directory.CreateTempSubdirectory("omnifusion-").FullName;
        try
        {
            string ending = Path.GetExtension(path);
            string copy = Path.Combine(folder, "picture" + (ending.Skip(1).All(char.IsAsciiLetterOrDigit) ? ending : ""));
            using (FileStream file = File.Create(copy))
            {
                file.Write(head.Span);
                ImageFile.Copy(rest, file, head.Length, path, cancellation);
            }
            return ToPng(program, Arguments(copy, IsTiff(head.Span), side, svg), path, cancellation);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool IsTiff(ReadOnlySpan<byte> head) => head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8);

    private static byte[] ToPng(string program, string[] arguments, string path, CancellationToken cancellation)
    {
        using ChildProcess ffmpeg = new(program, arguments,
            $"The image {path} is not a PNG; other formats need ffmpeg, which is not installed (or not on the PATH).", cancellation, decisive: NoPicture);
        ffmpeg.Input.Close();
        byte[] png = ImageFile.ReadToEnd([], ffmpeg.Output.BaseStream, path, cancellation);
        int code = ffmpeg.Wait();
        string complaint = ffmpeg.Complaint;
        if (complaint.Contains(NoPicture, StringComparison.Ordinal))
            throw new OmniFusionException($"The image {path} has no picture in it.");
        if (code != 0 || png.Length == 0)
            throw new OmniFusionException($"The image {path} is neither a PNG nor a picture that ffmpeg can decode{(complaint.Length > 0 ? $": {complaint}." : ".")}");
        return png;
    }
}
