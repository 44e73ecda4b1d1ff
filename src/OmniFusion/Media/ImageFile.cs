namespace OmniFusion.Media;

/// <summary>Reads pictures: PNG by itself, every other format through an <c>ffmpeg</c> found on the PATH.</summary>
public static class ImageFile
{
    // Enough for any PNG of RgbImage.MaxPixels that compresses at all.
    private const long MaxBytes = 1L << 30;

    /// <summary>
    /// Reads a picture as RGB. The format is told by the content, not by the name; of an animation the first frame is taken;
    /// transparency of any kind is laid over white; orientation marks of cameras are not followed (as in the published system).
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Ends the reading, and ffmpeg with it.</param>
    /// <exception cref="OmniFusionException">The file is missing, damaged, too large or no picture; or ffmpeg is missing.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public static RgbImage Read(string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            throw new OmniFusionException($"The image {path} is a folder.");
        byte[] png;
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] head = new byte[PngFormat.Signature.Length];
            int count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            if (count == 0)
                throw new OmniFusionException($"The image {path} is empty.");
            png = head.AsSpan().SequenceEqual(PngFormat.Signature)
                ? ReadToEnd(head, file, path, cancellation)
                : ImageFfmpeg.ToPng(head.AsMemory(0, count), file, path, cancellation);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OmniFusionException($"The image {path} does not exist.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new OmniFusionException($"The image {path} cannot be read: {error.Message}", error);
        }
        return PngDecoder.Decode(png, path, cancellation);
    }

    /// <summary>All of a stream after its first bytes, which were read already.</summary>
    internal static byte[] ReadToEnd(ReadOnlySpan<byte> head, Stream stream, string path, CancellationToken cancellation)
    {
        using MemoryStream all = new();
        all.Write(head);
        Copy(stream, all, head.Length, path, cancellation);
        return all.ToArray();
    }

    /// <summary>Copies the rest of a picture of which so many bytes are written already.</summary>
    internal static void Copy(Stream from, Stream to, long written, string path, CancellationToken cancellation)
    {
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = from.Read(buffer)) > 0; to.Write(buffer, 0, count))
        {
            cancellation.ThrowIfCancellationRequested();
            written += count;
            if (written > MaxBytes)
                throw new OmniFusionException($"The image {path} is larger than {MaxBytes >> 20} MiB.");
        }
    }
}
