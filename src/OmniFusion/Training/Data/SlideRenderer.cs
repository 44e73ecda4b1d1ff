using System.Globalization;
using System.Text;

namespace OmniFusion.Training.Data;

/// <summary>
/// Draws many slides at once as tiles of one sheet with ffmpeg's drawtext: starting ffmpeg takes longer than drawing. Safe from several threads.
/// </summary>
internal sealed class SlideRenderer(string[] fontPaths, string executable = "ffmpeg")
{
    /// <summary>The most slides of a sheet.</summary>
    public const int MaxSlides = Columns * Columns;

    private const int Columns = 8;

    /// <summary>[112, 112, 3] bytes of each slide.</summary>
    /// <exception cref="OmniFusionException">ffmpeg is missing or fails.</exception>
    public byte[][] Render(IReadOnlyList<Slide> slides, CancellationToken cancellation)
    {
        // Texts and relative names in a folder of its own: nothing of a text needs to be quoted for ffmpeg.
        string folder = Directory.CreateTempSubdirectory("omnifusion-slides-").FullName;
        try
        {
            return Cut(Run(folder, Filters(folder, slides), cancellation), slides.Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private string Filters(string folder, IReadOnlyList<Slide> slides)
    {
        StringBuilder filters = new();
        filters.Append(CultureInfo.InvariantCulture, $"color=c=black:s={Columns * Slide.Side}x{Columns * Slide.Side}:r=1,format=rgb24");
        for (int i = 0; i < slides.Count; i++)
        {
            Slide slide = slides[i];
            (int left, int top) = (i % Columns * Slide.Side, i / Columns * Slide.Side);
            filters.Append(
                CultureInfo.InvariantCulture,
                $",drawbox=x={left}:y={top}:w={Slide.Side}:h={Slide.Side}:color=0x{slide.Paper:X6}:t=fill");
            double lineHeight = slide.FontSize * Slide.LineHeight;
            double room = Slide.Side - 2 * Slide.Margin - slide.Lines.Length * lineHeight;
            for (int line = 0; line < slide.Lines.Length; line++)
            {
                string file = $"{i}-{line}.txt";
                File.WriteAllText(Path.Combine(folder, file), slide.Lines[line]);
                int y = (int)(top + Slide.Margin + room * slide.Y + line * lineHeight);
                filters.Append(
                    CultureInfo.InvariantCulture,
                    $",drawtext=fontfile={fontPaths[slide.Font]}:textfile={file}:expansion=none:fontsize={slide.FontSize}"
                    + $":fontcolor=0x{slide.Ink:X6}:x={left + Slide.Margin}+({Slide.Side - 2 * Slide.Margin}-text_w)*{slide.X:F3}:y={y}");
            }
        }
        return filters.ToString();
    }

    private byte[] Run(string folder, string filters, CancellationToken cancellation)
    {
        using ChildProcess ffmpeg = new(
            executable,
            ["-nostdin", "-v", "error", "-threads", "1", "-f", "lavfi", "-i", filters, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"],
            $"Slides need {executable}, not found on the PATH; on Debian or Ubuntu: apt-get install ffmpeg.", cancellation, folder);
        byte[] sheet = new byte[MaxSlides * Slide.Side * Slide.Side * 3];
        int count = ffmpeg.Output.BaseStream.ReadAtLeast(sheet, sheet.Length, throwOnEndOfStream: false);
        bool done = ffmpeg.Wait() == 0 && count == sheet.Length;
        string said = ffmpeg.Complaint;
        if (said.Contains("drawtext", StringComparison.Ordinal) && said.Contains("No such filter", StringComparison.Ordinal))
            throw new OmniFusionException("The ffmpeg on the PATH was built without drawtext, which slides are written with.");
        return done ? sheet : throw new OmniFusionException($"ffmpeg could not draw the slides: {said}.");
    }

    private static byte[][] Cut(byte[] sheet, int count)
    {
        const int rowBytes = Slide.Side * 3;
        byte[][] slides = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            slides[i] = new byte[Slide.Side * rowBytes];
            for (int y = 0; y < Slide.Side; y++)
            {
                int from = ((i / Columns * Slide.Side + y) * Columns + i % Columns) * rowBytes;
                sheet.AsSpan(from, rowBytes).CopyTo(slides[i].AsSpan(y * rowBytes));
            }
        }
        return slides;
    }
}
