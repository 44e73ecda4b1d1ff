using OmniFusion.Media;
using OmniFusion.Simultaneous;
using OmniFusion.Text;

namespace OmniFusion.Tests.Simultaneous;

/// <summary>Segments of speech without a pause end where their sentences do.</summary>
public sealed class SentenceEndTests
{
    private const string Talk = "One small dog barks loudly. Two cats are sleeping there. Three men sing a song.";

    private readonly List<HearingDecoder> _decoders = [];
    private Func<string, string> _translate = HearingDecoder.Shout;
    private Func<Spelling, Spelling?> _spell = spelling => spelling;
    private Func<string, IReadOnlyList<string>> _read = heard => [heard];
    private Action<CancellationToken>? _onWrite;
    private Action? _onBegin;

    [Theory]
    [InlineData("local-agreement:2", 0.5)]
    [InlineData("local-agreement:2", 0.1)]
    [InlineData("local-agreement:3", 0.3)]
    [InlineData("wait-k:1", 0.5)]
    [InlineData("wait-k-chunks:1,seconds=0.4", 0.5)]
    [InlineData("hold-n:1", 0.5)]
    [InlineData("hold-n:0", 0.5)]
    [InlineData("retranslate:mask=0", 0.5)]
    [InlineData("retranslate:mask=2", 0.3)]
    public void Each_sentence_is_a_segment_and_no_word_is_lost(string policy, double chunk)
    {
        float[] talk = HearingDecoder.Speak(Talk);
        List<StreamEvent> events = Events(New(policy, chunk), talk);
        AssertSentences(events, HearingDecoder.Shout(Talk));
        // The next segment is one that began where the last one ended.
        foreach ((HearingDecoder decoder, StreamEvent end) in _decoders.Zip(events.Where(happened => happened.EndsSegment)))
        {
            Assert.True(decoder.Disposed);
            Assert.True(talk.AsSpan((int)Math.Round(end.SegmentStart * 16000)).StartsWith(decoder.Samples.ToArray()));
        }
    }

    [Fact]
    public void A_step_that_brings_more_than_a_sentence_ends_with_the_last_one()
    {
        List<StreamEvent> events = Events(New("hold-n:0", 5), HearingDecoder.Speak(Talk));
        Assert.Equal(HearingDecoder.Shout(Talk), string.Concat(events.Select(happened => happened.Committed)));
        Assert.Equal([4, 6], events.Where(happened => happened.EndsSegment).Select(happened => Math.Round(happened.SpeechEnd, 1)));
    }

    // The translation knows nothing of a sentence before it is whole, and then forgets the one before.
    [Theory]
    [InlineData("local-agreement:2")]
    [InlineData("wait-k:2")]
    [InlineData("hold-n:0")]
    public void A_sentence_that_the_translation_would_forget_is_told(string policy)
    {
        _translate = heard => HearingDecoder.Shout(heard.Split(". ").Last(sentence => sentence.EndsWith('.') || heard.IndexOf('.') is -1
            || heard.StartsWith(sentence, StringComparison.Ordinal)).TrimEnd('.') + (heard.Contains('.') ? "." : ""));
        AssertSentences(Events(New(policy, 0.5), HearingDecoder.Speak(Talk)), HearingDecoder.Shout(Talk));
    }

    public static TheoryData<string> Doubts => ["nobody spells", "spelled otherwise", "nobody hears", "more sentences", "no sentence"];

    [Theory]
    [MemberData(nameof(Doubts))]
    public void Where_it_is_not_sure_the_segment_goes_on(string doubt)
    {
        _spell = doubt switch
        {
            "nobody spells" => _ => null,
            "spelled otherwise" => spelling => spelling with { Text = string.Concat(spelling.Text.Select(c => c == ' ' ? c : 'z')) },
            _ => _spell,
        };
        _read = doubt == "nobody hears" ? _ => [] : _read;
        _translate = doubt switch
        {
            "more sentences" => heard => HearingDecoder.Shout(heard).Replace("DOG", "DOG."),
            "no sentence" => heard => HearingDecoder.Shout(heard).Replace(".", ","),
            _ => _translate,
        };
        List<StreamEvent> events = Events(New("local-agreement:2", 0.5), HearingDecoder.Speak(Talk));
        Assert.Single(events, happened => happened.EndsSegment);
        Assert.Equal(_translate(Talk), string.Concat(events.Select(happened => happened.Committed)));
    }

    [Fact]
    public void Where_a_transcript_runs_sentences_together_another_reading_tells_them_apart()
    {
        static string Together(string heard) => heard.Replace(". ", " ");
        _read = heard => [Together(heard)];
        Assert.Single(Events(New("local-agreement:2", 0.5), HearingDecoder.Speak(Talk)), happened => happened.EndsSegment);
        _decoders.Clear();
        _read = heard => [Together(heard), heard];
        AssertSentences(Events(New("local-agreement:2", 0.5), HearingDecoder.Speak(Talk)), HearingDecoder.Shout(Talk));
    }

    [Theory]
    [InlineData("local-agreement:2")]
    [InlineData("wait-k:1")]
    [InlineData("hold-n:0")]
    [InlineData("retranslate:mask=0")]
    public void The_cascade_ends_with_a_sentence_of_its_transcript(string policy)
    {
        using CascadeTranslator translator = new(NewDecoder, () => new FakeTextDecoder(),
            (decoder, _) => PolicyOptions.Parse(policy).Create(decoder.Tokenizer), new StreamSettings());
        _translate = heard => heard;
        List<StreamEvent> events = Events(translator, HearingDecoder.Speak(Talk));
        AssertSentences(events, HearingDecoder.Shout(Talk));
        Assert.Equal(Talk, string.Join(' ', events.Where(happened => happened.EndsSegment).Select(happened => happened.Transcript)));
    }

    [Fact]
    public void The_next_segment_sees_what_was_shown_before_the_end_was_known()
    {
        RgbImage image = new(2, 2, new byte[12]);
        float[] talk = HearingDecoder.Speak(Talk);
        using StreamTranslator translator = New("local-agreement:2", 0.5);
        // Five words of 0.4 seconds, and two more until the end is sure.
        translator.Push(talk[..36000]);
        Assert.Single(_decoders);
        translator.Show(image);
        translator.Push(talk[36000..]);
        Assert.Equal<RgbImage?>([image], _decoders[1].Shown);
    }

    [Fact]
    public void A_segment_that_cannot_begin_behind_a_sentence_costs_no_sample()
    {
        bool failed = false;
        _onBegin = () =>
        {
            bool fails = _decoders.Count == 1 && !failed;
            failed |= fails;
            Assert.False(fails);
        };
        float[] talk = HearingDecoder.Speak(Talk);
        using StreamTranslator translator = New("local-agreement:2", 0.5);
        List<StreamEvent> events = PushAll(translator, talk, default, out Exception error);
        Assert.IsNotType<OperationCanceledException>(error, exactMatch: false);
        AssertSentences(events, HearingDecoder.Shout(Talk));
    }

    [Fact]
    public void The_first_step_of_the_next_segment_can_be_cancelled()
    {
        using CancellationTokenSource stop = new();
        _onWrite = _ =>
        {
            if (_decoders.Count == 2)
                stop.Cancel();
        };
        float[] talk = HearingDecoder.Speak(Talk);
        using StreamTranslator translator = New("local-agreement:2", 0.5);
        List<StreamEvent> events = PushAll(translator, talk, stop.Token, out Exception error);
        Assert.IsType<OperationCanceledException>(error, exactMatch: false);
        AssertSentences(events, HearingDecoder.Shout(Talk));
    }

    // In pieces of half a second, of which one fails.
    private static List<StreamEvent> PushAll(StreamTranslator translator, float[] talk, CancellationToken cancellation, out Exception error)
    {
        List<StreamEvent> events = [];
        List<Exception> errors = [];
        foreach (float[] piece in talk.Chunk(8000))
        {
            try
            {
                events.AddRange(translator.Push(piece, errors.Count == 0 ? cancellation : default));
            }
            catch (Exception happened)
            {
                errors.Add(happened);
            }
        }
        events.AddRange(translator.Finish());
        error = Assert.Single(errors);
        return events;
    }

    // Each sentence of the talk has five words of 0.4 seconds.
    private static void AssertSentences(List<StreamEvent> events, string expected)
    {
        string text = "";
        List<string> segments = [];
        Subtitles subtitles = new();
        foreach (StreamEvent happened in events)
        {
            subtitles.Add(happened);
            text = text[..^happened.Deleted] + happened.Committed;
            if (!happened.EndsSegment)
                continue;
            Assert.Equal("", happened.Tentative);
            Assert.InRange(happened.SegmentStart, 2 * segments.Count - 0.05, 2 * segments.Count + 0.05);
            Assert.InRange(happened.SpeechEnd, 2 * segments.Count + 1.95, 2 * segments.Count + 2.05);
            segments.Add(text);
            text = "";
        }
        Assert.Equal("", text);
        Assert.Equal(expected, string.Concat(segments));
        Assert.Equal(3, segments.Count);
        Assert.Equal(3, subtitles.Cues.Count);
    }

    private SimultaneousTranslator New(string policy, double chunk) =>
        new(NewDecoder, decoder => PolicyOptions.Parse(policy).Create(decoder.Tokenizer), new StreamSettings(chunk));

    private HearingDecoder NewDecoder()
    {
        _onBegin?.Invoke();
        _decoders.Add(new HearingDecoder(Talk, heard => _translate(heard), spelling => _spell(spelling), heard => _read(heard), _onWrite));
        return _decoders[^1];
    }

    private static List<StreamEvent> Events(StreamTranslator translator, float[] talk)
    {
        List<StreamEvent> events = [];
        foreach (float[] piece in talk.Chunk(5000))
            events.AddRange(translator.Push(piece));
        events.AddRange(translator.Finish());
        translator.Dispose();
        return events;
    }
}

/// <summary>Hears which words of a talk are in its audio, wherever that begins: each has an amplitude of its own.</summary>
internal sealed class HearingDecoder(
    string talk, Func<string, string> translate, Func<Spelling, Spelling?> spell, Func<string, IReadOnlyList<string>> read, Action<CancellationToken>? onWrite) : ISpellingDecoder
{
    private const int WordSamples = 6400;

    private readonly string[] _words = talk.Split(' ');

    public List<float> Samples { get; } = [];

    public List<RgbImage?> Shown { get; } = [];

    public bool Disposed { get; private set; }

    public Tokenizer Tokenizer => Tokenizers.Translator;

    public int SourcePositions => (int)(Seconds * 25);

    public bool SourceEnded { get; private set; }

    public double Seconds => Samples.Count / 16000.0;

    public IReadOnlyList<string> Heard => read(string.Join(' ', Runs().Select(run => _words[run.Word])));

    public static float[] Speak(string talk) =>
        [.. talk.Split(' ').SelectMany((_, word) => Enumerable.Range(0, WordSamples).Select(i => (i % 8 < 4 ? 1 : -1) * (0.1f + word * 0.01f)))];

    public static string Shout(string text) => text.ToUpperInvariant();

    public Spelling? Spell()
    {
        (int Word, int First, int End)[] runs = Runs();
        string[] letters = [.. runs.Select(run => _words[run.Word].TrimEnd('.').ToLowerInvariant())];
        return spell(new Spelling(string.Join(' ', letters), letters.Length, 0, [])
        {
            WordFrames = [.. runs.Select(run => (run.First / 320 + 2, run.End / 320 - 2))],
        });
    }

    public void Append(ReadOnlySpan<float> samples)
    {
        Assert.False(SourceEnded || Disposed);
        Samples.AddRange(samples);
    }

    public void Complete() => SourceEnded = true;

    public void Show(RgbImage? image) => Shown.Add(image);

    public Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default)
    {
        Assert.False(Disposed);
        onWrite?.Invoke(cancellation);
        cancellation.ThrowIfCancellationRequested();
        string heard = string.Join(' ', Runs().Select(run => _words[run.Word]));
        int[] tokens = Tokenizer.Encode(translate(heard), addSpecialTokens: false);
        return new Hypothesis([.. kept, .. tokens.Skip(kept.Count)], true, null);
    }

    public void Dispose() => Disposed = true;

    // Words of which at least a half is there.
    private (int Word, int First, int End)[] Runs()
    {
        List<(int Word, int First, int End)> runs = [];
        for (int at = 0, end; at < Samples.Count; at = end)
        {
            int word = WordAt(at);
            for (end = at + 1; end < Samples.Count && WordAt(end) == word;)
                end++;
            if (end - at >= WordSamples / 2)
                runs.Add((word, at, end));
        }
        return [.. runs];
    }

    private int WordAt(int sample) => (int)MathF.Round((MathF.Abs(Samples[sample]) - 0.1f) * 100);
}
