using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

/// <summary>Streams of recorded speech with the shipped model.</summary>
public sealed class ShippedModelStreamTests
{
    private static readonly OmniFusionModel s_model = OmniFusionModel.Load(Tokenizers.Nano);

    private static float[] Garage { get; } =
        AudioFile.ReadMono16k(Path.Combine(Golden.Root, "..", "..", "samples", "speech", "garage.wav"));

    [Fact]
    public async Task Sessions_side_by_side_do_not_disturb_each_other()
    {
        float[] talk = [.. Garage, .. new float[16000], .. Garage];
        string alone = await Translate(talk);
        // "Two boys are building a tall tower …", twice.
        Assert.Equal(2, alone.Split("Zwei Jungen bauen").Length - 1);
        string[] together = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Translate(talk)));
        Assert.All(together, text => Assert.Equal(alone, text));
    }

    // 0.24 seconds between the sentences are not enough for a pause, but for a model to hear where one ends.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sentences_without_a_pause_are_segments(bool cascade)
    {
        float[] talk = [.. ((string[])["ducks", "garage", "accordion"]).SelectMany(name => (float[])[.. Spoken(name), .. new float[3840]])];
        using StreamTranslator translator = StreamTranslator.Create(s_model, new SimultaneousOptions
        {
            TargetLanguage = "de", Cascade = cascade, Policy = PolicyOptions.Parse("local-agreement:2"), ChunkSeconds = 0.5,
        });
        List<string> segments = [""];
        foreach (StreamEvent happened in (StreamEvent[])[.. translator.Push(talk), .. translator.Finish()])
        {
            segments[^1] += happened.Committed;
            if (happened.EndsSegment)
                segments.Add("");
        }
        Assert.Collection(segments,
            first => Assert.Matches(@"^Eine Frau [^.]*\.$", first),
            second => Assert.Matches(@"^ Zwei Jungen [^.]*\.$", second),
            third => Assert.Matches(@"^ Ein alte[^.]*\.$", third),
            Assert.Empty);
    }

    [Fact]
    public async Task The_cascade_writes_its_transcript_with_beams()
    {
        TranslationRequest request = new() { Samples = Garage, TargetLanguage = "de" };
        Translation translation = await s_model.TranslateCascadeAsync(request);
        Assert.StartsWith("Two boys", translation.Transcript);
        Translation text = await s_model.TranslateAsync(new TranslationRequest { Text = translation.Transcript!, TargetLanguage = "de" });
        Assert.Equal(text.Ids, translation.Ids);
        await Assert.ThrowsAsync<OmniFusionException>(
            () => s_model.TranslateCascadeAsync(new TranslationRequest { Text = "No speech.", TargetLanguage = "de" }));
    }

    [Fact]
    public void A_language_that_the_model_does_not_know_is_refused_before_any_audio() =>
        Assert.Contains("Japanese", Assert.Throws<OmniFusionException>(
            () => StreamTranslator.Create(s_model, new SimultaneousOptions { TargetLanguage = "ja" })).Message);

    [Fact]
    public async Task What_was_heard_and_how_it_is_read_can_be_chosen()
    {
        SimultaneousOptions cascade = new() { TargetLanguage = "de", Cascade = true };
        string stable = await Translate(Garage, cascade);
        // A transcript that may still change is the same one in the end.
        string revising = await Translate(Garage, cascade with { TranscriptPolicy = PolicyOptions.Parse("retranslate:0") });
        string thinking = await Translate(Garage, new SimultaneousOptions { TargetLanguage = "de", ChainOfThought = true });
        Assert.All([stable, revising, thinking], text => Assert.StartsWith("Zwei Jungen", text));
    }

    [Theory]
    [InlineData(true, true, "hold-n:3", null, "choose one")]
    [InlineData(false, true, "alignatt:8", null, "alignatt follows the audio")]
    [InlineData(false, false, "hold-n:3", "hold-n:3", "belongs to a cascade")]
    public void What_does_not_go_together_is_refused(bool cascade, bool thinks, string policy, string? transcript, string why) =>
        Assert.Contains(why, Assert.Throws<OmniFusionException>(() => StreamTranslator.Create(s_model, new SimultaneousOptions
        {
            TargetLanguage = "de", Cascade = cascade, ChainOfThought = thinks, Policy = PolicyOptions.Parse(policy),
            TranscriptPolicy = transcript is null ? null : PolicyOptions.Parse(transcript),
        })).Message);

    // A recording without the silence around it.
    private static float[] Spoken(string name)
    {
        float[] samples = AudioFile.ReadMono16k(Path.Combine(Golden.Root, "..", "..", "samples", "speech", name + ".wav"));
        bool[] loud = [.. samples.Chunk(160).Select(frame => frame.Sum(sample => sample * sample) > 160 * 0.003f * 0.003f)];
        return samples[(160 * Array.IndexOf(loud, true))..Math.Min(160 * Array.LastIndexOf(loud, true) + 160, samples.Length)];
    }

    private static async Task<string> Translate(float[] samples, SimultaneousOptions? options = null)
    {
        await using SimultaneousSession session = new(s_model, options ?? new SimultaneousOptions { TargetLanguage = "de" });
        Task pushing = Task.Run(async () =>
        {
            await session.PushAsync(samples);
            await session.FinishAsync();
        });
        string text = "";
        await foreach (StreamEvent happened in session.Events)
            text += happened.Committed;
        await pushing;
        return text;
    }
}
