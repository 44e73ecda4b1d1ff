using System.Text.Json;
using OmniFusion.Media;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli.Tests;

/// <summary><c>omnifusion stream</c> and <c>translate --cascade</c> with the shipped model.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-stream-").FullName;

    private static string Samples => Path.GetFullPath(Path.Combine(TinyBundle.Goldens, "..", "..", "samples", "speech"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Prints_an_event_a_line_and_saves_them()
    {
        string saved = Path.Combine(_folder, "events.jsonl");
        Outcome outcome = await CommandLine.Run("stream", Path.Combine(Samples, "garage.wav"), "--to", "de", "--json", "--save", saved);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        string text = "";
        double time = 0;
        foreach (JsonElement line in outcome.Json)
        {
            Assert.Equal(["time_audio", "time_wall", "committed", "tentative", "deleted", "ends_segment"],
                line.EnumerateObject().Select(property => property.Name).Where(name => name != "log_mel_deviation"));
            Assert.Equal(0, line.GetProperty("deleted").GetInt32());
            Assert.True(line.GetProperty("time_audio").GetDouble() >= time);
            time = line.GetProperty("time_audio").GetDouble();
            text += line.GetProperty("committed").GetString();
        }
        // "Two boys are building a tall tower …": the first words came before the last.
        Assert.StartsWith("Zwei Jungen bauen", text);
        Assert.True(outcome.Json.Count(line => line.GetProperty("committed").GetString() != "") > 2);
        Assert.Equal("", outcome.Json[^1].GetProperty("tentative").GetString());
        Assert.Equal(outcome.Lines, await File.ReadAllLinesAsync(saved));
    }

    [Fact]
    public async Task Prints_plain_text_when_redirected_and_saves_subtitles()
    {
        Assert.SkipUnless(Console.IsOutputRedirected, "The output is a terminal.");
        string saved = Path.Combine(_folder, "talk.srt");
        Outcome outcome = await CommandLine.Run("stream", Path.Combine(Samples, "accordion.wav"), "--to", "de", "--cascade",
            "--policy", "hold-n:4", "--chunk", "0.8", "--save", saved);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        string[] lines = await File.ReadAllLinesAsync(saved);
        Assert.Equal("1", lines[0]);
        Assert.Matches("^00:00:0[0-9],[0-9]{3} --> 00:00:0[0-9],[0-9]{3}$", lines[1]);
        Assert.Equal(Assert.Single(outcome.Lines),
            string.Join(' ', lines.Where(line => line != "" && !line.Contains("-->") && !int.TryParse(line, out _))));
    }

    [Fact]
    public async Task Translates_by_the_cascade_and_shows_the_transcript()
    {
        Outcome outcome = await CommandLine.Run(
            "translate", Path.Combine(Samples, "garage.wav"), Path.Combine(Samples, "missing.wav"), "--to", "de", "--cascade", "--json");
        Assert.Equal(1, outcome.Code);
        JsonElement[] lines = outcome.Json;
        Assert.StartsWith("Two boys", lines[0].GetProperty("transcript").GetString());
        Assert.StartsWith("Zwei Jungen", lines[0].GetProperty("translation").GetString());
        Assert.Contains("missing.wav", lines[1].GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("--to", "stream", "a.wav")]
    [InlineData("nothing to listen", "stream", "--to", "de")]
    [InlineData("--policy", "stream", "a.wav", "--to", "de", "--policy", "wait-z")]
    [InlineData("--image", "stream", "a.wav", "--to", "de", "--image", "a.png@soon")]
    [InlineData("--save", "stream", "a.wav", "--to", "de", "--save", "a.txt")]
    [InlineData("--realtime", "stream", "-", "--to", "de", "--realtime")]
    [InlineData("--source", "stream", "a.wav", "--source", "mic", "--to", "de")]
    [InlineData("--source", "stream", "--source", "radio", "--to", "de")]
    [InlineData("--device", "stream", "a.wav", "--device", "hw:1", "--to", "de")]
    [InlineData("--chunk takes 0.02 to 30 seconds, not 0.", "stream", "a.wav", "--to", "de", "--chunk", "0")]
    [InlineData("--chunk takes 0.02 to 30 seconds, not -1.", "stream", "a.wav", "--to", "de", "--chunk", "-1")]
    [InlineData("--chunk takes 0.02 to 30 seconds, not 0.01.", "stream", "a.wav", "--to", "de", "--chunk", "0.01")]
    [InlineData("--chunk takes 0.02 to 30 seconds, not 31.", "stream", "a.wav", "--to", "de", "--chunk", "31")]
    [InlineData("--chunk takes steps of 0.02 seconds, not 0.03.", "stream", "a.wav", "--to", "de", "--chunk", "0.03")]
    [InlineData("--max-segment takes 2 to 30 seconds, not 1.", "stream", "a.wav", "--to", "de", "--max-segment", "1")]
    [InlineData("--sentence-pause takes 0 to 10", "stream", "a.wav", "--to", "de", "--sentence-pause", "11")]
    [InlineData("--from goes with --cascade", "stream", "a.wav", "--to", "de", "--from", "en")]
    [InlineData("--from: ", "stream", "a.wav", "--to", "de", "--cascade", "--from", "elvish")]
    [InlineData("--cascade", "translate", "--text", "x", "--cascade", "--to", "de")]
    public async Task Wrong_usage_is_named(string word, params string[] arguments) =>
        (await CommandLine.Run(arguments)).AssertFailed(2, word);

    [Theory]
    [InlineData("missing.wav", "stream", "missing.wav", "--to", "de")]
    [InlineData("--save", "stream", "missing.wav", "--to", "de", "--save", "no-such-folder/talk.srt")]
    [InlineData("missing.png", "stream", "missing.wav", "--to", "de", "--image", "missing.png@1")]
    public async Task Bad_input_is_named(string word, params string[] arguments) =>
        (await CommandLine.Run(arguments)).AssertFailed(1, word);

    [Fact]
    public async Task A_file_that_nothing_was_heard_for_stays_as_it_was()
    {
        string old = Path.Combine(_folder, "old.srt"), fresh = Path.Combine(_folder, "fresh.srt"), folder = Path.Combine(_folder, "a.srt");
        await File.WriteAllTextAsync(old, "of old");
        (await CommandLine.Run("stream", "missing.wav", "--to", "de", "--save", old)).AssertFailed(1, "missing.wav");
        Assert.Equal("of old", await File.ReadAllTextAsync(old));
        (await CommandLine.Run("stream", "missing.wav", "--to", "de", "--save", fresh)).AssertFailed(1, "missing.wav");
        Assert.False(File.Exists(fresh));
        Directory.CreateDirectory(folder);
        // Before the image, the model and the audio.
        (await CommandLine.Run("stream", "missing.wav", "--to", "de", "--save", folder, "--image", "missing.png")).AssertFailed(1, "--save");
    }

    [Theory]
    [InlineData(true, "of old")]
    [InlineData(false, "")]
    public void A_stream_that_is_stopped_in_silence_replaces_nothing(bool stopped, string expected)
    {
        string path = Path.Combine(_folder, "old.srt");
        File.WriteAllText(path, "of old");
        using (StreamRecord record = StreamRecord.Open(path)!)
        {
            record.Add(Event("", ""));
            record.Complete(stopped);
        }
        Assert.Equal(expected, File.ReadAllText(path));
    }

    [Fact]
    public void A_device_may_be_saved_to()
    {
        Assert.SkipUnless(File.Exists("/dev/null"), "There is no such device.");
        string path = Path.Combine(_folder, "null.jsonl");
        File.CreateSymbolicLink(path, "/dev/null");
        using StreamRecord record = StreamRecord.Open(path)!;
        record.Add(Event("Ein", ""));
        record.Complete(stopped: false);
    }

    [Fact]
    public async Task A_picture_that_the_model_cannot_take_is_named_before_the_stream_begins()
    {
        string thin = Path.Combine(_folder, "thin.png");
        PngWriter.Write(thin, new RgbImage(201, 1, new byte[603]));
        (await CommandLine.Run("stream", Path.Combine(Samples, "garage.wav"), "--to", "de", "--image", thin + "@99"))
            .AssertFailed(1, "--image", "thin.png");
    }

    [Fact]
    public void What_is_saved_is_in_the_file_at_once()
    {
        string events = Path.Combine(_folder, "a.jsonl"), subtitles = Path.Combine(_folder, "a.vtt");
        File.WriteAllText(events, new string('x', 10000));
        using StreamRecord lines = StreamRecord.Open(events)!, cues = StreamRecord.Open(subtitles)!;
        foreach (StreamEvent happened in new[] { Event("Ein", " Hund"), Event(" Hund.", "", ends: true), Event(" Und", "") })
        {
            lines.Add(happened);
            cues.Add(happened);
        }
        Assert.Equal(3, Read(events).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal("WEBVTT\n\n1\n00:00:00.000 --> 00:00:00.000\nEin Hund.\n\n", Read(subtitles));

        static string Read(string path)
        {
            using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return reader.ReadToEnd();
        }
    }

    [Fact]
    public void An_event_tells_what_is_not_as_ever_only_where_it_is_so()
    {
        Assert.EndsWith("\"ends_segment\":false}", StreamView.Line(Event("Ein", "")));
        Assert.EndsWith("\"ends_segment\":false,\"transcript\":\"A dog\",\"log_mel_deviation\":0.5}",
            StreamView.Line(Event("Ein", "") with { Transcript = "A dog", LogMelDeviation = 0.5f }));
    }

    [Fact]
    public void A_terminal_shows_the_segment_in_its_place()
    {
        StringWriter output = new() { NewLine = "\n" };
        StreamView.Terminal view = new(output, () => 21);
        view.Show(Event("Ein", " Hund bellt."));
        Assert.Equal("\r\e[JEin\e[2m Hund\e[22m\e[2m bellt.\e[22m", Taken(output));
        // Twenty columns: the third word goes to the next line, without its space.
        view.Show(Event(" großer Hund", " bellt laut"));
        Assert.Equal("\r\e[JEin großer Hund\n\e[2mbellt\e[22m\e[2m laut\e[22m", Taken(output));
        view.Show(Event("", "", ends: true));
        Assert.Equal("\e[1A\r\e[JEin großer Hund\n", Taken(output));
        view.Show(Event(" Ja\e[31m", ""));
        Assert.Equal("\r\e[JJa[31m", Taken(output));
        view.End();
        Assert.Equal("\n", Taken(output));
    }

    private static StreamEvent Event(string committed, string tentative, bool ends = false) => new(0, 0, committed, tentative, 0, ends);

    private static string Taken(StringWriter output)
    {
        string text = output.ToString();
        output.GetStringBuilder().Clear();
        return text;
    }
}
