using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

public sealed class SubtitlesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-subtitles-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Each_segment_is_shown_while_it_is_heard()
    {
        Subtitles subtitles = new();
        subtitles.Add(Event("Ein Hand"));
        subtitles.Add(Event("und bellt <laut> --> & weit.", deleted: 3));
        subtitles.Add(Event("", start: 1.25, end: 3.5));
        subtitles.Add(Event(" Ende", start: 3600 + 60 + 1, end: 3600 + 60 + 1.0014));
        Assert.Equal("""
            1
            00:00:01,250 --> 00:00:03,500
            Ein Hund bellt <laut> —> & weit.

            2
            01:01:01,000 --> 01:01:01,001
            Ende


            """.ReplaceLineEndings("\n"), Saved(subtitles, "a.srt"));
        Assert.StartsWith("WEBVTT\n\n1\n00:00:01.250 --> 00:00:03.500\nEin Hund bellt &lt;laut&gt; --&gt; &amp; weit.\n\n2\n01:01:01.000",
            Saved(subtitles, "a.vtt"));
    }

    [Fact]
    public void A_long_text_is_cut_into_parts_of_two_lines()
    {
        Subtitles subtitles = new();
        string text = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"Wort{i}"));
        subtitles.Add(Event(text, start: 10, end: 20));
        Assert.True(subtitles.Cues.Count > 3);
        Assert.Equal(text, string.Join(' ', subtitles.Cues.Select(cue => cue.Text.Replace('\n', ' '))));
        Assert.Equal((10, 20), (subtitles.Cues[0].Start, subtitles.Cues[^1].End));
        Assert.All(subtitles.Cues.Zip(subtitles.Cues.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
        Assert.All(subtitles.Cues, cue => Assert.InRange(cue.Text.Split('\n').Length, 1, 2));
        Assert.All(subtitles.Cues.SelectMany(cue => cue.Text.Split('\n')), line => Assert.InRange(line.Length, 1, 46));
    }

    [Fact]
    public void Text_without_spaces_is_cut_between_characters()
    {
        Subtitles subtitles = new();
        string text = string.Concat(Enumerable.Repeat("東𠀋", 100));
        subtitles.Add(Event(text, start: 0, end: 9));
        Assert.Equal(text, string.Concat(subtitles.Cues.Select(cue => cue.Text)));
        Assert.All(subtitles.Cues, cue => Assert.False(char.IsHighSurrogate(cue.Text[^1])));
    }

    [Fact]
    public void Nothing_said_is_an_empty_file()
    {
        Subtitles subtitles = new();
        subtitles.Add(Event(" \n ", start: 0, end: 1));
        Assert.Equal("", Saved(subtitles, "a.srt"));
        Assert.Equal("WEBVTT\n\n", Saved(subtitles, "a.vtt"));
    }

    private static StreamEvent Event(string committed, int deleted = 0, double? start = null, double end = 0) =>
        new(end, end, committed, "", deleted, start is not null) { SegmentStart = start ?? 0, SpeechEnd = end };

    private string Saved(Subtitles subtitles, string name)
    {
        string path = Path.Combine(_folder, name);
        subtitles.Save(path);
        return File.ReadAllText(path);
    }
}
