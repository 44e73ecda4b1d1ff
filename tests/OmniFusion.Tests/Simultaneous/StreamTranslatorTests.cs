using OmniFusion.Checkpoints;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

public sealed class StreamTranslatorTests
{
    private readonly List<FakeSpeechDecoder> _decoders = [];
    private Action<CancellationToken>? _onWrite;
    private Func<double, Spelling?>? _onSpell;
    private string? _ending;

    // Speech, a pause, speech, a long silence, speech to the end.
    private static float[] Talk => [
        .. Sound.Silence(0.7), .. Sound.Speech(2.3), .. Sound.Silence(0.8), .. Sound.Speech(1.7), .. Sound.Silence(5),
        .. Sound.Speech(1.05)];

    [Theory]
    [InlineData("local-agreement:2")]
    [InlineData("wait-k:2")]
    [InlineData("retranslate:mask=1")]
    public void How_the_audio_is_cut_changes_nothing(string policy)
    {
        (string whole, int segments) = Play(policy, Talk, _ => int.MaxValue);
        Random random = new(1);
        Assert.Equal((whole, segments), Play(policy, Talk, _ => 8000));
        Assert.Equal((whole, segments), Play(policy, Talk, _ => random.Next(0, 5000)));
        Assert.Equal((whole, segments), Play(policy, Talk, at => at < 20000 ? 1 : 16001));
        Assert.Equal(3, segments);
        // 2.3 s, 1.7 s and 1.05 s of speech and what surrounds them, 0.4 s a word.
        string[] words = whole.Split(' ');
        Assert.Equal(3, words.Count(word => word == "Wort1"));
        Assert.All(words, word => Assert.StartsWith("Wort", word));
        Assert.InRange(words.Length, 12, 18);
        Assert.All(_decoders, decoder => Assert.True(decoder.Disposed));
    }

    [Theory]
    [InlineData(0.01f)]
    [InlineData(-0.3f)]
    public void An_offset_of_all_samples_changes_nothing(float offset) =>
        Assert.Equal(Play("local-agreement:2", Talk, _ => 8000), Play("local-agreement:2", [.. Talk.Select(sample => sample + offset)], _ => 8000));

    [Fact]
    public void Somebody_far_from_the_microphone_is_heard()
    {
        (string whole, int segments) = Play("local-agreement:2", [.. Talk.Select(sample => sample * 0.01f)], _ => 8000);
        Assert.Equal(3, segments);
        Assert.InRange(whole.Split(' ').Length, 12, 18);
        // Behind a loud voice the same is no speech.
        Assert.Equal(3, Play("local-agreement:2", [.. Talk, .. Sound.Silence(5), .. Talk.Select(sample => sample * 0.01f)], _ => 8000).Segments);
    }

    [Fact]
    public void Ten_minutes_at_once()
    {
        float[] speech = [.. Enumerable.Range(0, 100).SelectMany(_ => (float[])[.. Sound.Speech(5), .. Sound.Silence(1)])];
        (string whole, int segments) = Play("hold-n:2", speech, _ => int.MaxValue);
        Assert.Equal(100, segments);
        Assert.Equal(100, whole.Split(' ').Count(word => word == "Wort1"));
    }

    [Fact]
    public void Silence_costs_no_decoder_and_yields_no_text()
    {
        Random random = new(3);
        float[] hiss = [.. Enumerable.Range(0, 60 * 16000).Select(_ => 0.0005f * (random.NextSingle() - 0.5f))];
        Assert.Equal(("", 0), Play("hold-n:0", [.. Sound.Silence(60), .. hiss], _ => 16000));
        Assert.Empty(_decoders);
        // A click is not speech.
        Assert.Equal("", Play("hold-n:0", [.. Sound.Silence(2), .. Sound.Speech(0.15), .. Sound.Silence(2)], _ => 16000).Text);
    }

    [Fact]
    public void Noise_without_letters_yields_no_text_and_letters_that_stop_end_a_segment()
    {
        // An engine: loud enough, and never spelled.
        _onSpell = _ => new Spelling("", 0, 9, []);
        _onWrite = _ => Assert.Fail("There is nothing to write.");
        Assert.Equal("", Play("hold-n:0", Sound.Speech(12), _ => 8000).Text);
        // Somebody speaks for two seconds before the engine.
        _onWrite = null;
        _onSpell = seconds => new Spelling("two words", 2, Math.Max(seconds - 2, 0), []);
        using StreamTranslator translator = New("hold-n:0");
        double end = 0;
        foreach (float[] chunk in Sound.Speech(6).Chunk(8000))
            if (translator.Push(chunk).FirstOrDefault(happened => happened.EndsSegment) is { } last && end == 0)
                end = last.AudioSeconds;
        Assert.InRange(end, 3, 4);
    }

    [Fact]
    public void A_stream_may_end_at_once()
    {
        Assert.Equal(("", 0), Play("hold-n:0", [], _ => 1));
        Assert.Equal(("", 0), Play("hold-n:0", [0.5f], _ => 1));
        Assert.Equal(("Wort1", 1), Play("hold-n:0", Sound.Speech(0.4), _ => 100000));
    }

    [Fact]
    public void Speech_without_a_pause_is_cut_at_the_longest_segment()
    {
        (_, int segments) = Play("hold-n:0", Sound.Speech(65), _ => 8000);
        // 20 s each, and the rest.
        Assert.Equal(4, segments);
        Assert.Equal(4, _decoders.Count);
        Assert.All(_decoders, decoder => Assert.InRange(decoder.Seconds, 0, 20.001));
    }

    [Fact]
    public void A_short_pause_ends_a_long_segment()
    {
        // Pauses of 0.2 s are no end in the first half of 20 s, and one a little later.
        float[] speech = [.. Enumerable.Range(0, 20).SelectMany(_ => (float[])[.. Sound.Speech(1.8), .. Sound.Silence(0.2)])];
        Play("hold-n:0", speech, _ => 8000);
        Assert.InRange(_decoders[0].Seconds, 10.5, 19);
    }

    [Fact]
    public void Samples_that_are_not_numbers_are_refused_and_nothing_is_lost()
    {
        using StreamTranslator translator = New("hold-n:0");
        string text = Committed(translator.Push(Sound.Speech(1)));
        float[] broken = Sound.Speech(1);
        broken[700] = float.NaN;
        Assert.Contains("numbers", Assert.Throws<OmniFusionException>(() => translator.Push(broken)).Message);
        broken[700] = float.PositiveInfinity;
        Assert.Throws<OmniFusionException>(() => translator.Push(broken));
        Assert.Equal(1, translator.AudioSeconds);
        text += Committed(translator.Push(Sound.Speech(1))) + Committed(translator.Finish());
        Assert.Equal(5, text.Split(' ').Length);
    }

    [Fact]
    public void A_step_that_was_cancelled_is_made_up_for()
    {
        using CancellationTokenSource stop = new();
        int writes = 0;
        _onWrite = _ =>
        {
            if (++writes is 3 or 5)
                stop.Cancel();
        };
        float[] talk = Talk;
        using StreamTranslator translator = New("hold-n:1");
        string text = "";
        for (int at = 0, cancelled = 0; at < talk.Length;)
        {
            float[] piece = talk[at..Math.Min(at + 40000, talk.Length)];
            try
            {
                text += Committed(translator.Push(piece, cancelled < 1 ? stop.Token : default));
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
            at = (int)Math.Round(translator.AudioSeconds * 16000);
        }
        IReadOnlyList<StreamEvent> last = translator.Finish();
        text += Committed(last);
        // As if nothing had happened, but for the steps that were left out.
        Assert.Equal(3, text.Split(' ').Count(word => word == "Wort1"));
        Assert.Equal("", last[^1].Tentative);
        Assert.Equal(Play("retranslate", talk, _ => 8000).Text.Split(' ').Length, text.Split(' ').Length);
    }

    [Fact]
    public void Finishing_can_be_cancelled_and_done_again()
    {
        using StreamTranslator translator = New("hold-n:1");
        string text = Committed(translator.Push(Sound.Speech(2)));
        Assert.Throws<OperationCanceledException>(() => translator.Finish(new CancellationToken(canceled: true)));
        StreamEvent last = Assert.Single(translator.Finish());
        Assert.True(last.EndsSegment);
        Assert.EndsWith("Wort5", text + last.Committed);
        Assert.Throws<InvalidOperationException>(() => translator.Finish());
        Assert.Throws<InvalidOperationException>(() => translator.Push([0]));
    }

    [Fact]
    public void Times_are_those_of_the_speech()
    {
        using StreamTranslator translator = New("hold-n:1");
        translator.Push(Sound.Silence(2));
        translator.Push(Sound.Speech(1));
        StreamEvent end = translator.Push(Sound.Silence(1))[^1];
        Assert.True(end.EndsSegment);
        Assert.Equal(3.5, end.AudioSeconds);
        Assert.InRange(end.SegmentStart, 1.7, 2);
        Assert.InRange(end.SpeechEnd, 2.98, 3.04);
    }

    [Fact]
    public void An_image_is_seen_by_this_segment_and_the_next_ones()
    {
        RgbImage image = new(2, 2, new byte[12]);
        using StreamTranslator translator = New("hold-n:1");
        translator.Push(Sound.Speech(1));
        translator.Show(image);
        translator.Push([.. Sound.Speech(1), .. Sound.Silence(1), .. Sound.Speech(1)]);
        translator.Show(null);
        translator.Finish();
        Assert.Equal<RgbImage?>([image], _decoders[0].Shown);
        Assert.Equal<RgbImage?>([image, null], _decoders[1].Shown);
    }

    [Fact]
    public void An_hour_needs_one_decoder_at_a_time_and_keeps_none()
    {
        float[] minute = [.. Enumerable.Range(0, 6).SelectMany(_ => (float[])[.. Sound.Speech(4), .. Sound.Silence(6)])];
        int most = 0;
        using StreamTranslator translator = New("local-agreement:2", keep: false);
        for (int i = 0; i < 60; i++)
        {
            foreach (float[] second in minute.Chunk(16000))
            {
                translator.Push(second);
                most = Math.Max(most, _alive);
            }
        }
        Assert.Equal(1, most);
        _decoders.Clear();
        GC.Collect();
        Assert.Equal(360, _all.Count);
        Assert.InRange(_all.Count(decoder => decoder.IsAlive), 0, 1);
    }

    // Two sentences with 0.3 s between them, where a pause takes 0.4 s.
    [Theory]
    [InlineData("hold-n:0", ".", 2)]
    [InlineData("hold-n:0", "!\u201D", 2)]
    [InlineData("local-agreement:2", "?", 2)]
    [InlineData("wait-k:1", ".", 2)]
    [InlineData("wait-k-chunks:1,seconds=0.4", ".", 2)]
    // Nothing ends it: no sentence, one that is not all out, a pause that is asked to be longer.
    [InlineData("hold-n:0", "", 1)]
    [InlineData("hold-n:0", ",", 1)]
    [InlineData("hold-n:1", ".", 1)]
    [InlineData("hold-n:0", ".", 1, 0.4)]
    public void A_sentence_that_is_out_needs_a_shorter_pause(string policy, string end, int segments, double pause = 0.2)
    {
        _ending = end;
        float[] talk = [.. Sound.Speech(2.1), .. Sound.Silence(0.3), .. Sound.Speech(1.7)];
        using StreamTranslator translator = New(policy, settings: new StreamSettings(0.1, sentencePauseSeconds: pause));
        List<StreamEvent> events = Events(translator, talk, 1600);
        Assert.Equal(segments, _decoders.Count);
        Assert.Equal(segments, events.Count(happened => happened.EndsSegment));
        Assert.All(events, happened => Assert.Equal(0, happened.Deleted));
        // 2.1 s and 1.7 s with what surrounds them; every word of both segments once, in order.
        string[] words = string.Concat(events.Select(happened => happened.Committed)).Split(' ');
        int[] numbers = [.. words.Select(word => int.Parse(word.Replace("Wort", "").TrimEnd([.. end])))];
        int first = segments == 1 ? 0 : Array.LastIndexOf(numbers, 1);
        Assert.Equal(Enumerable.Range(1, first), numbers[..first]);
        Assert.Equal(Enumerable.Range(1, numbers.Length - first), numbers[first..]);
        Assert.Equal(segments, words.Count(word => end != "" && word.EndsWith(end, StringComparison.Ordinal)) + (end == "" ? 1 : 0));
        if (segments == 1)
            return;
        // It is out while the pause lasts, and all samples were heard but those of the silence.
        Assert.InRange(events.First(happened => happened.EndsSegment).AudioSeconds, 2.3, 2.41);
        Assert.InRange(_decoders.Sum(decoder => decoder.Seconds), 3.9, 4.11);
    }

    // The pause lies from 2.1 to 2.4 seconds.
    [Theory]
    [InlineData(0.1, ".", 2)]
    [InlineData(0.7, ".", 2)]
    [InlineData(2, ".", 2)]
    [InlineData(5, ".", 2)]
    [InlineData(2, ",", 1)]
    public void A_sentence_ends_wherever_in_a_chunk_its_pause_lies(double chunk, string end, int segments)
    {
        _ending = end;
        float[] talk = [.. Sound.Speech(2.1), .. Sound.Silence(0.3), .. Sound.Speech(1.7)];
        using StreamTranslator translator = New("hold-n:0", settings: new StreamSettings(chunk));
        List<StreamEvent> events = Events(translator, talk, 1600);
        Assert.Equal(segments, _decoders.Count);
        Assert.Equal(segments, events.Count(happened => happened.EndsSegment));
        Assert.Equal(segments == 1 ? 1 : 2, Committed(events).Split(' ').Count(word => word == "Wort1"));
        Assert.InRange(_decoders.Sum(decoder => decoder.Seconds), 3.9, 4.11);
    }

    [Fact]
    public void A_pause_in_a_chunk_that_ends_no_sentence_leaves_no_trace()
    {
        float[] talk = [.. Sound.Speech(2.1), .. Sound.Silence(0.3), .. Sound.Speech(3.7)];
        string[] told = [.. ((double[])[0.2, 10]).Select(pause =>
        {
            using StreamTranslator translator = New("local-agreement:2", settings: new StreamSettings(1, sentencePauseSeconds: pause));
            return string.Join('|', Events(translator, talk, 1600).Select(happened => happened.Committed + "/" + happened.Tentative));
        })];
        Assert.Equal(told[1], told[0]);
    }

    [Fact]
    public void The_end_of_a_sentence_in_a_chunk_can_be_cancelled_and_done_again()
    {
        _ending = ".";
        float[] talk = [.. Sound.Speech(2.1), .. Sound.Silence(0.3), .. Sound.Speech(1.7)];
        (string whole, _) = Play("hold-n:0", talk, _ => 1600);
        using CancellationTokenSource stop = new();
        int writes = 0;
        _onWrite = _ =>
        {
            // Steps at 0.5, 1, 1.5 and 2 seconds, and then that of the pause.
            if (++writes == 5)
                stop.Cancel();
        };
        using StreamTranslator translator = New("hold-n:0");
        string text = "";
        int cancelled = 0;
        foreach (float[] chunk in talk.Chunk(1600))
        {
            try
            {
                text += Committed(translator.Push(chunk, cancelled == 0 ? stop.Token : default));
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }
        Assert.Equal(1, cancelled);
        Assert.Equal(whole, text + Committed(translator.Finish()));
    }

    [Fact]
    public void The_end_of_a_sentence_can_be_cancelled_and_done_again()
    {
        _ending = ".";
        using CancellationTokenSource stop = new();
        bool completed = false;
        _onWrite = _ =>
        {
            // The second step of that chunk ends the segment.
            if (_decoders[0].SourceEnded && !completed)
                stop.Cancel();
            completed = _decoders[0].SourceEnded;
        };
        using StreamTranslator translator = New("hold-n:0", settings: new StreamSettings(0.1));
        string text = "";
        int cancelled = 0;
        foreach (float[] chunk in ((float[])[.. Sound.Speech(2.1), .. Sound.Silence(0.3), .. Sound.Speech(1.7)]).Chunk(1600))
        {
            try
            {
                text += Committed(translator.Push(chunk, cancelled == 0 ? stop.Token : default));
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }
        text += Committed(translator.Finish());
        Assert.Equal(1, cancelled);
        Assert.StartsWith("Wort1 Wort2 Wort3 Wort4 Wort5", text);
        Assert.Equal(2, text.Split(' ').Count(word => word == "Wort1"));
        Assert.Equal(2, text.Count(c => c == '.'));
    }

    [Fact]
    public void The_cascade_ends_with_the_sentence_that_was_heard()
    {
        _ending = ".";
        using CascadeTranslator translator = new(NewDecoder, () => new FakeTextDecoder(),
            (decoder, _) => PolicyOptions.Parse("hold-n:0").Create(decoder.Tokenizer), new StreamSettings(0.1));
        string text = "";
        foreach (float[] chunk in ((float[])[.. Sound.Speech(2.1), .. Sound.Silence(0.3), .. Sound.Speech(1.7)]).Chunk(1600))
            text += Committed(translator.Push(chunk));
        text += Committed(translator.Finish());
        Assert.Equal(2, _decoders.Count);
        Assert.Matches("^WORT1 WORT2 [^.]*WORT[5-6][.] WORT1 [^.]*WORT[4-5][.]$", text);
    }

    [Fact]
    public void The_cascade_translates_what_is_stable_and_then_all_of_it()
    {
        List<FakeTextDecoder> texts = [];
        using CascadeTranslator translator = new(
            NewDecoder,
            () =>
            {
                texts.Add(new FakeTextDecoder());
                return texts[^1];
            },
            (decoder, _) => PolicyOptions.Parse("local-agreement:2").Create(decoder.Tokenizer), new StreamSettings());
        List<StreamEvent> events = Events(translator, Talk, 8000);
        Assert.Equal(3, texts.Count);
        Assert.Equal(string.Join(' ', texts.Select(decoder => decoder.Sources[^1].ToUpperInvariant())), Committed(events));
        // Before its end a segment tells what is heard, that too which may still change.
        Assert.Contains(events, happened => happened.Transcript is { } heard && heard.EndsWith("falsch5", StringComparison.Ordinal));
        Assert.Equal(texts.Select(decoder => decoder.Sources[^1]),
            events.Where(happened => happened.EndsSegment).Select(happened => happened.Transcript));
        foreach (FakeTextDecoder decoder in texts)
            Assert.All(decoder.Sources.Zip(decoder.Sources.Skip(1)), pair => Assert.StartsWith(pair.First, pair.Second));
    }

    // Pauses that end segments within a step of two seconds, in which the next segment begins and gets text of its own.
    [Theory]
    [InlineData("local-agreement:2")]
    [InlineData("local-agreement:3")]
    [InlineData("wait-k:1")]
    [InlineData("wait-k-chunks:2")]
    [InlineData("hold-n:0")]
    [InlineData("hold-n:2")]
    [InlineData("retranslate:mask=0")]
    [InlineData("retranslate:mask=2")]
    public void Each_event_belongs_to_one_segment(string policy)
    {
        float[] talk = [
            .. Sound.Speech(3.1), .. Sound.Silence(0.5), .. Sound.Speech(2.3), .. Sound.Silence(0.6), .. Sound.Speech(0.4),
            .. Sound.Silence(0.5), .. Sound.Speech(3.7)];
        List<string[]> told = [];
        foreach (int piece in (int[])[talk.Length, 32000, 8000, 777])
        {
            using StreamTranslator translator = New(policy, settings: new StreamSettings(2));
            List<string> segments = [];
            string text = "";
            foreach (StreamEvent happened in Events(translator, talk, piece))
            {
                Assert.InRange(happened.Deleted, 0, text.Length);
                text = text[..^happened.Deleted] + happened.Committed;
                if (!happened.EndsSegment)
                    continue;
                Assert.Equal("", happened.Tentative);
                segments.Add(text);
                text = "";
            }
            Assert.Equal("", text);
            told.Add([.. segments]);
        }
        // What a segment says is what was told until its end, whatever pieces the audio came in.
        Assert.Equal(4, told[0].Length);
        Assert.All(told[0], segment => Assert.Matches("^ ?Wort1( Wort[0-9]+)*$", segment));
        Assert.All(told, segments => Assert.Equal(told[0], segments));
    }

    [Fact]
    public void An_image_counts_from_the_sample_at_which_it_is_shown()
    {
        RgbImage image = new(2, 2, new byte[12]);
        using StreamTranslator translator = New("hold-n:1", settings: new StreamSettings(2));
        // All of it waits for a step of two seconds: the first segment has ended before the image.
        translator.Push([.. Sound.Speech(1), .. Sound.Silence(0.45)]);
        translator.Show(image);
        translator.Push(Sound.Speech(1));
        translator.Show(null);
        translator.Finish();
        Assert.Equal(2, _decoders.Count);
        Assert.Empty(_decoders[0].Shown);
        Assert.Equal<RgbImage?>([image], _decoders[1].Shown);
    }

    [Fact]
    public async Task A_model_without_eyes_refuses_an_image_at_once_and_the_stream_goes_on()
    {
        string folder = Directory.CreateTempSubdirectory("omnifusion-blind-").FullName;
        try
        {
            foreach (string file in Directory.GetFiles(Golden.Tiny("omni")))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            (OmniConfig.Load(folder) with { VisionConfig = null, ImageTokenIndex = null }).Save(Path.Combine(folder, "config.json"));
            OmniFusionModel model = OmniFusionModel.Load(folder, Golden.Tiny("translator"), Golden.Tiny("fusion"), new LoadOptions { Threads = 1 });
            RgbImage image = new(56, 56, new byte[3 * 56 * 56]);
            SimultaneousOptions options = new() { TargetLanguage = "de" };
            Assert.Contains("no vision tower", Assert.Throws<OmniFusionException>(
                () => StreamTranslator.Create(model, options with { Image = image })).Message);
            using StreamTranslator translator = StreamTranslator.Create(model, options);
            Assert.Contains("no vision tower", Assert.Throws<OmniFusionException>(() => translator.Show(image)).Message);
            translator.Push(Sound.Speech(1));
            Assert.True(translator.Finish()[^1].EndsSegment);
            await using SimultaneousSession session = new(model, options);
            Assert.Contains("no vision tower", (await Assert.ThrowsAsync<OmniFusionException>(
                () => session.ShowAsync(image, TestContext.Current.CancellationToken).AsTask())).Message);
            await session.PushAsync(Sound.Speech(1), TestContext.Current.CancellationToken);
            await session.FinishAsync(TestContext.Current.CancellationToken);
            StreamEvent last = null!;
            await foreach (StreamEvent happened in session.Events)
                last = happened;
            Assert.True(last.EndsSegment);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Events_tell_how_far_kept_audio_is_from_the_offline_computation()
    {
        // Two seconds and more with a silent moment in a low voice, and then a loud one.
        float[] talk = [.. Sound.Speech(1), .. Sound.Silence(0.2), .. Sound.Speech(5)];
        for (int i = 0; i < 48000; i++)
            talk[i] *= 0.1f;
        SimultaneousOptions options = new() { TargetLanguage = "de", Policy = PolicyOptions.Parse("retranslate:0"), PauseSeconds = 10 };
        using StreamTranslator translator = StreamTranslator.Create(Sounds.Tiny, options), exact =
            StreamTranslator.Create(Sounds.Tiny, options with { Exact = true });
        List<StreamEvent> events = Events(translator, talk, 8000);
        Assert.Contains(events, happened => happened.LogMelDeviation > 0);
        Assert.Equal(0, events[^1].LogMelDeviation);
        Assert.All(Events(exact, talk, 8000), happened => Assert.Equal(0, happened.LogMelDeviation));
    }

    [Fact]
    public void A_segment_that_cannot_begin_costs_no_sample()
    {
        List<FakeSpeechDecoder> made = [];
        using SimultaneousTranslator translator = new(
            () =>
            {
                bool fails = made.Count == 0;
                made.Add(new FakeSpeechDecoder { OnShow = () => Assert.False(fails) });
                return made[^1];
            },
            _ => new HoldPolicy(0), new StreamSettings());
        translator.Show(new RgbImage(2, 2, new byte[12]));
        Assert.ThrowsAny<Exception>(() => translator.Push(Sound.Speech(0.5)));
        translator.Push(Sound.Speech(1.5));
        translator.Finish();
        Assert.Equal(2, made.Count);
        Assert.Equal(2, made[1].Seconds);
        Assert.All(made, decoder => Assert.True(decoder.Disposed));
    }

    [Theory]
    [InlineData(0.01, 0.4, 0.2, 20)]
    [InlineData(31, 0.4, 0.2, 20)]
    [InlineData(double.NaN, 0.4, 0.2, 20)]
    [InlineData(0.5, 0, 0.2, 20)]
    [InlineData(0.5, 0.4, -0.1, 20)]
    [InlineData(0.5, 0.4, 11, 20)]
    [InlineData(0.5, 0.4, 0.2, 31)]
    [InlineData(0.03, 0.4, 0.2, 20)]
    public void Settings_have_bounds(double chunk, double pause, double sentence, double longest) =>
        Assert.Throws<OmniFusionException>(() => new StreamSettings(chunk, pause, sentence, longest));

    private readonly List<WeakReference> _all = [];
    private int _alive;

    private FakeSpeechDecoder NewDecoder()
    {
        _decoders.Add(new FakeSpeechDecoder { OnWrite = _onWrite, OnSpell = _onSpell, Ending = _ending });
        _all.Add(new WeakReference(_decoders[^1]));
        return _decoders[^1];
    }

    private SimultaneousTranslator New(string policy, bool keep = true, StreamSettings? settings = null) => new(
        () =>
        {
            FakeSpeechDecoder decoder = NewDecoder();
            if (!keep)
            {
                _decoders.RemoveAll(old => old.Disposed);
                _alive = _decoders.Count;
            }
            return decoder;
        },
        decoder => PolicyOptions.Parse(policy).Create(decoder.Tokenizer), settings ?? new StreamSettings());

    private (string Text, int Segments) Play(string policy, float[] samples, Func<int, int> size)
    {
        using StreamTranslator translator = New(policy);
        string text = "";
        int before = _decoders.Count;
        for (int at = 0; at < samples.Length;)
        {
            int count = Math.Min(size(at), samples.Length - at);
            foreach (StreamEvent happened in translator.Push(samples.AsSpan(at, count)))
                Take(happened);
            at += count;
        }
        foreach (StreamEvent happened in translator.Finish())
            Take(happened);
        return (text, _decoders.Count - before);

        void Take(StreamEvent happened) => text = text[..^happened.Deleted] + happened.Committed;
    }

    private static List<StreamEvent> Events(StreamTranslator translator, float[] talk, int piece)
    {
        List<StreamEvent> events = [];
        foreach (float[] chunk in talk.Chunk(piece))
            events.AddRange(translator.Push(chunk));
        events.AddRange(translator.Finish());
        return events;
    }

    private static string Committed(IEnumerable<StreamEvent> events) => string.Concat(events.Select(happened => happened.Committed));
}
