using System.Text;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>Shows the events of a stream as they come.</summary>
internal abstract class StreamView
{
    internal static StreamView Create(bool json) => json ? new Lines(Console.Out)
        : Console.IsOutputRedirected ? new Plain(Console.Out)
        // Some terminals do not know how wide they are.
        : new Terminal(Console.Out, () => Console.WindowWidth is > 0 and int width ? width : 80);

    internal abstract void Show(StreamEvent happened);

    /// <summary>The stream has ended.</summary>
    internal virtual void End()
    {
    }

    /// <summary>An event as one line of JSON.</summary>
    internal static string Line(StreamEvent happened) => JsonOutput.Line(new JsonEvent(
        Math.Round(happened.AudioSeconds, 4), Math.Round(happened.WallSeconds, 4), happened.Committed, happened.Tentative, happened.Deleted,
        happened.EndsSegment, happened.Transcript, happened.LogMelDeviation));

    // Models write what they like; it does not steer the terminal.
    private static string Clean(string text) => string.Concat(text.ReplaceLineEndings(" ").Where(c => !char.IsControl(c)));

    private sealed record JsonEvent(
        [property: JsonPropertyName("time_audio")] double TimeAudio,
        [property: JsonPropertyName("time_wall")] double TimeWall,
        string Committed,
        string Tentative,
        int Deleted,
        [property: JsonPropertyName("ends_segment")] bool EndsSegment,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Transcript,
        [property: JsonPropertyName("log_mel_deviation"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
        float LogMelDeviation);

    /// <summary>One object a line.</summary>
    internal sealed class Lines(TextWriter output) : StreamView
    {
        internal override void Show(StreamEvent happened)
        {
            output.WriteLine(Line(happened));
            output.Flush();
        }
    }

    /// <summary>Each segment's text on a line, when it cannot change any more.</summary>
    internal sealed class Plain(TextWriter output) : StreamView
    {
        private string _text = "";

        internal override void Show(StreamEvent happened)
        {
            _text = _text[..^Math.Min(happened.Deleted, _text.Length)] + happened.Committed;
            if (happened.EndsSegment)
                End();
        }

        internal override void End()
        {
            if (!string.IsNullOrWhiteSpace(_text))
                output.WriteLine(Clean(_text).Trim());
            output.Flush();
            _text = "";
        }
    }

    /// <summary>The present segment is written again and again in its place: what is out in normal weight, the rest dimmed.</summary>
    internal sealed class Terminal(TextWriter output, Func<int> width) : StreamView
    {
        private string _text = "";
        private int _lines;

        internal override void Show(StreamEvent happened)
        {
            _text = _text[..^Math.Min(happened.Deleted, _text.Length)] + happened.Committed;
            Draw(Clean(_text).TrimStart(), Clean(happened.Tentative));
            if (!happened.EndsSegment)
                return;
            if (_lines > 0)
                output.Write('\n');
            output.Flush();
            (_text, _lines) = ("", 0);
        }

        internal override void End()
        {
            if (_lines > 0)
                output.Write('\n');
            output.Flush();
        }

        private void Draw(string stable, string tentative)
        {
            StringBuilder frame = new();
            if (_lines > 1)
                frame.Append($"\e[{_lines - 1}A");
            frame.Append("\r\e[J");
            string whole = stable + (stable.Length == 0 ? tentative.TrimStart() : tentative);
            _lines = whole.Length == 0 ? 0 : 1;
            int column = 0, room = Math.Max(width() - 1, 8);
            for (int at = 0; at < whole.Length;)
            {
                // A word with the space before it; it moves to the next line where it does not fit.
                int end = at + 1;
                while (end < whole.Length && whole[end] != ' ' && Width(whole.AsSpan(at, end - at)) < room)
                    end++;
                if (char.IsHighSurrogate(whole[end - 1]) && end < whole.Length)
                    end++;
                int wide = Width(whole.AsSpan(at, end - at));
                if (column > 0 && column + wide > room)
                {
                    frame.Append('\n');
                    _lines++;
                    column = 0;
                    if (whole[at] == ' ')
                    {
                        at++;
                        wide--;
                        if (at == end)
                            continue;
                    }
                }
                AppendWord(frame, whole, at, end, stable.Length);
                column += wide;
                at = end;
            }
            output.Write(frame.ToString());
            output.Flush();
        }

        private static void AppendWord(StringBuilder frame, string whole, int at, int end, int stable)
        {
            int normal = Math.Clamp(stable, at, end);
            frame.Append(whole, at, normal - at);
            if (normal < end)
                frame.Append("\e[2m").Append(whole, normal, end - normal).Append("\e[22m");
        }

        private static int Width(ReadOnlySpan<char> text)
        {
            int width = 0;
            foreach (Rune rune in text.EnumerateRunes())
                width += IsWide(rune.Value) ? 2 : 1;
            return width;
        }

        // East Asian wide and full-width forms.
        private static bool IsWide(int c) => c is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
            or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0x1F300 and <= 0x1FAFF)
            or (>= 0x20000 and <= 0x3FFFD);
    }
}
