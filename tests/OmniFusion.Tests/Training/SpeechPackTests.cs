using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class SpeechPackTests : IDisposable
{
    private static readonly string[] Text = [.. Enumerable.Range(0, 40).Select(i => $"Sentence number {i}.")];

    private readonly string _folder = Directory.CreateTempSubdirectory("speech-pack-").FullName;

    [Fact]
    public void GivesBackWhatWasSpokenCopyByCopy()
    {
        string path = Make("a.pack", copies: 2, workers: 3);
        using SpeechPack pack = SpeechPack.Open(path);
        Assert.Equal(80, pack.Count);
        Assert.Equal(40, pack.Lines);
        Assert.Equal(7, pack.Seed);
        Assert.Equal(Voice.Training.Select(voice => voice.Id), pack.Voices);
        for (int i = 0; i < pack.Count; i++)
        {
            Utterance drawn = Utterance.Draw(7, i % 40, i / 40, Voice.Training);
            short[] expected = ToneSpeaker.Tone(drawn);
            SpeechPackItem item = pack.Items[i];
            Assert.Equal((i % 40, i / 40, drawn.Voice.Id, expected.Length), (item.TextIndex, item.Copy, item.Voice, item.SampleCount));
            Assert.Equal(expected.Length / 16000.0, item.Seconds);
            short[] samples = new short[item.SampleCount];
            pack.ReadSamples(i, samples);
            Assert.Equal(expected, samples);
            Assert.Equal(expected.Select(sample => sample / 32768f), pack.ReadSamples(i));
        }
    }

    [Fact]
    public void DoesNotDependOnTheNumberOfWorkers() =>
        AssertSame(Make("one.pack", copies: 2, workers: 1), Make("five.pack", copies: 2, workers: 5));

    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(79)]
    public void StoppedAndResumedEqualsUnbroken(int stopAfter)
    {
        string unbroken = Make("unbroken.pack", copies: 2);
        using CancellationTokenSource stop = new();
        string path = Path.Combine(_folder, "stopped.pack");
        Assert.Throws<OperationCanceledException>(() => SpeechPackBuilder.Build(
            path,
            Plan(2, 2),
            false,
            at =>
            {
                if (at.Done == stopAfter)
                    stop.Cancel();
            },
            () => new ToneSpeaker(),
            stop.Token));
        using (SpeechPack part = SpeechPack.Open(path))
            Assert.Equal(stopAfter, part.Count);
        Make("stopped.pack", copies: 2, resume: true);
        AssertSame(unbroken, path);
    }

    [Theory]
    [InlineData(5, 0)] // samples without their record, and half a record
    [InlineData(0, 777)] // a record whose samples were lost
    [InlineData(20, 3)]
    [InlineData(1 << 20, 0)] // no record at all
    public void AFileTornAnywhereIsReadAsFarAsItGoesAndMended(int lostIndexBytes, int lostSampleBytes)
    {
        string whole = Make("whole.pack", copies: 1), torn = Make("torn.pack", copies: 1);
        int header = SpeechPackIndex.EncodeHeader(SpeechPackIndex.Read(whole).Header).Length;
        Shorten(torn + ".index", lostIndexBytes, header);
        Shorten(torn, lostSampleBytes, 0);
        using (SpeechPack pack = SpeechPack.Open(torn))
        {
            Assert.InRange(pack.Count, 0, 39);
            if (pack.Count > 0)
                pack.ReadSamples(pack.Count - 1, new short[pack.Items[^1].SampleCount]);
        }

        Make("torn.pack", copies: 1, resume: true);
        AssertSame(whole, torn);
    }

    [Fact]
    public void MoreCopiesGoOnFromFewer()
    {
        string path = Make("grown.pack", copies: 1);
        Make("grown.pack", copies: 2, resume: true);
        AssertSame(Make("both.pack", copies: 2), path);
    }

    [Fact]
    public void CanBeReadWhileItGrows()
    {
        string path = Path.Combine(_folder, "growing.pack");
        int seen = 0;
        SpeechPackBuilder.Build(
            path,
            Plan(1, 1),
            false,
            at =>
            {
                if (at.Done is not 10 and not 30)
                    return;
                using SpeechPack pack = SpeechPack.Open(path);
                Assert.Equal(at.Done, pack.Count);
                short[] samples = new short[pack.Items[^1].SampleCount];
                pack.ReadSamples(pack.Count - 1, samples);
                Assert.Equal(ToneSpeaker.Tone(Utterance.Draw(7, at.Done - 1, 0, Voice.Training)), samples);
                seen++;
            },
            () => new ToneSpeaker(),
            default);
        Assert.Equal(2, seen);
    }

    [Fact]
    public void ALineThatFailsIsTriedAgainThenReportedAndKeepsItsPlace()
    {
        string path = Path.Combine(_folder, "failing.pack");
        ToneSpeaker speaker = new() { FailsOn = Text[4], FailsOnceOn = Text[9] };
        IReadOnlyList<SpeechFailure> failures = SpeechPackBuilder.Build(path, Plan(1, 1), false, null, () => speaker, default);
        SpeechFailure failure = Assert.Single(failures);
        Assert.Equal((4, "No."), (failure.TextIndex, failure.Reason));
        Assert.Equal(3, speaker.Refusals);
        using SpeechPack pack = SpeechPack.Open(path);
        Assert.Equal(40, pack.Count);
        Assert.Equal(0, pack.Items[4].SampleCount);
        pack.ReadSamples(4, Span<short>.Empty);
        Assert.True(pack.Items[9].SampleCount > 0);

        Assert.Equal(4, Assert.Single(SpeechPackBuilder.Build(path, Plan(1, 1), true, null, () => speaker, default)).TextIndex);
    }

    [Fact]
    public void AnEngineThatFailsOnEverythingStopsTheRunWhichCanThenBeResumed()
    {
        string path = Path.Combine(_folder, "outage.pack");
        OmniFusionException error = Assert.Throws<OmniFusionException>(
            () => SpeechPackBuilder.Build(path, Plan(1, 2), false, null, () => new ToneSpeaker { FailsFrom = 10 }, default));
        Assert.Contains("No.", error.Message);
        Make("outage.pack", copies: 1, resume: true);
        AssertSame(Make("calm.pack", copies: 1), path);
    }

    [Fact]
    public void AnErrorOfOneWorkerEndsTheRun() => Assert.Throws<InvalidOperationException>(() =>
        SpeechPackBuilder.Build(
            Path.Combine(_folder, "error.pack"), Plan(1, 3), false, null, () => new ToneSpeaker { BreaksOn = Text[20] }, default));

    [Fact]
    public void KnowsItsText()
    {
        using SpeechPack pack = SpeechPack.Open(Make("text.pack", copies: 1));
        Assert.True(pack.IsMadeFrom(Text));
        Assert.True(pack.IsMadeFrom([.. Text, "A line more."]));
        Assert.False(pack.IsMadeFrom(Text[..39]));
        Assert.False(pack.IsMadeFrom([.. Text[..39], "Another line."]));
    }

    [Fact]
    public void RefusesToOverwriteAndToMixSets()
    {
        string path = Make("kept.pack", copies: 1);
        byte[] before = File.ReadAllBytes(path);
        Assert.Contains("--resume", Assert.Throws<OmniFusionException>(() => Make("kept.pack", copies: 1)).Message);
        foreach (SpeechPackPlan other in new[]
                 {
                     Plan(1, 1) with { Seed = 8 },
                     Plan(1, 1) with { Text = Text[..20] },
                     Plan(1, 1) with { Voices = Voice.HeldOut },
                 })
        {
            Assert.Contains("another", Assert.Throws<OmniFusionException>(
                () => SpeechPackBuilder.Build(path, other, true, null, () => new ToneSpeaker(), default)).Message);
        }

        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void RefusesEmptyPlans()
    {
        foreach (SpeechPackPlan plan in new[]
                 {
                     Plan(0, 1), Plan(70000, 1), Plan(1, 0), Plan(1, 1) with { Text = [] }, Plan(1, 1) with { Voices = [] },
                 })
        {
            Assert.Throws<OmniFusionException>(() => SpeechPackBuilder.Build(
                Path.Combine(_folder, "empty.pack"), plan, false, null, () => new ToneSpeaker(), default));
        }

        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void RefusesAnIndexChangedAnywhere()
    {
        string path = Make("damaged.pack", copies: 1);
        byte[] index = File.ReadAllBytes(path + ".index");
        Random random = new(5);
        int refused = 0;
        for (int trial = 0; trial < 500; trial++)
        {
            byte[] damaged = [.. index];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path + ".index", damaged);
            try
            {
                using SpeechPack pack = SpeechPack.Open(path);
                for (int i = 0; i < pack.Count; i++)
                    pack.ReadSamples(i, new short[pack.Items[i].SampleCount]);
            }
            catch (OmniFusionException)
            {
                refused++;
            }
        }

        Assert.True(refused > 100, $"{refused} of 500 refused");
    }

    [Fact]
    public void BadFilesAreRefusedInASentence()
    {
        string path = Path.Combine(_folder, "bad.pack");
        Assert.Contains("bad.pack", Assert.Throws<OmniFusionException>(() => SpeechPack.Open(path)).Message);
        File.WriteAllBytes(path, []);
        byte[] hugeHeader = [.. "OFSPEECH"u8, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f];
        byte[] newVersion = [.. "OFSPEECH"u8, 2, 0, 0, 0, 2, 0, 0, 0, .. "{}"u8];
        byte[] emptyHeader = [.. "OFSPEECH"u8, 1, 0, 0, 0, 2, 0, 0, 0, .. "{}"u8];
        byte[] noJson = [.. "OFSPEECH"u8, 1, 0, 0, 0, 2, 0, 0, 0, .. "]]"u8];
        foreach (byte[] bytes in new byte[][] { [], [1, 2, 3], hugeHeader, newVersion, emptyHeader, noJson })
        {
            File.WriteAllBytes(path + ".index", bytes);
            Assert.Contains("bad.pack", Assert.Throws<OmniFusionException>(() => SpeechPack.Open(path)).Message);
        }
    }

    [Fact]
    public void ReadingChecksItsArguments()
    {
        using SpeechPack pack = SpeechPack.Open(Make("arguments.pack", copies: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pack.ReadSamples(-1, new short[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => pack.ReadSamples(40, new short[1]));
        Assert.Throws<ArgumentException>(() => pack.ReadSamples(0, new short[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => pack.ReadSamples(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pack.ReadSamples(40));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SpeechPackPlan Plan(int copies, int workers) =>
        new(Text, Voice.Training) { Copies = copies, Seed = 7, Workers = workers };

    private string Make(string name, int copies, int workers = 2, bool resume = false)
    {
        string path = Path.Combine(_folder, name);
        Assert.Empty(SpeechPackBuilder.Build(path, Plan(copies, workers), resume, null, () => new ToneSpeaker(), default));
        return path;
    }

    private static void Shorten(string path, int bytes, int atLeast)
    {
        using FileStream file = new(path, FileMode.Open);
        file.SetLength(Math.Max(atLeast, file.Length - bytes));
    }

    private static void AssertSame(string first, string second)
    {
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        Assert.Equal(File.ReadAllBytes(first + ".index"), File.ReadAllBytes(second + ".index"));
    }

    /// <summary>Speaks a tone that every part of the utterance has a say in, so that no two are alike.</summary>
    private sealed class ToneSpeaker : IUtteranceSpeaker
    {
        private bool _failedOnce;

        public string? FailsOn { get; init; }

        public string? FailsOnceOn { get; init; }

        public int FailsFrom { get; init; } = int.MaxValue;

        public string? BreaksOn { get; init; }

        public int Refusals { get; private set; }

        public static short[] Tone(Utterance drawn) =>
        [
            .. from t in Enumerable.Range(0, 50 + drawn.TextIndex * 3 % 17)
               select (short)(int)(drawn.LeadIn * t + drawn.Pitch * 50 + drawn.LeadOut),
        ];

        public short[] Speak(Utterance utterance, string text)
        {
            Assert.Equal(Text[utterance.TextIndex], text);
            if (text == BreaksOn)
                throw new InvalidOperationException("Broken.");
            bool refuses = utterance.TextIndex >= FailsFrom || text == FailsOn || (text == FailsOnceOn && !_failedOnce);
            if (!refuses)
                return Tone(utterance);
            _failedOnce |= text == FailsOnceOn;
            Refusals += text == FailsOn ? 1 : 0;
            throw new OmniFusionException("No.");
        }

        public void Dispose()
        {
        }
    }
}
