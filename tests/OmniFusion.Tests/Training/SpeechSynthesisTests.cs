using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class SpeechSynthesisTests
{
    [Fact]
    public void TrainingVoicesHaveTheirSharesAndNeverTheHeldOutSpeaker()
    {
        Assert.DoesNotContain(Voice.Training.Concat(Voice.Further), voice => voice.Name.Contains("slt"));
        Assert.Equal("flite:slt", Assert.Single(Voice.HeldOut).Id);
        Utterance[] drawn = [.. Enumerable.Range(0, 20000).Select(line => Utterance.Draw(1, line, 0, Voice.Training))];
        foreach ((SpeechEngine engine, double share) in
                 new[] { (SpeechEngine.Espeak, 0.45), (SpeechEngine.Flite, 0.40), (SpeechEngine.Festival, 0.15) })
        {
            Assert.Equal(share, drawn.Count(utterance => utterance.Voice.Engine == engine) / 20000.0, 0.015);
        }

        Assert.Equal(Voice.Training.Count, drawn.Select(utterance => utterance.Voice).Distinct().Count());
    }

    [Fact]
    public void DrawsStayInTheirRangesAndFillThem()
    {
        Voice voice = Voice.HeldOut[0];
        Utterance[] drawn = [.. Enumerable.Range(0, 3000).Select(line => Utterance.Draw(2, line, 1, Voice.HeldOut))];
        Assert.All(drawn, utterance =>
        {
            Assert.InRange(utterance.Rate, voice.MinRate, voice.MaxRate);
            Assert.InRange(utterance.Pitch, voice.MinPitch, voice.MaxPitch);
            Assert.InRange(utterance.LeadIn, 1600, 3200);
            Assert.InRange(utterance.LeadOut, 1600, 3200);
        });
        Assert.Equal((voice.MinRate + voice.MaxRate) / 2, drawn.Average(utterance => utterance.Rate), 0.01);
        Assert.Equal(2400, drawn.Average(utterance => utterance.LeadIn), 40.0);
    }

    [Fact]
    public void DrawsDependOnSeedLineAndCopy()
    {
        Utterance drawn = Utterance.Draw(1, 5, 0, Voice.Training);
        Assert.Equal(drawn, Utterance.Draw(1, 5, 0, Voice.Training));
        Assert.NotEqual(drawn.LeadIn, Utterance.Draw(2, 5, 0, Voice.Training).LeadIn);
        Assert.NotEqual(drawn.LeadIn, Utterance.Draw(1, 6, 0, Voice.Training).LeadIn);
        Assert.NotEqual(drawn.LeadIn, Utterance.Draw(1, 5, 1, Voice.Training).LeadIn);
    }

    [Fact]
    public void ReadsListsOfVoices()
    {
        Assert.Equal(Voice.Training, Voice.ParseList("train"));
        Assert.Equal(Voice.Further, Voice.ParseList("further"));
        Assert.Equal(Voice.HeldOut, Voice.ParseList("test"));
        Assert.Equal([.. Voice.Training, .. Voice.Further], Voice.ParseList("train,further,flite:awb"));
        Assert.Equal(1, Voice.Further.Sum(voice => voice.Share), 1e-9);
        Assert.Equal(["flite:slt", "espeak:en-gb+f2"], Voice.ParseList("flite:slt, espeak:en-gb+f2,flite:slt").Select(voice => voice.Id));
        foreach (string bad in new[] { "", "slt", "flite:slt,", "flite:nobody" })
            Assert.Contains("Unknown voice", Assert.Throws<OmniFusionException>(() => Voice.ParseList(bad)).Message);
    }

    [Theory]
    [InlineData(22050)]
    [InlineData(8000)]
    [InlineData(32000)]
    public void ResamplingKeepsATone(int rate)
    {
        short[] tone = Tone(1000, rate, rate / 2);
        short[] resampled = RecordedSpeech.Resample(tone, rate);
        short[] expected = Tone(1000, 16000, 8000);
        Assert.Equal(expected.Length, resampled.Length);
        // Away from the ends, where the tone is cut.
        for (int i = 400; i < 7600; i++)
            Assert.Equal(expected[i], (double)resampled[i], 20.0);
    }

    [Fact]
    public void ResamplingRemovesWhat16KilohertzCannotHold()
    {
        short[] resampled = RecordedSpeech.Resample(Tone(9500, 22050, 22050), 22050);
        Assert.True(resampled[400..^400].Max(sample => Math.Abs((int)sample)) < 100);
    }

    [Fact]
    public void TrimmingGivesExactlyTheAskedSilence()
    {
        short[] speech = [3000, -9000, 40, 5000];
        short[] recorded = [.. new short[1000], 7, .. speech, -8, .. new short[3]];
        // The faint samples at the edges are kept as part of the silence; where there is too little, zeros are added.
        Assert.Equal([0, 7, .. speech, -8, 0, 0, 0, 0, 0], RecordedSpeech.Trim(recorded, 2, 6));
        Assert.Equal(speech, RecordedSpeech.Trim(recorded, 0, 0));
        Assert.Empty(RecordedSpeech.Trim(new short[50], 3, 3));
        Assert.Empty(RecordedSpeech.Trim([], 3, 3));
        Assert.Equal([0, short.MinValue, 0], RecordedSpeech.Trim([short.MinValue], 1, 1));
    }

    [Fact]
    public void ReadsAWaveThatWasPiped()
    {
        byte[] wave = Wave(22050, [5, -6, 7]);
        // The sizes that espeak-ng writes before it knows them.
        BitConverter.GetBytes(0x7ffff000).CopyTo(wave, 40);
        (short[] samples, int rate) = RecordedSpeech.ReadWave(wave);
        Assert.Equal([5, -6, 7], samples);
        Assert.Equal(22050, rate);
    }

    [Fact]
    public void RefusesWhatIsNoWave()
    {
        byte[] wave = Wave(16000, [1, 2]);
        for (int length = 0; length < 44; length++)
            Assert.Throws<OmniFusionException>(() => RecordedSpeech.ReadWave(wave.AsSpan(0, length)));
        wave[22] = 2;
        Assert.Throws<OmniFusionException>(() => RecordedSpeech.ReadWave(wave));
    }

    [Theory]
    [InlineData("espeak:en-gb+f2")]
    [InlineData("flite:awb")]
    [InlineData("flite:kal")]
    [InlineData("festival:ked_diphone")]
    [InlineData("pico:en-GB")]
    [InlineData("rhvoice:clb")]
    public void TheEnginesSpeak(string id)
    {
        Voice voice = Voice.ParseList(id)[0];
        SkipUnlessInstalled(voice);
        using SpeechSynthesizer synthesizer = new();
        Utterance utterance = Utterance.Draw(3, 0, 0, [voice]);
        const string text = "A \"small\" dog \\ & two (young) cats — it's caf\u00e9 time.";
        short[] samples = synthesizer.Speak(utterance, text);
        Assert.InRange(samples.Length, 1.5 * 16000, 10 * 16000);
        Assert.True(samples.Max() > 3000);
        // Another sentence between them leaves no trace.
        synthesizer.Speak(Utterance.Draw(4, 9, 1, [voice]), "Something else.");
        Assert.Equal(samples, synthesizer.Speak(utterance, text));
        Assert.True(synthesizer.Speak(utterance with { Rate = voice.MinRate }, text).Length
            != synthesizer.Speak(utterance with { Rate = voice.MaxRate }, text).Length);
        Assert.NotEqual(
            synthesizer.Speak(utterance with { Pitch = voice.MinPitch }, text),
            synthesizer.Speak(utterance with { Pitch = voice.MaxPitch }, text));
        Assert.Equal(synthesizer.Speak(utterance, "Salt & pepper."), synthesizer.Speak(utterance, "Salt &amp; pepper."));
    }

    [Fact]
    public void NothingToSayIsAnError()
    {
        using SpeechSynthesizer synthesizer = new();
        Assert.Contains("empty", Assert.Throws<OmniFusionException>(
            () => synthesizer.Speak(Utterance.Draw(1, 0, 0, Voice.HeldOut), " \t")).Message);
    }

    [Fact]
    public void AVoiceThatIsNotInstalledIsNamed()
    {
        Voice known = Voice.ParseList("festival:kal_diphone")[0];
        SkipUnlessInstalled(known);
        Assert.Contains("nobody", Assert.Throws<OmniFusionException>(
            () => SpeechSynthesizer.RequireInstalled([known with { Name = "nobody" }])).Message);
    }

    private static void SkipUnlessInstalled(Voice voice)
    {
        try
        {
            SpeechSynthesizer.RequireInstalled([voice]);
        }
        catch (OmniFusionException missing)
        {
            Assert.Skip(missing.Message);
        }
    }

    private static short[] Tone(double hertz, int rate, int count) =>
        [.. Enumerable.Range(0, count).Select(t => (short)Math.Round(10000 * Math.Sin(2 * Math.PI * hertz * t / rate)))];

    private static byte[] Wave(int rate, short[] samples)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write("RIFF"u8);
        writer.Write(36 + samples.Length * 2);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)1);
        writer.Write(rate);
        writer.Write(rate * 2);
        writer.Write((short)2);
        writer.Write((short)16);
        writer.Write("data"u8);
        writer.Write(samples.Length * 2);
        foreach (short sample in samples)
            writer.Write(sample);
        return stream.ToArray();
    }
}
