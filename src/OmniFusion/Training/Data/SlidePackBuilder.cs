using Microsoft.Win32.SafeHandles;

namespace OmniFusion.Training.Data;

/// <summary>
/// Makes a <see cref="PicturePack"/> of slides: words in several fonts and sizes on plain backgrounds of 112 x 112 pixels. Its content depends
/// on the texts and the seed only, not on the number of workers nor on how often it was stopped and resumed.
/// </summary>
public static class SlidePackBuilder
{
    /// <summary>Names of people and places, and common English nouns.</summary>
    public static IReadOnlyList<string> UsualTexts { get; } = [.. EmbeddedLines.Read("SlidePeople.txt"), .. EmbeddedLines.Read("SlidePlaces.txt"), .. EmbeddedLines.Read("SlideNouns.txt")];

    /// <summary>Makes a pack, or goes on with one.</summary>
    /// <param name="path">The pack.</param>
    /// <param name="texts">What to write; every text is on a slide before one is for the second time.</param>
    /// <param name="count">Number of slides.</param>
    /// <param name="seed">Draws order, fonts, sizes, places and colours.</param>
    /// <param name="workers">Sheets of slides drawn at once.</param>
    /// <param name="resume">Whether to go on with a pack that exists.</param>
    /// <param name="progress">Called with the number of slides in the pack.</param>
    /// <param name="cancellation">Stops it; the pack can be resumed.</param>
    /// <exception cref="OmniFusionException">
    /// ffmpeg or a font is missing, a text does not fit on a slide, or the pack exists, is of other texts, or cannot be written.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static void Build(
        string path,
        IReadOnlyList<string> texts,
        int count,
        long seed,
        int workers,
        bool resume,
        Action<int>? progress,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        if (texts.Count == 0)
            throw new OmniFusionException("There are no texts to write on slides.");
        foreach (string text in texts)
            Slide.Check(text);
        SlideRenderer renderer = new(SlideFont.FindAll());
        PicturePackHeader header = new(Slide.Side, Slide.Side, seed, SpeechPackHeader.HashText(texts));
        try
        {
            (FileStream file, int done) = OpenFile(path, header, count, resume);
            using (file)
            {
                progress?.Invoke(Math.Min(done, count));
                while (done < count)
                {
                    int firstSheet = done / SlideRenderer.MaxSlides;
                    int sheets = Math.Min(workers, (count - done + SlideRenderer.MaxSlides - 1) / SlideRenderer.MaxSlides);
                    byte[][] records = new byte[sheets][];
                    Parallel.For(
                        0,
                        sheets,
                        new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellation },
                        i => records[i] = MakeSheet(renderer, header, texts, seed, firstSheet + i, count, cancellation));
                    foreach (byte[] sheet in records)
                        file.Write(sheet);
                    done = Math.Min(count, done + sheets * SlideRenderer.MaxSlides);
                    progress?.Invoke(done);
                }
            }
        }
        catch (AggregateException errors) when (errors.InnerExceptions.OfType<OmniFusionException>().FirstOrDefault() is { } first)
        {
            throw new OmniFusionException(first.Message, errors);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot write the slides {path}: {error.Message}", error);
        }
    }

    private static byte[] MakeSheet(
        SlideRenderer renderer,
        PicturePackHeader header,
        IReadOnlyList<string> texts,
        long seed,
        int sheet,
        int count,
        CancellationToken cancellation)
    {
        int first = sheet * SlideRenderer.MaxSlides;
        string[] shown = [.. Enumerable.Range(first, Math.Min(SlideRenderer.MaxSlides, count - first)).Select(i => TextAt(texts, seed, i))];
        Random random = new(Mix(seed, sheet));
        Slide[] slides = [.. shown.Select(text => Slide.Draw(text, random))];
        byte[][] pictures = renderer.Render(slides, cancellation);
        return [.. shown.SelectMany((text, i) => PicturePack.EncodeRecord(header, pictures[i], text))];
    }

    // Text i of an endless row in which each round has every text once, in an order of its own.
    private static string TextAt(IReadOnlyList<string> texts, long seed, int i)
    {
        int[] order = [.. Enumerable.Range(0, texts.Count)];
        new Random(Mix(seed, -1 - i / texts.Count)).Shuffle(order);
        return texts[order[i % texts.Count]];
    }

    private static int Mix(long seed, int number) => (int)((ulong)(seed * 1_000_003 + number) * 0x9E3779B97F4A7C15 >> 33);

    // Of a pack that is not complete only whole sheets count: what a broken-off write left of another is drawn again.
    private static (FileStream File, int Done) OpenFile(string path, PicturePackHeader header, int count, bool resume)
    {
        bool exists = File.Exists(path) && new FileInfo(path).Length > 0;
        if (exists && !resume)
            throw new OmniFusionException($"{path} exists: give --resume to go on with it, or remove it.");
        long end = 0;
        int done = 0;
        if (exists)
        {
            using SafeFileHandle found = File.OpenHandle(path);
            (PicturePackHeader other, int firstRecord) = PicturePack.ReadHeader(path, found);
            if (other != header)
                throw new OmniFusionException($"{path} was made from other texts or another seed, so it cannot be resumed.");
            long records = (RandomAccess.GetLength(found) - firstRecord) / header.RecordSize;
            done = (int)(records >= count ? records : records / SlideRenderer.MaxSlides * SlideRenderer.MaxSlides);
            end = firstRecord + (long)done * header.RecordSize;
        }
        else if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }
        FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        file.SetLength(end);
        file.Seek(0, SeekOrigin.End);
        if (!exists)
            file.Write(PicturePack.EncodeHeader(header));
        return (file, done);
    }
}
