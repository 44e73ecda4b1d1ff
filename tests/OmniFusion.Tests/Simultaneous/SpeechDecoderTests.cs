using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

public class SpeechDecoderTests
{
    private const int Most = 40;

    private static readonly TranslationOptions s_greedy = new() { Beams = 1, MaxNewTokens = Most, ChainOfThought = false };

    [Fact]
    public void An_image_is_resized_once_for_all_segments_of_a_stream()
    {
        RgbImage image = new(60, 56, new byte[3 * 60 * 56]), other = new(56, 60, new byte[3 * 60 * 56]);
        PartialDecoderOptions options = new() { Shown = new ShownImage() };
        using FusedSpeechDecoder first = FusedSpeechDecoder.Create(Sounds.Tiny, "de", options),
            second = FusedSpeechDecoder.Create(Sounds.Tiny, "de", options);
        first.Show(image);
        second.Show(image);
        Assert.Same(first.Prompt, second.Prompt);
        second.Show(other);
        Assert.NotSame(first.Prompt, second.Prompt);
        second.Show(null);
        Assert.Null(second.Prompt.Head.Patches);
    }

    [Theory]
    [InlineData(8000, 2, nameof(Sounds.Nano))]
    [InlineData(16000, 2, nameof(Sounds.Nano))]
    [InlineData(1600, 9, nameof(Sounds.Nano))]
    [InlineData(7919, 2, nameof(Sounds.Nano))]
    [InlineData(40001, 1, nameof(Sounds.Nano))]
    [InlineData(8000, 1, nameof(Sounds.Tiny))]
    [InlineData(8000, 1, nameof(Sounds.Glossed))]
    [InlineData(1600, 3, nameof(Sounds.Glossed))]
    [InlineData(7919, 2, nameof(Sounds.Glossed))]
    [InlineData(8000, 1, nameof(Sounds.Pooled))]
    [InlineData(7919, 2, nameof(Sounds.Pooled))]
    public void What_is_computed_step_by_step_is_the_offline_computation(int chunk, int stride, string name)
    {
        OmniFusionModel model = Sounds.Model(name);
        float[] sound = Sounds.LoudAtFirst(6.3);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(model, "de");
        int step = 0;
        for (int at = 0; at < sound.Length; at += chunk)
        {
            int end = Math.Min(at + chunk, sound.Length);
            decoder.Append(sound.AsSpan(at..end));
            if (step++ % stride > 0)
                continue;
            decoder.Write([], 3);
            new OfflineRun(model, decoder, sound.AsSpan(0, end)).AssertEquals(decoder);
        }
        Assert.Equal(0, decoder.LogMelDeviation);
    }

    [Fact]
    public void Samples_may_come_one_by_one()
    {
        float[] sound = Sounds.LoudAtFirst(0.4);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        for (int i = 0; i < sound.Length; i++)
        {
            decoder.Append(sound.AsSpan(i, 1));
            if (i % 700 != 699)
                continue;
            decoder.Write([], 2);
            if (decoder.SourcePositions > 0)
                new OfflineRun(Sounds.Nano, decoder, sound.AsSpan(0, i + 1)).AssertEquals(decoder);
        }
        Assert.Equal(10, decoder.SourcePositions);
    }

    [Fact]
    public void Exact_steps_equal_the_offline_computation_though_the_loudest_value_rises()
    {
        float[] sound = Sounds.EverLouder(6);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de", new PartialDecoderOptions { Exact = true });
        for (int at = 0; at < sound.Length; at += 12000)
        {
            decoder.Append(sound.AsSpan(at, 12000));
            decoder.Write([], 1);
            new OfflineRun(Sounds.Nano, decoder, sound.AsSpan(0, at + 12000)).AssertEquals(decoder);
            Assert.Equal(0, decoder.LogMelDeviation);
        }
        // Some finished chunks had to be encoded again, or the test would prove nothing.
        Assert.True(decoder.Audio.FramesEncoded > 75 + 150 + 225 + 100 + 175 + 250 + 125 + 200);
    }

    [Fact]
    public void Otherwise_the_difference_is_known_and_goes_with_the_end()
    {
        float[] sound = Sounds.EverLouder(5.5);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        decoder.Append(sound.AsSpan(0, 36000));
        decoder.Write([], 1);
        decoder.Append(sound.AsSpan(36000, 36000));
        decoder.Write([], 1);
        float[] heard = new LogMel().Compute(sound.AsSpan(0, 36000)), offline = new LogMel().Compute(sound.AsSpan(0, 72000));
        float difference = Enumerable.Range(0, 200 * 128).Max(i => Math.Abs(heard[i] - offline[i]));
        Assert.True(difference > 0.1f);
        Assert.Equal(difference, decoder.LogMelDeviation, 1e-5f);

        decoder.Append(sound.AsSpan(72000));
        decoder.Complete();
        decoder.Write([], 1);
        Assert.Equal(0, decoder.LogMelDeviation);
        new OfflineRun(Sounds.Nano, decoder, sound).AssertEquals(decoder);
    }

    [Theory]
    [InlineData("ducks", 8000)]
    [InlineData("accordion", 5000)]
    [InlineData("garage", 16001)]
    public async Task A_complete_segment_is_translated_as_offline(string name, int chunk)
    {
        float[] sound = Sounds.Speech(name);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        Feed(decoder, sound, chunk, () => decoder.Write([], Most));
        decoder.Complete();
        Hypothesis found = decoder.Write([], Most);
        Translation offline = await Sounds.Nano.TranslateAsync(new() { Samples = sound, TargetLanguage = "de" }, s_greedy);
        Assert.Equal(offline.Ids, (int[])[.. found.Tokens, 2]);
        Assert.True(found.Ended);
        Assert.Equal(offline.Text, decoder.Tokenizer.Decode(found.Tokens, skipSpecialTokens: true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Exact_steps_are_the_offline_translations_of_the_audio_so_far(bool thinks)
    {
        float[] sound = Sounds.Speech("ducks");
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(
            Sounds.Nano, "de", new PartialDecoderOptions { Exact = true, NoRepeatNgramSize = 0 }, thinks);
        for (int at = 0; at + 9000 <= sound.Length; at += 9000)
        {
            decoder.Append(sound.AsSpan(at, 9000));
            Translation offline = await Sounds.Nano.TranslateAsync(new() { Samples = sound[..(at + 9000)], TargetLanguage = "de" },
                s_greedy with { NoRepeatNgramSize = 0, ChainOfThought = thinks });
            Hypothesis found = decoder.Write([], Most);
            Assert.Equal(offline.Ids, found.Ended ? [.. found.Tokens, 2] : found.Tokens);
            Assert.Equal(offline.Transcript ?? "", decoder.Transcript);
        }
    }

    [Theory]
    [InlineData(nameof(Sounds.Nano), 8000, false)]
    [InlineData(nameof(Sounds.Nano), 5000, false)]
    [InlineData(nameof(Sounds.Glossed), 16000, true)]
    [InlineData(nameof(Sounds.Tiny), 16001, true)]
    [InlineData(nameof(Sounds.Pooled), 16001, true)]
    public async Task A_chain_of_thought_is_that_of_the_whole_segment(string name, int chunk, bool sees)
    {
        OmniFusionModel model = Sounds.Model(name);
        float[] sound = Sounds.Speech("accordion");
        RgbImage? image = sees ? ImageFile.Read(Golden.Media("gray.png")) : null;
        ImageSize size = new(112, 84);
        using FusedSpeechDecoder decoder =
            FusedSpeechDecoder.Create(model, "de", new PartialDecoderOptions { ImageSize = size }, chainOfThought: true);
        Feed(decoder, sound, chunk, () => decoder.Write([], Most));
        decoder.Show(image);
        decoder.Complete();
        Hypothesis found = decoder.Write([], Most);
        Translation offline = await model.TranslateAsync(new() { Samples = sound, Picture = image, TargetLanguage = "de" },
            s_greedy with { ChainOfThought = true, ImageSize = size });
        Assert.Equal(offline.Ids, found.Ended ? [.. found.Tokens, 2] : found.Tokens);
        Assert.Equal(offline.Transcript, decoder.Transcript);
        // Asked once more, with nothing new to hear.
        Assert.Equal(found.Tokens, decoder.Write(found.Tokens[..3], Most - 3).Tokens);
    }

    [Fact]
    public async Task A_thought_that_was_cancelled_is_thought_again()
    {
        float[] sound = Sounds.Speech("ducks");
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de", chainOfThought: true);
        decoder.Append(sound.AsSpan(0, 16000));
        decoder.Write([], Most);
        decoder.Append(sound.AsSpan(16000));
        decoder.Complete();
        using CancellationTokenSource late = new(TimeSpan.FromMilliseconds(1));
        // It may be done before anybody cancels; then there is nothing to go on with.
        await Record.ExceptionAsync(() => Task.Run(() => decoder.Write([], Most, late.Token)));
        Translation offline = await Sounds.Nano.TranslateAsync(
            new() { Samples = sound, TargetLanguage = "de" }, s_greedy with { ChainOfThought = true });
        Assert.Equal(offline.Ids, (int[])[.. decoder.Write([], Most).Tokens, 2]);
    }

    [Fact]
    public async Task A_complete_segment_is_transcribed_as_offline()
    {
        float[] sound = Sounds.Speech("accordion");
        using SpeechRecognizerDecoder decoder = SpeechRecognizerDecoder.Create(Sounds.Nano);
        Feed(decoder, sound, 8000, () => decoder.Write([], Most));
        decoder.Complete();
        string offline = await Sounds.Nano.TranscribeAsync(new() { Samples = sound, TargetLanguage = "de" }, Most);
        Assert.Equal(offline, decoder.Tokenizer.Decode(decoder.Write([], Most).Tokens, skipSpecialTokens: true));
    }

    [Fact]
    public void Kept_tokens_stay_and_are_continued_as_by_a_decoder_that_never_saw_anything_else()
    {
        float[] sound = Sounds.Speech("garage");
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de", new PartialDecoderOptions { Exact = true });
        int[] kept = [];
        for (int at = 0; at + 8000 <= sound.Length; at += 8000)
        {
            decoder.Append(sound.AsSpan(at, 8000));
            Hypothesis found = decoder.Write(kept, Most);
            Assert.Equal(kept, found.Tokens[..kept.Length]);
            using FusedSpeechDecoder fresh = FusedSpeechDecoder.Create(Sounds.Nano, "de");
            fresh.Append(sound.AsSpan(0, at + 8000));
            Assert.Equal(fresh.Write(kept, Most).Tokens, found.Tokens);
            // Sometimes a token that the decoder did not choose, as after a change of mind.
            kept = at == 24000 ? [.. kept, 300] : found.Tokens[..Math.Min(found.Tokens.Length, kept.Length + 1)];
            Assert.Equal(kept, decoder.Write(kept, 0).Tokens);
        }
    }

    [Fact]
    public void A_step_computes_only_what_is_new()
    {
        const int TokensOfChunk = 50, Chunk = 8000;
        float[] sound = Sounds.LoudAtFirst(20);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        decoder.Append(sound.AsSpan(0, Chunk));
        decoder.Write([], 1);
        int tail = decoder.Prompt.Tail.Length;
        for (int at = Chunk; at < sound.Length; at += Chunk)
        {
            // The chunk that was growing at the last step is finished now or goes on growing.
            int finished = (at - 1 - 400) / 32000 * TokensOfChunk;
            long frames = decoder.Audio.FramesEncoded;
            long thinker = decoder.Thinker.Run.RowsComputed, translator = decoder.Translator.RowsComputed;
            decoder.Append(sound.AsSpan(at, Chunk));
            decoder.Write([], 1);
            int fresh = decoder.SourcePositions - finished;
            Assert.InRange(fresh, 12, TokensOfChunk + 13);
            Assert.InRange(decoder.Audio.FramesEncoded - frames, 1, 4 * fresh + 3);
            Assert.Equal(fresh + tail, decoder.Thinker.Run.RowsComputed - thinker);
            Assert.Equal(
                fresh + tail + decoder.GlossRows + decoder.Prompt.Tower.Length, decoder.Translator.RowsComputed - translator);
        }

        // No audio arrived: nothing of the prefix is computed again, and each token only once.
        int[] text = decoder.Write([], 12).Tokens;
        (long, long) before = (decoder.Audio.FramesEncoded, decoder.Thinker.Run.RowsComputed);
        long rows = decoder.Translator.RowsComputed;
        decoder.Write(text.AsSpan(0, 6).ToArray(), 12 - 6);
        Assert.Equal(before, (decoder.Audio.FramesEncoded, decoder.Thinker.Run.RowsComputed));
        Assert.InRange(decoder.Translator.RowsComputed - rows, 1, 12 - 6);
        decoder.Spell();
        Assert.Equal(before.Item1, decoder.Audio.FramesEncoded);
    }

    [Theory]
    [InlineData(nameof(Sounds.Tiny))]
    [InlineData(nameof(Sounds.Glossed))]
    [InlineData(nameof(Sounds.Pooled))]
    public async Task An_image_may_come_and_go(string name)
    {
        OmniFusionModel model = Sounds.Model(name);
        ImageSize size = new(112, 84);
        RgbImage image = ImageFile.Read(Golden.Media("gray.png"));
        float[] sound = Sounds.LoudAtFirst(2.7);
        TranslationOptions options = s_greedy with { ImageSize = size, MaxNewTokens = 12 };
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(model, "fr", new PartialDecoderOptions { ImageSize = size });
        decoder.Append(sound.AsSpan(0, 20000));
        Hypothesis blind = decoder.Write([], 12);
        decoder.Show(image);
        decoder.Append(sound.AsSpan(20000));
        int[] kept = blind.Tokens[..3];
        Assert.Equal(kept, decoder.Write(kept, 9).Tokens[..3]);
        decoder.Complete();
        long frames = decoder.Audio.FramesEncoded;
        Hypothesis seeing = decoder.Write([], 12);
        new OfflineRun(model, decoder, sound).AssertEquals(decoder);
        decoder.Show(null);
        Hypothesis blindAgain = decoder.Write([], 12);
        Assert.Equal(frames, decoder.Audio.FramesEncoded);

        Translation withImage = await model.TranslateAsync(
            new() { Samples = sound, Picture = image, TargetLanguage = "fr" }, options);
        Translation without = await model.TranslateAsync(new() { Samples = sound, TargetLanguage = "fr" }, options);
        Assert.Equal(withImage.Ids, seeing.Ended ? [.. seeing.Tokens, 2] : seeing.Tokens);
        Assert.Equal(without.Ids, blindAgain.Ended ? [.. blindAgain.Tokens, 2] : blindAgain.Tokens);
    }

    [Fact]
    public void The_audio_is_spelled_on_the_way()
    {
        float[] sound = Sounds.Speech("ducks");
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        Spelling nothing = decoder.Spell()!;
        Assert.Equal(("", 0, 0.0), (nothing.Text, nothing.Words, nothing.TrailingBlankSeconds));
        decoder.Append(sound);
        Spelling before = decoder.Spell()!;
        decoder.Append(new float[16000]);
        Spelling after = decoder.Spell()!;
        Assert.Equal((sound.Length + 159) / 160 / 2.0, before.BlankProbabilities.Count, 1.0);
        Assert.Equal(before.BlankProbabilities.Count + 50, after.BlankProbabilities.Count, 1.0);
        Assert.Equal(before.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, before.Words);
        Assert.InRange(before.Words, 6, 20);
        Assert.Equal(before.Words, before.WordFrames.Count);
        Assert.All(before.WordFrames, word => Assert.InRange(word.End, word.First + 1, before.BlankProbabilities.Count));
        Assert.All(before.WordFrames.Zip(before.WordFrames.Skip(1)), pair => Assert.True(pair.First.End <= pair.Second.First));
        Assert.True(after.TrailingBlankSeconds >= 0.9);
        Assert.All(after.BlankProbabilities.TakeLast(25), probability => Assert.InRange(probability, 0.5f, 1.001f));
        Assert.Null(SpeechRecognizerDecoder.Create(Sounds.Tiny).Spell());
    }

    [Fact]
    public async Task What_is_heard_is_the_gloss_of_the_speech_alone_behind_a_transcript()
    {
        RgbImage image = ImageFile.Read(Golden.Media("gray.png"));
        float[] sound = Sounds.LoudAtFirst(2.7);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Glossed, "de");
        decoder.Append(sound);
        decoder.Complete();
        decoder.Write([], 3);
        TranslationRequest request = new() { Samples = sound, TargetLanguage = "de" };
        string gloss = (await Sounds.Glossed.TranslateAsync(request, s_greedy)).Gloss!;
        Assert.NotEqual("", gloss);
        Assert.Equal(gloss, Assert.Single(decoder.Heard).Trim());
        decoder.Show(image);
        decoder.Write([], 3);
        Assert.EndsWith(Assert.Single(decoder.Heard).Trim(), (await Sounds.Glossed.TranslateAsync(request with { Picture = image }, s_greedy)).Gloss);
        using FusedSpeechDecoder thinking = FusedSpeechDecoder.Create(Sounds.Glossed, "de", chainOfThought: true);
        thinking.Append(sound);
        thinking.Complete();
        thinking.Write([], 3);
        Assert.NotEqual("", thinking.Transcript);
        Assert.Equal([thinking.Transcript, gloss], thinking.Heard.Select(heard => heard.Trim()));
    }

    [Fact]
    public void Without_a_token_of_audio_there_is_no_text()
    {
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        decoder.Append([]);
        decoder.Append(new float[100]);
        Assert.Equal([5, 6], decoder.Write([5, 6], 10).Tokens);
        decoder.Complete();
        decoder.Complete();
        Assert.Equal([], decoder.Write([], 10).Tokens);
        Assert.True(decoder.SourceEnded);
    }

    [Fact]
    public void Bad_calls_say_so()
    {
        FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        void Refused(string why, Action act) =>
            Assert.Contains(why, Assert.Throws<OmniFusionException>(act).Message, StringComparison.Ordinal);
        Refused("not numbers", () => decoder.Append([0, float.NaN]));
        Refused("not numbers", () => decoder.Append([float.PositiveInfinity]));
        Refused("300", () => decoder.Append(new float[300 * 16000 + 1]));
        Assert.Equal(0, decoder.Seconds);
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.Write([8192], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.Write([-1], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.Write([], -1));
        Assert.Throws<OmniFusionException>(() => decoder.Heads = [new AttentionHead(5, 0)]);
        decoder.Append(new float[8000]);
        using FusedSpeechDecoder small = FusedSpeechDecoder.Create(Sounds.Tiny, "de");
        small.Append(new float[83 * 16000]);
        Refused("too long", () => small.Write([], 1));
        using CancellationTokenSource stop = new();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => decoder.Write([], 3, stop.Token));
        Assert.NotNull(decoder.Write([], 3));
        decoder.Complete();
        Assert.Throws<InvalidOperationException>(() => decoder.Append([0]));
        decoder.Dispose();
        decoder.Dispose();
        Assert.Throws<ObjectDisposedException>(() => decoder.Append([0]));
        Assert.Throws<ObjectDisposedException>(() => decoder.Write([], 3));
        Assert.Throws<OmniFusionException>(() => FusedSpeechDecoder.Create(Sounds.Nano, "zh"));
    }

    [Fact]
    public void A_step_that_was_stopped_half_way_leaves_no_trace()
    {
        float[] sound = Sounds.Speech("ducks");
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de"),
            undisturbed = FusedSpeechDecoder.Create(Sounds.Nano, "de");
        foreach (int length in (int[])[20000, 20000])
        {
            decoder.Append(sound.AsSpan(0, length));
            undisturbed.Append(sound.AsSpan(0, length));
            // Stops when the prefix has been read and the text is about to be.
            StoppingList kept = new();
            Assert.Throws<OperationCanceledException>(() => decoder.Write(kept, Most, kept.Stop.Token));
            Assert.Equal(undisturbed.Write([], Most).Tokens, decoder.Write([], Most).Tokens);
        }
    }

    [Fact]
    public void Decoders_work_side_by_side()
    {
        float[] sound = Sounds.Speech("ducks");
        int[][] found = new int[4][];
        Parallel.For(0, found.Length, i =>
        {
            using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(Sounds.Nano, "de");
            Feed(decoder, sound, 16000, () => decoder.Write([], 5));
            decoder.Complete();
            found[i] = decoder.Write([], Most).Tokens;
        });
        Assert.All(found, one => Assert.Equal(found[0], one));
        Assert.NotEmpty(found[0]);
    }

    private sealed class StoppingList : IReadOnlyList<int>
    {
        public CancellationTokenSource Stop { get; } = new();

        public int Count => 0;

        public int this[int index] => throw new ArgumentOutOfRangeException(nameof(index));

        public IEnumerator<int> GetEnumerator()
        {
            Stop.Cancel();
            return Enumerable.Empty<int>().GetEnumerator();
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private static void Feed(SpeechDecoder decoder, float[] sound, int chunk, Action step)
    {
        for (int at = 0; at < sound.Length; at += chunk)
        {
            decoder.Append(sound.AsSpan(at, Math.Min(chunk, sound.Length - at)));
            step();
        }
    }
}
