using System.Globalization;
using OmniFusion.Checkpoints;

namespace OmniFusion.Simultaneous;

/// <summary>A line of subtitles.</summary>
/// <param name="Start">Seconds from the start of the audio at which it appears.</param>
/// <param name="End">Seconds at which it goes.</param>
/// <param name="Text">One or two lines.</param>
public sealed record Subtitle(double Start, double End, string Text)
{
    /// <summary>As it stands in a file.</summary>
    /// <param name="number">From 1 on.</param>
    /// <param name="web">As WebVTT, otherwise as SubRip.</param>
    public string Entry(int number, bool web)
    {
        // Markup in WebVTT, and the arrow that would pass for times.
        string shown = web ? Text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;") : Text.Replace("-->", "—>");
        return string.Create(CultureInfo.InvariantCulture, $"{number}\n{Time(Start, web)} --> {Time(End, web)}\n{shown}\n\n");
    }

    private static string Time(double seconds, bool web)
    {
        long ms = (long)Math.Round(seconds * 1000);
        return string.Create(CultureInfo.InvariantCulture,
            $"{ms / 3600000:00}:{ms / 60000 % 60:00}:{ms / 1000 % 60:00}{(web ? '.' : ',')}{ms % 1000:000}");
    }
}

/// <summary>
/// Makes subtitles of the events of a stream. Each segment's text is shown while its speech is heard; a long one is cut in parts of two
/// lines, each for a time in proportion to its length.
/// </summary>
public sealed class Subtitles
{
    // What broadcasters use: two lines of 42 characters.
    private const int LineLength = 42, PartLength = 2 * LineLength;

    private readonly List<Subtitle> _cues = [];
    private string _text = "";

    /// <summary>What a WebVTT file begins with.</summary>
    public const string WebHeader = "WEBVTT\n\n";

    /// <summary>The subtitles of the segments that have ended.</summary>
    public IReadOnlyList<Subtitle> Cues => _cues;

    /// <summary>Takes the next event; the last one of a stream ends its segment.</summary>
    public void Add(StreamEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        _text = _text[..^Math.Min(happened.Deleted, _text.Length)] + happened.Committed;
        if (!happened.EndsSegment)
            return;
        // Any white space, a line break above all, would end or break a cue.
        string[] parts = Split(string.Join(' ', _text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), PartLength);
        int length = parts.Sum(part => part.Length), before = 0;
        double start = happened.SegmentStart, seconds = Math.Max(happened.SpeechEnd - start, 0);
        foreach (string part in parts)
        {
            double from = start + seconds * before / length;
            before += part.Length;
            _cues.Add(new Subtitle(from, start + seconds * before / length, Lines(part)));
        }
        _text = "";
    }

    /// <summary>Writes them whole or not at all: as WebVTT where the name ends in <c>.vtt</c>, otherwise as SubRip.</summary>
    /// <exception cref="OmniFusionException">The place cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        bool web = path.EndsWith(".vtt", StringComparison.OrdinalIgnoreCase);
        AtomicFile.WriteText(path, (web ? WebHeader : "") + string.Concat(_cues.Select((cue, i) => cue.Entry(i + 1, web))));
    }

    // Into pieces of at most so many characters, at spaces where there are any.
    private static string[] Split(string text, int most)
    {
        List<string> pieces = [];
        while (text.Length > most)
        {
            int cut = text.LastIndexOf(' ', most);
            if (cut <= 0)
                cut = char.IsHighSurrogate(text[most - 1]) ? most - 1 : most;
            pieces.Add(text[..cut]);
            text = text[cut..].TrimStart();
        }
        if (text.Length > 0)
            pieces.Add(text);
        return [.. pieces];
    }

    // Broken at the space nearest to the middle.
    private static string Lines(string part)
    {
        if (part.Length <= LineLength)
            return part;
        int middle = part.Length / 2, before = part.LastIndexOf(' ', middle), after = part.IndexOf(' ', middle);
        int cut = before < 0 || (after >= 0 && after - middle < middle - before) ? after : before;
        return cut < 0 ? part : part[..cut] + "\n" + part[(cut + 1)..];
    }
}
