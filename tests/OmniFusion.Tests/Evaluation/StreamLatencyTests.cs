using System.Text.Json;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class StreamLatencyTests
{
    private static readonly JsonElement s_json = Golden.Load("stream_latency").Json;

    [Fact]
    public void Stream_laal_equals_the_published_one()
    {
        foreach (JsonElement stream in s_json.GetProperty("streams").EnumerateArray())
        {
            StreamLatencyScore score = StreamLatency.StreamLaal([Output(stream)], [References(stream)]);
            Assert.Equal(TextGolden.Strings(stream.GetProperty("resegmented")).Select(s => s.TrimEnd()), score.Segments[0]);
            Assert.Equal(stream.GetProperty("stream_laal").GetDouble(), score.Ideal, 1e-6);
            Assert.Equal(stream.GetProperty("stream_laal_ca").GetDouble(), score.ComputationAware, 1e-6);
        }
    }

    [Fact]
    public void Long_yaal_equals_the_published_one()
    {
        foreach (JsonElement stream in s_json.GetProperty("streams").EnumerateArray())
        {
            StreamLatencyScore score = StreamLatency.LongYaal([Output(stream)], [References(stream)]);
            Assert.Equal(TextGolden.Strings(stream.GetProperty("softsegmenter")), score.Segments[0]);
            Assert.Equal(stream.GetProperty("long_yaal_seconds").GetDouble(), score.Ideal, 1e-6);
            Assert.Equal(stream.GetProperty("long_yaal_ca_seconds").GetDouble(), score.ComputationAware, 1e-6);
        }
    }

    // "Ta" is taken back for "Tag"; "will" becomes "willkommen." with the last chunk.
    [Fact]
    public void Log_with_deleted_tokens_gives_the_final_words_and_their_times()
    {
        IEnumerable<string> lines = s_json.GetProperty("log_example").EnumerateArray().Select(l => JsonSerializer.Serialize(l));
        StreamOutput output = Assert.Single(ReadLog(lines));
        Assert.Equal("talk", output.Name);
        Assert.Equal("Guten Tag und willkommen.", output.Text);
        Assert.Equal([1.0, 2.0, 2.0, 3.0], output.IdealDelays);
        Assert.Equal([1.2, 2.3, 2.3, 3.25], output.ComputationAwareDelays);
        Assert.Equal(1, output.DeletedUnits);
        Assert.Equal(0.25, output.NormalizedErasure);
        Assert.Equal(0.25, output.RealTimeFactor, 1e-12);
    }

    [Fact]
    public void Log_in_characters_keeps_the_time_of_each()
    {
        StreamOutput output = Assert.Single(ReadLog(
        [
            """{"id": 1, "metadata": {"wav_name": "a.wav"}}""",
            """{"id": 1, "total_audio_processed": 1, "computation_time": 0, "generated_tokens": ["你","好"], "deleted_tokens": []}""",
            """{"id": 1, "total_audio_processed": 2, "computation_time": 0, "generated_tokens": ["们"], "deleted_tokens": ["好"]}""",
        ], LatencyUnit.Character));
        Assert.Equal("你们", output.Text);
        Assert.Equal([1.0, 2.0], output.IdealDelays);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("""{"id": 2, "total_audio_processed": 1, "computation_time": 0, "generated_tokens": [], "deleted_tokens": []}""")]
    [InlineData("""{"id": 1, "total_audio_processed": "x", "computation_time": 0, "generated_tokens": [], "deleted_tokens": []}""")]
    [InlineData("""{"id": 1, "total_audio_processed": 1, "computation_time": 0, "generated_tokens": [], "deleted_tokens": ["a"]}""")]
    [InlineData("""{"id": 1, "total_audio_processed": 1, "computation_time": 0, "generated_tokens": [null], "deleted_tokens": []}""")]
    [InlineData("""{"id": 1, "total_audio_processed": 1}""")]
    public void Bad_log_is_named_with_its_line(string line)
    {
        OmniFusionException error = Assert.Throws<OmniFusionException>(
            () => ReadLog(["""{"id": 1, "metadata": {"wav_name": "a.wav"}}""", line]));
        Assert.Contains("Line 2", error.Message);
    }

    [Fact]
    public void Missing_log_is_named() =>
        Assert.Contains("nowhere.log", Assert.Throws<OmniFusionException>(() => SimulEvalLog.Read("nowhere.log")).Message);

    [Theory]
    [InlineData("a b c|d e|f", "a b c d e f", new[] { 3, 5, 6 })]
    [InlineData("a b||c d", "a b c d", new[] { 2, 2, 4 })]
    [InlineData("a b|c d", "", new[] { 0, 0 })]
    [InlineData("a b|c d", "A B C D e", new[] { 2, 5 })]
    [InlineData("a b|c d", "x a b c", new[] { 3, 4 })]
    public void Mwer_segmenter_cuts_where_the_errors_are_fewest(string references, string hypothesis, int[] ends) =>
        Assert.Equal(ends, MwerSegmenter.Align(Parts(references), Words(hypothesis)));

    [Theory]
    [InlineData("hello there|good bye", "hello their god by", new[] { 0, 0, 1, 1 })]
    [InlineData("ab .|cd", "ab x . cdx cd", new[] { 0, 0, 0, 1, 1 })]
    [InlineData("ab cd|ef", "- ab", new[] { -1, 0 })]
    [InlineData("abc|xyz", "ＸＹＺ", new[] { 1 })] // full-width letters are equal to plain ones
    public void Soft_segmenter_follows_similar_words(string references, string hypothesis, int[] segments) =>
        Assert.Equal(segments, SoftSegmenter.Align(Parts(references), Words(hypothesis)));

    [Fact]
    public void Characters_are_segmented_too()
    {
        StreamOutput output = new() { Text = "你好。再见", IdealDelays = [1, 1, 2, 3, 3], ComputationAwareDelays = [1, 1, 2, 3, 4] };
        ReferenceSegment[] references = [new("你好。", 0, 2), new("再见", 2, 2)];
        // (1 + 1/3 + 2/3) / 3 and (1 + 0) / 2
        Assert.Equal((2.0 / 3 + 0.5) / 2, StreamLatency.StreamLaal([output], [references], LatencyUnit.Character).Ideal, 1e-9);
        StreamLatencyScore yaal = StreamLatency.LongYaal([output], [references], LatencyUnit.Character);
        Assert.Equal(["你好。", "再见"], yaal.Segments[0]);
        Assert.Equal((2.0 / 3 + 0.5) / 2, yaal.Ideal, 1e-9);
        Assert.Equal((2.0 / 3 + 1) / 2, yaal.ComputationAware, 1e-9); // the last word comes when the recording is over
    }

    [Fact]
    public void Bad_input_is_named()
    {
        StreamOutput output = new() { Text = "a b", IdealDelays = [1, 2], ComputationAwareDelays = [1, 2] };
        ReferenceSegment segment = new("a b", 0, 1);
        Assert.Throws<OmniFusionException>(() => StreamLatency.StreamLaal([output], []));
        Assert.Throws<OmniFusionException>(() => StreamLatency.StreamLaal([output], [[]]));
        Assert.Throws<OmniFusionException>(() => StreamLatency.StreamLaal([output with { IdealDelays = [1] }], [[segment]]));
        Assert.Throws<OmniFusionException>(() => StreamLatency.LongYaal([output with { IdealDelays = [1, double.NaN] }], [[segment]]));
        Assert.Throws<OmniFusionException>(() => StreamLatency.LongYaal([output], [[segment with { Duration = 0 }]]));
        Assert.Throws<OmniFusionException>(() => StreamLatency.LongYaal([output], [[segment with { Text = "" }]]));
        StreamOutput silent = new() { Text = "", IdealDelays = [], ComputationAwareDelays = [] };
        Assert.True(double.IsNaN(StreamLatency.StreamLaal([silent], [[segment]]).Ideal));
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string[][] Parts(string texts) => [.. texts.Split('|').Select(Words)];

    private static IReadOnlyList<StreamOutput> ReadLog(IEnumerable<string> lines, LatencyUnit unit = LatencyUnit.Word)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllLines(path, lines);
            return SimulstreamLog.Read(path, unit);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static StreamOutput Output(JsonElement stream) => new()
    {
        Text = stream.GetProperty("hypothesis").GetString()!,
        IdealDelays = TextGolden.Doubles(stream.GetProperty("ideal_delays")),
        ComputationAwareDelays = TextGolden.Doubles(stream.GetProperty("computation_aware_delays")),
    };

    private static ReferenceSegment[] References(JsonElement stream) => [.. stream.GetProperty("references").EnumerateArray().Select(
        r => new ReferenceSegment(
            r.GetProperty("text").GetString()!, r.GetProperty("start").GetDouble(), r.GetProperty("duration").GetDouble()))];
}
