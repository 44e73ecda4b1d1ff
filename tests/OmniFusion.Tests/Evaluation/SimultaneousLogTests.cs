using System.Text.Json;
using OmniFusion.Evaluation;

namespace OmniFusion.Tests.Evaluation;

public sealed class SimultaneousLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-logs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Simulstream_log_comes_back_as_the_run_was()
    {
        SimultaneousRecord[] records =
        [
            SimultaneousRunTests.Record(
                [new(0.3, "Guten Ta"), new(0.9, "g un"), new(0.1, "Grüße: \"你好\"", 2), new(0.2, " ja")], name: "a.b"),
            SimultaneousRunTests.Record([new(0.1, " x"), new(2.5, "y  z"), new(0.1, ""), new(0.2, "")], name: "c"),
        ];
        SimulstreamLog.Write(this["log"], records);
        foreach (ComputationModel model in Enum.GetValues<ComputationModel>())
        {
            IReadOnlyList<StreamOutput> read = SimulstreamLog.Read(this["log"], model: model);
            Assert.Equal(["a.b", "c"], read.Select(output => output.Name));
            for (int i = 0; i < records.Length; i++)
                AssertSame(records[i].Output(LatencyUnit.Word, model), read[i]);
        }
        Assert.Equal("Guten Tag Grüße: \"你好\" ja", SimulstreamLog.Read(this["log"])[0].Text);
    }

    // Written as it stands in the golden, line for line, and scored with the same conventions.
    [Fact]
    public void Golden_log_is_written_as_it_was_read()
    {
        SimultaneousRecord record = new("talk", 3,
            [new(1, 0.2, 0, "Guten Ta"), new(2, 0.3, 2, "Tag und will"), new(3, 0.25, 0, "kommen.")]);
        SimulstreamLog.Write(this["log"], [record]);
        JsonElement[] expected = [.. Golden.Load("stream_latency").Json.GetProperty("log_example").EnumerateArray()];
        File.WriteAllLines(this["golden"], expected.Select(line => JsonSerializer.Serialize(line)));
        AssertSame(SimulstreamLog.Read(this["golden"])[0], SimulstreamLog.Read(this["log"])[0]);
        JsonElement[] written = [.. File.ReadLines(this["log"]).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(expected.Length, written.Length);
        Assert.Equal("talk.wav", written[0].GetProperty("metadata").GetProperty("wav_name").GetString());
        Assert.Equal(expected[1].EnumerateObject().Select(p => p.Name).Order(), written[1].EnumerateObject().Select(p => p.Name).Order());
    }

    [Fact]
    public void SimulEval_log_comes_back_as_it_was_written()
    {
        File.WriteAllLines(this["golden"], Golden.Load("latency_metrics").Json.GetProperty("instances").EnumerateArray()
            .Select(instance => JsonSerializer.Serialize(instance)));
        IReadOnlyList<LatencyInstance> golden = SimulEvalLog.Read(this["golden"]);
        SimulEvalLog.Write(this["again"], golden);
        IReadOnlyList<LatencyInstance> again = SimulEvalLog.Read(this["again"]);
        Assert.Equal(golden.Count, again.Count);
        foreach ((LatencyInstance before, LatencyInstance after) in golden.Zip(again))
        {
            Assert.Equal(before.Delays, after.Delays);
            Assert.Equal(before.Elapsed, after.Elapsed);
            Assert.Equal((before.Index, before.Prediction, before.Reference, before.SourceLength),
                (after.Index, after.Prediction, after.Reference, after.SourceLength));
        }
    }

    [Fact]
    public void Golden_instances_score_as_published()
    {
        JsonElement golden = Golden.Load("latency_metrics").Json, expected = golden.GetProperty("scores");
        File.WriteAllLines(this["log"], golden.GetProperty("instances").EnumerateArray().Select(i => JsonSerializer.Serialize(i)));
        SimultaneousScores scores = SimultaneousScorer.Score(SimultaneousOutcome.FromSimulEval(SimulEvalLog.Read(this["log"])));
        (string Name, LatencyPair Score, double Scale)[] all =
        [
            ("AL", scores.AL, 1000), ("LAAL", scores.LAAL, 1000), ("AP", scores.AP, 1), ("DAL", scores.DAL, 1000),
            ("ATD", scores.ATD, 1000), ("YAAL", scores.YAAL, 1000),
        ];
        foreach ((string name, LatencyPair score, double scale) in all)
        {
            Assert.Equal(expected.GetProperty(name).GetProperty("mean").GetDouble(), score.Plain!.Value * scale, 1e-6);
            Assert.Equal(expected.GetProperty(name + "_CA").GetProperty("mean").GetDouble(), score.ComputationAware!.Value * scale, 1e-6);
        }
    }

    [Fact]
    public void Golden_stream_scores_as_published()
    {
        foreach (JsonElement stream in Golden.Load("stream_latency").Json.GetProperty("streams").EnumerateArray())
        {
            StreamOutput output = new()
            {
                Name = "one",
                Text = stream.GetProperty("hypothesis").GetString()!,
                IdealDelays = TextGolden.Doubles(stream.GetProperty("ideal_delays")),
                ComputationAwareDelays = TextGolden.Doubles(stream.GetProperty("computation_aware_delays")),
                AudioSeconds = 14,
            };
            SpokenRecording talk = SimultaneousRunTests.Talk([.. stream.GetProperty("references").EnumerateArray().Select(r =>
                new SpokenSentence("", r.GetProperty("text").GetString()!, r.GetProperty("start").GetDouble(),
                    r.GetProperty("start").GetDouble() + r.GetProperty("duration").GetDouble()))]);
            SimultaneousScores scores = SimultaneousScorer.Score(SimultaneousOutcome.FromSimulstream([output], [talk]));
            Assert.Equal(stream.GetProperty("stream_laal").GetDouble(), scores.StreamLaal!.Value.Plain!.Value, 1e-6);
            Assert.Equal(stream.GetProperty("stream_laal_ca").GetDouble(), scores.StreamLaal.Value.ComputationAware!.Value, 1e-6);
            Assert.Equal(stream.GetProperty("long_yaal_seconds").GetDouble(), scores.LongYaal!.Value.Plain!.Value, 1e-6);
            Assert.Equal(stream.GetProperty("long_yaal_ca_seconds").GetDouble(), scores.LongYaal.Value.ComputationAware!.Value, 1e-6);
        }
    }

    // A run, scored directly and from both of its logs.
    [Fact]
    public void Logs_score_as_the_run_itself()
    {
        SimultaneousRecord record = SimultaneousRunTests.Record(
            [new(0.5, "Guten Tag"), new(1.1, " alle."), new(0.2, " Danke"), new(0.1, " sehr.")], samples: 48000);
        SpokenRecording talk = SimultaneousRunTests.Talk(
            new SpokenSentence("", "Guten Tag alle.", 0, 1.4), new SpokenSentence("", "Danke sehr.", 1.6, 3));
        SimulstreamLog.Write(this["stream"], [record]);
        Assert.Equal(
            SimultaneousScorer.Score([SimultaneousOutcome.Of(record, talk)]),
            SimultaneousScorer.Score(SimultaneousOutcome.FromSimulstream(
                SimulstreamLog.Read(this["stream"], model: ComputationModel.RealTime), [talk])));
        SimultaneousOutcome cumulative = SimultaneousOutcome.Of(record, talk, LatencyUnit.Word, ComputationModel.Cumulative);
        SimulEvalLog.Write(this["instances"], [cumulative.Instance(0)]);
        SimultaneousScores direct = SimultaneousScorer.Score([cumulative]);
        SimultaneousScores logged = SimultaneousScorer.Score(
            SimultaneousOutcome.FromSimulEval(SimulEvalLog.Read(this["instances"]), [talk]));
        Assert.Equal(direct.StreamLaal!.Value.ComputationAware!.Value, logged.StreamLaal!.Value.ComputationAware!.Value, 1e-9);
        Assert.Equal(direct.ATD.ComputationAware!.Value, logged.ATD.ComputationAware!.Value, 1e-9);
        Assert.Equal(direct.Bleu, logged.Bleu);
        Assert.Equal(direct.RealTimeFactor!.Value, logged.RealTimeFactor!.Value, 1e-9);
    }

    [Fact]
    public void Log_without_computation_has_no_computation_aware_scores()
    {
        LatencyInstance instance = new() { SourceLength = 1000, Delays = [500], Elapsed = [], Prediction = "a", Reference = "a" };
        SimultaneousScores scores = SimultaneousScorer.Score(SimultaneousOutcome.FromSimulEval([instance]));
        Assert.Equal(new LatencyPair(0.5, null), scores.LAAL);
        Assert.Null(scores.WordsComputationAware);
        Assert.Null(scores.RealTimeFactor);
    }

    [Theory]
    [InlineData("""{"id": 1, "total_audio_processed": 0.5, "computation_time": 0, "generated_tokens": [], "deleted_tokens": []}""", "0.5")]
    [InlineData("""{"id": 1, "total_audio_processed": 1e999, "computation_time": 0, "generated_tokens": [], "deleted_tokens": []}""",
        "has heard")]
    [InlineData("""{"id": 1, "total_audio_processed": 2, "computation_time": -1, "generated_tokens": [], "deleted_tokens": []}""", "-1")]
    [InlineData("""{"id": 1, "total_audio_processed": 2, "computation_time": NaN, "generated_tokens": [], "deleted_tokens": []}""", "JSON")]
    [InlineData("""{"id": 1, "total_audio_processed": 2, "computation_time": 0, "generated_tokens": ["\ud800"], "deleted_tokens": []}""",
        "Line 3")]
    [InlineData("""{"id": 1, "total_audio_processed": 2, "computation_time": 0, "generated_tokens": [], "deleted_tokens": ["b"]}""",
        "deleted")]
    [InlineData("""{"id": 1, "total_audio_processed": 2, "computation_""", "Line 3")]
    public void Damaged_simulstream_log_is_one_sentence(string line, string word)
    {
        File.WriteAllLines(this["log"],
        [
            """{"id": 1, "metadata": {"wav_name": "a.wav"}}""",
            """{"id": 1, "total_audio_processed": 1, "computation_time": 0, "generated_tokens": ["a"], "deleted_tokens": []}""",
            line,
        ]);
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => SimulstreamLog.Read(this["log"]));
        Assert.Contains(word, error.Message);
        Assert.Contains("Line 3", error.Message);
    }

    [Theory]
    [InlineData("\"prediction\": \"a b\", \"delays\": [1, 2], \"elapsed\": [2, 1]", "before the 2")]
    [InlineData("\"prediction\": \"a b\", \"delays\": [1, 2], \"elapsed\": [2]", "1 times")]
    [InlineData("\"prediction\": \"a\", \"delays\": [1, 2], \"elapsed\": [1, 2]", "2 delays for 1 words")]
    [InlineData("\"prediction\": null, \"delays\": [1, 2], \"elapsed\": [1, 2]", "2 delays for 0 words")]
    [InlineData("\"prediction\": \"a b\", \"delays\": [2, 1], \"elapsed\": [2, 2]", "1 comes after 2")]
    [InlineData("\"prediction\": \"a b\", \"delays\": [1, 1e999], \"elapsed\": [2, 2]", "finite")]
    [InlineData("\"prediction\": \"a\", \"delays\": [NaN], \"elapsed\": [1]", "JSON")]
    public void Damaged_SimulEval_log_is_one_sentence(string rest, string word)
    {
        WriteSimulEval("\"prediction\": \"a\", \"delays\": [1], \"elapsed\": [1]", rest);
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => SimulEvalLog.Read(this["log"]));
        Assert.Contains(word, error.Message);
        Assert.Contains($"Line 2 of {this["log"]}", error.Message);
    }

    [Fact]
    public void An_index_stands_in_a_log_once()
    {
        WriteSimulEval("\"prediction\": \"\", \"delays\": []");
        File.AppendAllText(this["log"], File.ReadAllText(this["log"]));
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => SimulEvalLog.Read(this["log"]));
        Assert.Contains("Line 2", error.Message);
        Assert.Contains("index 0", error.Message);
    }

    [Fact]
    public void Elapsed_may_be_missing_or_null()
    {
        WriteSimulEval("\"prediction\": \"a\", \"delays\": [500], \"elapsed\": null", "\"prediction\": \"a\", \"delays\": [500]");
        SimultaneousScores scores = SimultaneousScorer.Score(SimultaneousOutcome.FromSimulEval(SimulEvalLog.Read(this["log"])));
        Assert.Equal(new LatencyPair(0.5, null), scores.LAAL);
    }

    [Fact]
    public void Characters_are_counted_with_and_without_their_spaces()
    {
        WriteSimulEval("\"prediction\": \"你 好\", \"delays\": [1, 2]", "\"prediction\": \"你 好\", \"delays\": [1, 1, 2]");
        Assert.Equal(2, SimulEvalLog.Read(this["log"], LatencyUnit.Character).Count);
        Assert.Throws<OmniFusionException>(() => SimulEvalLog.Read(this["log"]));
    }

    [Fact]
    public void A_recording_without_a_step_is_one_without_output()
    {
        File.WriteAllLines(this["log"],
        [
            """{"id": 1, "metadata": {"wav_name": "one.wav"}}""",
            """{"id": 2, "metadata": {"wav_name": "two.wav"}}""",
            """{"id": 2, "total_audio_processed": 2, "computation_time": 0, "generated_tokens": ["a"], "deleted_tokens": []}""",
        ]);
        SimultaneousScores scores = SimultaneousScorer.Score(SimultaneousOutcome.FromSimulstream(
            SimulstreamLog.Read(this["log"]), [SimultaneousRunTests.Sentence("a", "one", 16000), SimultaneousRunTests.Sentence("a", "two")]));
        Assert.Equal((2, 3.0), (scores.Recordings, scores.AudioSeconds));
        Assert.Equal(2, scores.LAAL.Plain);
    }

    [Fact]
    public void A_log_that_ends_before_the_last_sentence_is_refused()
    {
        SpokenRecording talk = SimultaneousRunTests.Talk(new SpokenSentence("", "a", 0, 1), new SpokenSentence("", "b", 1, 3));
        StreamOutput output = new() { Name = "one", Text = "a", IdealDelays = [1], ComputationAwareDelays = [1], AudioSeconds = 2, Steps = 2 };
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => SimultaneousOutcome.FromSimulstream([output], [talk]));
        Assert.Contains("2 seconds of the recording one", error.Message);
        Assert.Single(SimultaneousOutcome.FromSimulstream([output with { AudioSeconds = 2.95 }], [talk]));
    }

    [Fact]
    public void Logs_that_do_not_fit_are_named()
    {
        LatencyInstance good = new() { SourceLength = 1000, Delays = [500], Elapsed = [600], Prediction = "a", Reference = "a" };
        AssertNamed("0 has no reference", [good with { Reference = " " }]);
        AssertNamed("source length", [good with { SourceLength = 0 }]);
        AssertNamed("2 times", [good with { Elapsed = [1, 2] }]);
        AssertNamed("finite", [good with { Delays = [double.PositiveInfinity] }]);
        AssertNamed("no sentence", []);
        AssertNamed("indexes", [good with { Index = 1 }], SimultaneousRunTests.Sentence("a"));
        AssertNamed("indexes", [good, good], SimultaneousRunTests.Sentence("a"));
        OmniFusionException missing = Assert.Throws<OmniFusionException>(
            () => SimultaneousOutcome.FromSimulstream([], [SimultaneousRunTests.Sentence("a", "talk-7")]));
        Assert.Contains("talk-7", missing.Message);
        Assert.Throws<OmniFusionException>(() => SimulEvalLog.Write(this["log"], [good with { Delays = [double.NaN] }]));
        Assert.False(File.Exists(this["log"]));
    }

    private string this[string name] => Path.Combine(_folder, name);

    private void WriteSimulEval(params string[] lines) => File.WriteAllLines(this["log"], lines.Select(
        (line, i) => $"{{\"index\": {i}, {line}, \"source_length\": 1000, \"reference\": \"a\"}}"));

    private static void AssertNamed(string words, LatencyInstance[] log, params SpokenRecording[] recordings)
    {
        OmniFusionException error = Assert.Throws<OmniFusionException>(
            () => SimultaneousOutcome.FromSimulEval(log, recordings.Length == 0 ? null : recordings));
        Assert.Contains(words, error.Message);
    }

    private static void AssertSame(StreamOutput expected, StreamOutput actual)
    {
        Assert.Equal(expected.Text, actual.Text);
        Assert.Equal(expected.IdealDelays, actual.IdealDelays);
        Assert.Equal(expected.ComputationAwareDelays, actual.ComputationAwareDelays);
        Assert.Equal((expected.DeletedUnits, expected.Steps, expected.AudioSeconds, expected.ComputationSeconds),
            (actual.DeletedUnits, actual.Steps, actual.AudioSeconds, actual.ComputationSeconds));
    }
}
