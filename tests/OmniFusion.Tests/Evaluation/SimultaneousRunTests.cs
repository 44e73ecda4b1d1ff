using OmniFusion.Evaluation;
using OmniFusion.Media;

namespace OmniFusion.Tests.Evaluation;

public sealed class SimultaneousRunTests
{
    // Steps at 1, 2 and 2.5 seconds and at the end; the second computes longer than a chunk lasts.
    private static readonly ScriptedStep[] s_slow = [new(0.5, "Guten"), new(1.2, " Tag und"), new(0.5, ""), new(0.5, " alle")];

    [Fact]
    public void Words_have_the_audio_time_of_their_step()
    {
        ManualClock clock = new();
        using ScriptedTranslator translator = new(clock, s_slow);
        SimultaneousRecord record = SimultaneousRun.Run(translator, "one", new float[40000], 1, clock);
        Assert.Equal([16000, 16000, 8000], translator.Pushed);
        Assert.Equal(2.5, record.SourceSeconds);
        StreamOutput output = record.Output();
        Assert.Equal("Guten Tag und alle", output.Text);
        Assert.Equal([1, 2, 2, 2.5], output.IdealDelays);
        Assert.Equal(4, output.Steps);
        Assert.Equal(2.7 / 2.5, output.RealTimeFactor, 1e-9);
        Assert.Equal(0, output.NormalizedErasure);
    }

    [Fact]
    public void Images_are_shown_at_their_sample_and_cut_no_step()
    {
        ManualClock clock = new();
        using ScriptedTranslator translator = new(clock);
        RgbImage one = new(3, 1, new byte[9]), two = new(4, 1, new byte[12]);
        SimultaneousRecord record = SimultaneousRun.Run(translator, "one", new float[40000], 1, clock,
            [(one, 0), (two, 0.5), (null, 2), (one, 2.25), (two, 9)]);
        Assert.Equal([(0, 3), (8000, 4), (32000, null), (36000, 3)], translator.Shown);
        Assert.Equal([8000, 8000, 16000, 4000, 4000], translator.Pushed);
        Assert.Equal([1, 2, 2.5, 2.5], record.Steps.Select(step => step.AudioSeconds));
    }

    [Theory]
    [InlineData(ComputationModel.RealTime, new[] { 1.5, 3.2, 3.2, 4.2 })] // 0.5 of the second step overlap with the third's audio
    [InlineData(ComputationModel.Cumulative, new[] { 1.5, 3.7, 3.7, 5.2 })]
    [InlineData(ComputationModel.PerStep, new[] { 1.5, 3.2, 3.2, 3.0 })]
    public void Computation_counts_as_the_model_says(ComputationModel model, double[] expected) =>
        AssertClose(expected, Record(s_slow).Output(LatencyUnit.Word, model).ComputationAwareDelays);

    [Fact]
    public void A_fast_system_does_not_accumulate_computation()
    {
        SimultaneousRecord record = Record([new(0.1, "a"), new(0.2, " b"), new(0.3, " c"), new(0.1, "")]);
        AssertClose([1.1, 2.2, 2.8], record.Output().ComputationAwareDelays);
        AssertClose([1.1, 2.3, 3.1], record.Output(LatencyUnit.Word, ComputationModel.Cumulative).ComputationAwareDelays);
    }

    // By hand, with the pace 2.5 / 4 = 0.625 seconds a word.
    [Fact]
    public void Scores_equal_those_computed_by_hand()
    {
        SimultaneousOutcome outcome = SimultaneousOutcome.Of(Record(s_slow), Sentence("Guten Tag und alle"));
        SimultaneousScores scores = SimultaneousScorer.Score([outcome]);
        AssertPair((1 + 1.375 + 0.75 + 0.625) / 4, (1.5 + 2.575) / 2, scores.AL);
        AssertPair((1 + 1.375 + 0.75 + 0.625) / 4, (1.5 + 2.575) / 2, scores.LAAL);
        AssertPair(7.5 / 10, 12.1 / 10, scores.AP);
        AssertPair((1 + 1.375 + 0.75) / 3, 1.5, scores.YAAL); // the last word, with computation the last three, come at the end or later
        AssertPair(1, 1.5, scores.StartOffset);
        AssertPair(0, 1.7, scores.EndOffset);
        Assert.Equal(100, scores.Bleu, 1e-9);
        Assert.Equal(100, scores.ChrF, 1e-9);
        Assert.Equal(2.7 / 2.5, scores.RealTimeFactor!.Value, 1e-9);
        Assert.Equal((4.0, 4.0), (scores.Steps, scores.NumChunks));
        Assert.Null(scores.StreamLaal);
        // Lags 1, 1.375, 0.75, 0.625
        Assert.Equal((4, 0.75, 1.375, 1.375), (scores.Words!.Words, scores.Words.Median, scores.Words.P90, scores.Words.P99));
        Assert.Equal(3.75 / 4, scores.Words.Mean, 1e-9);
        // 1.5, 2.575, 1.95, 2.325
        Assert.Equal(1.95, scores.WordsComputationAware!.Median, 1e-9);
    }

    [Fact]
    public void Scores_of_talks_equal_the_metrics_of_streams()
    {
        SimultaneousRecord record = Record(
            [new(0.5, "Guten Tag"), new(0.1, " alle."), new(0.2, " Danke"), new(0, " sehr.")], samples: 48000);
        SpokenRecording talk = Talk(new SpokenSentence("", "Guten Tag alle.", 0, 1.4), new SpokenSentence("", "Danke sehr.", 1.6, 3));
        SimultaneousScores scores = SimultaneousScorer.Score([SimultaneousOutcome.Of(record, talk)]);
        // Guten 1 - 0, Tag 1 - 0.4667, alle. 2 - 0.9333: the first after the end; Danke 3 - 1.6, after the end of 1.4
        Assert.Equal(((1 + (1 - 1.4 / 3) + (2 - 2.8 / 3)) / 3 + 1.4) / 2, scores.StreamLaal!.Value.Plain!.Value, 1e-9);
        StreamLatencyScore yaal = StreamLatency.LongYaal([record.Output()], [talk.References(3)]);
        AssertPair(yaal.Ideal, yaal.ComputationAware, scores.LongYaal!.Value);
        Assert.Equal((1, 2, 3.0), (scores.Recordings, scores.Sentences, scores.AudioSeconds));
        Assert.Equal(scores.StreamLaal, scores.MainLatency);
        Assert.Equal(5, scores.Words!.Words);
        Assert.Equal(1, scores.Words.Median, 1e-9); // of 1, 0.533, 1.067, 1.4 and 0.7
    }

    [Fact]
    public void What_is_taken_back_flickers_and_what_changed_is_as_late_as_its_change()
    {
        SimultaneousRecord record = Record([new(0, "Guten Ta"), new(0, "g und will", 0), new(0, "Morgen", 11), new(0, " ja")]);
        StreamOutput output = record.Output();
        Assert.Equal("Guten TMorgen ja", output.Text);
        Assert.Equal([1, 2.5, 2.5], output.IdealDelays);
        Assert.Equal(3, output.DeletedUnits); // Tag, und, will
        Assert.Equal(1, output.NormalizedErasure);
        Assert.Equal(1, SimultaneousScorer.Score([SimultaneousOutcome.Of(record, Sentence("Guten Morgen"))]).NormalizedErasure);
    }

    [Fact]
    public void Characters_have_times_of_their_own()
    {
        SimultaneousOutcome outcome = SimultaneousOutcome.Of(
            Record([new(0, "你"), new(0, "好 们")]), Sentence("你好们"), LatencyUnit.Character);
        LatencyInstance instance = outcome.Instance(0, LatencyUnit.Character);
        Assert.Equal("你好们", instance.Prediction);
        Assert.Equal([1000, 2000, 2000], instance.Delays);
        Assert.Equal(5.0 / 3 / 2.5, SimultaneousScorer.Score([outcome], LatencyUnit.Character).AP.Plain!.Value, 1e-9);
    }

    [Fact]
    public void A_silent_system_has_no_latency()
    {
        SimultaneousScores scores = SimultaneousScorer.Score([SimultaneousOutcome.Of(Record([]), Sentence("Guten Tag"))]);
        Assert.Equal(0, scores.Bleu);
        Assert.Equal(default, scores.LAAL);
        Assert.Null(scores.Words);
    }

    [Fact]
    public void Each_recording_gets_a_stream_of_its_own_after_a_warm_up()
    {
        ManualClock clock = new();
        List<ScriptedTranslator> made = [];
        List<string> told = [];
        IReadOnlyList<SimultaneousRecord> records = SimultaneousRun.RunAll([Sentence("a", "x", 20 * 16000), Sentence("b", "y", 100)],
            () =>
            {
                made.Add(new ScriptedTranslator(clock, new ScriptedStep(0.25, made.Count == 0 ? "cold" : "warm")));
                return made[^1];
            }, 2, record => told.Add(record.Name), clock);
        Assert.Equal(["warm", "warm"], records.Select(record => record.Output().Text));
        Assert.Equal(["x", "y"], told);
        Assert.All(made, translator => Assert.True(translator.Disposed));
        Assert.Equal([5 * 16000, 20 * 16000, 100], made.Select(translator => translator.Pushed.Sum()));
    }

    [Theory]
    [InlineData(1e-9, 50, 50)]
    [InlineData(3600, 50, 1)]
    [InlineData(1, 0, 0)]
    public void Chunks_of_any_length_hear_everything(double chunk, int samples, int pushes)
    {
        using ScriptedTranslator translator = new(new ManualClock());
        SimultaneousRun.Run(translator, "x", new float[samples], chunk);
        Assert.Equal((samples, pushes), (translator.Pushed.Sum(), translator.Pushed.Count));
    }

    [Fact]
    public void Bad_input_is_named()
    {
        ManualClock clock = new();
        using ScriptedTranslator translator = new(clock);
        foreach (double chunk in new[] { 0, -1, double.NaN, 1e6 })
            Assert.Throws<OmniFusionException>(() => SimultaneousRun.Run(translator, "x", new float[9], chunk));
        Assert.Contains("one", Assert.Throws<OmniFusionException>(() => Record([new(0, "a", 1)]).Output()).Message);
        Assert.Throws<OmniFusionException>(() => SimultaneousScorer.Score([]));
        using CancellationTokenSource stopped = new();
        stopped.Cancel();
        Assert.Throws<OperationCanceledException>(
            () => SimultaneousRun.Run(translator, "x", new float[9], 1, clock, cancellation: stopped.Token));
        OmniFusionException late = Assert.Throws<OmniFusionException>(
            () => SimultaneousOutcome.Of(Record([]), Talk(new SpokenSentence("", "a", 7, null))));
        Assert.Contains("begins at 7", late.Message);
    }

    internal static SimultaneousRecord Record(ScriptedStep[] script, int samples = 40000, string name = "one")
    {
        ManualClock clock = new();
        using ScriptedTranslator translator = new(clock, script);
        return SimultaneousRun.Run(translator, name, new float[samples], 1, clock);
    }

    internal static SpokenRecording Sentence(string translation, string name = "one", int samples = 0) =>
        new(name, [new SpokenSentence("", translation, 0, null)], _ => new float[samples]);

    internal static SpokenRecording Talk(params SpokenSentence[] sentences) => new("one", sentences, _ => []);

    private static void AssertPair(double plain, double aware, LatencyPair pair)
    {
        Assert.Equal(plain, pair.Plain!.Value, 1e-9);
        Assert.Equal(aware, pair.ComputationAware!.Value, 1e-9);
    }

    private static void AssertClose(double[] expected, IReadOnlyList<double> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }
}
