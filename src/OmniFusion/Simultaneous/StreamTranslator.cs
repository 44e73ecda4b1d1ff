using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Translates a stream of any length segment by segment. Samples are gathered to chunks; voice activity opens a segment where speech begins
/// and ends it at a pause, a shorter one when its sentence is complete and out, or when it gets long; without a pause it ends with a sentence
/// that is out and behind which more is heard. Each chunk brings one step of the segment's text, and when the segment ends all of its text is
/// out. Silence is looked at and forgotten. Only the present segment is kept.
/// </summary>
public abstract class StreamTranslator : ISimultaneousTranslator
{
    // Voiced frames that open a segment, and those without which there was no word in it.
    private const int OnsetFrames = 3, WordFrames = 8;

    // The letters that the audio tower hears come in peaks: between two words there may be so many seconds more than a pause has.
    private const double LetterGap = 0.6;

    // Samples before the onset that belong to the segment: quiet consonants.
    private const int PreRollSamples = 15 * VoiceActivity.FrameSamples;

    private readonly StreamSettings _settings;
    private readonly VoiceActivity _voice = new();
    private readonly float[] _chunk;
    private readonly Action<RgbImage>? _checkImage;
    private readonly Queue<(long At, RgbImage? Image)> _images = new();
    private int _filled, _heard;
    private long _taken, _started;
    private double _computed;
    private bool _finished, _disposed;
    private RgbImage? _image;

    // The segment: its text, its length and pauses in frames, and how much of its text is told or waits to be. Kept are all its samples, and
    // before it those with which it may begin.
    private readonly List<float> _kept = [];
    private SegmentText? _segment;
    private int _frames, _voicedFrames, _silentFrames, _onset;
    private bool _ending, _completed;

    // Speech goes on behind a pause that was long enough for the end of a sentence; the frame there, which was heard and given back, is voiced;
    // and whether the text has come up to this pause already.
    private bool _resumes, _givenBack, _asked;
    private long _segmentStart, _speechEnd;
    private string _shown = "";
    private bool _anyText;

    // What happened since the last event, what that said would follow, and events that nobody has taken.
    private string _committed = "", _tentative = "";
    private int _deleted;
    private List<StreamEvent> _events = [];

    private protected StreamTranslator(StreamSettings settings, Action<RgbImage>? checkImage = null, RgbImage? image = null)
    {
        (_settings, _checkImage, _image) = (settings, checkImage, image);
        CheckImage(image);
        _chunk = new float[settings.ChunkSamples];
    }

    /// <summary>Seconds of audio taken.</summary>
    public double AudioSeconds => (double)_taken / AudioFile.ModelRate;

    /// <summary>Seconds of audio between two steps.</summary>
    public double ChunkSeconds => _settings.ChunkSeconds;

    /// <summary>Makes a translator of the kind that the options name.</summary>
    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    public static StreamTranslator Create(Models.OmniFusionModel model, SimultaneousOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Cascade ? new CascadeTranslator(model, options) : new SimultaneousTranslator(model, options);
    }

    /// <summary>
    /// Takes the next samples, mono, 16 kHz, any number of them, and tells in order what they brought: an event for each step that changed
    /// something, and one for each segment that ended. When it is cancelled, the samples behind the step that was under way are not taken,
    /// and what happened comes with the next events.
    /// </summary>
    /// <exception cref="OmniFusionException">A sample is not a number; then none of them is taken.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public IReadOnlyList<StreamEvent> Push(ReadOnlySpan<float> samples, CancellationToken cancellation = default)
    {
        Check();
        CheckFinite(samples);
        _started = Stopwatch.GetTimestamp();
        try
        {
            while (!samples.IsEmpty)
            {
                // Full already when its step was cancelled.
                if (_filled == _chunk.Length)
                    Step(cancellation);
                int count = Math.Min(samples.Length, _chunk.Length - _filled);
                samples[..count].CopyTo(_chunk.AsSpan(_filled));
                samples = samples[count..];
                _filled += count;
                _taken += count;
                if (_filled == _chunk.Length)
                    Step(cancellation);
            }
        }
        finally
        {
            _computed += Stopwatch.GetElapsedTime(_started).TotalSeconds;
        }
        return TakeEvents();
    }

    /// <inheritdoc/>
    public IReadOnlyList<StreamEvent> Finish(CancellationToken cancellation = default)
    {
        Check();
        _started = Stopwatch.GetTimestamp();
        try
        {
            Hear(cancellation);
            if (_segment is not null)
                EndSegment(cancellation);
            Tell(evenNothing: _events.Count == 0);
            _finished = true;
        }
        finally
        {
            _computed += Stopwatch.GetElapsedTime(_started).TotalSeconds;
        }
        return TakeEvents();
    }

    /// <inheritdoc/>
    public void Show(RgbImage? image)
    {
        Check();
        CheckImage(image);
        _images.Enqueue((_taken, image));
        See();
    }

    /// <summary>Says whether the model can take an image, from any thread.</summary>
    /// <exception cref="OmniFusionException">It cannot.</exception>
    public void CheckImage(RgbImage? image)
    {
        if (image is not null)
            _checkImage?.Invoke(image);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _segment?.Dispose();
        _segment = null;
        GC.SuppressFinalize(this);
    }

    /// <exception cref="OmniFusionException">A sample is not a number.</exception>
    internal static void CheckFinite(ReadOnlySpan<float> samples)
    {
        foreach (float sample in samples)
            if (!float.IsFinite(sample))
                throw new OmniFusionException("The stream holds samples that are not numbers.");
    }

    /// <summary>What happened before a step failed, and was not told.</summary>
    internal IReadOnlyList<StreamEvent> TakeRest()
    {
        if (_committed.Length > 0 || _deleted > 0)
            Tell();
        return TakeEvents();
    }

    private protected abstract SegmentText NewSegment();

    // Samples that have been looked at.
    private long Heard => _taken - _filled + _heard;

    private void Check()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_finished)
            throw new InvalidOperationException("The stream is finished.");
    }

    // One chunk: at most one step of the text, besides the ends of segments. Cancelled, it goes on where it was.
    private void Step(CancellationToken cancellation)
    {
        Hear(cancellation);
        (_filled, _heard) = (0, 0);
        if (_segment is not null && HasWords(_segment))
        {
            Follow(cancellation);
            _asked = _silentFrames >= SentencePauseFrames;
            // Loud, but no speech: what energy alone does not tell.
            if (EndsSentence(_segment)
                || _segment.Spell()?.TrailingBlankSeconds >= _settings.PauseFrames * VoiceActivity.FrameSeconds + LetterGap)
                EndSegment(cancellation);
        }
        Tell();
    }

    // Brings the text up to date. Where that ends with a sentence, so does the segment, and what was heard behind it begins the next one.
    private void Follow(CancellationToken cancellation)
    {
        Advance(cancellation);
        while (_segment!.SentenceEnd is { } end)
        {
            int samples = end.Frame * VoiceActivity.FrameSamples;
            long spoken = _speechEnd;
            _speechEnd = Math.Min(_segmentStart + samples, spoken);
            Tell(endsSegment: true);
            CloseSegment();
            _kept.RemoveRange(0, samples);
            (_speechEnd, _onset) = (spoken, OnsetFrames);
            OpenSegment();
            _voicedFrames = _frames;
            if (HasWords(_segment))
                Advance(cancellation);
        }
    }

    private int SentencePauseFrames => Math.Max(_settings.SentencePauseFrames, 1);

    // Said to its end, and a moment of silence: what follows is another sentence.
    private bool EndsSentence(SegmentText segment) => segment.IsSentence && _silentFrames >= SentencePauseFrames;

    // The pause lies within the chunk, whose step would come too late for it. Only a sentence makes a step here.
    private void Resume(SegmentText segment, CancellationToken cancellation)
    {
        if (HasWords(segment))
        {
            Advance(cancellation, sentencesOnly: true);
            if (EndsSentence(segment))
            {
                EndSegment(cancellation);
                return;
            }
        }
        (_resumes, _asked) = (false, true);
    }

    // A click is no word, and a noise in which the audio tower hears no letter neither.
    private bool HasWords(SegmentText segment) => _voicedFrames >= WordFrames && segment.Spell() is not { Words: 0 };

    private void Hear(CancellationToken cancellation)
    {
        while (_ending || _heard < _filled)
        {
            See();
            if (_ending)
                EndSegment(cancellation);
            else if (_segment is null)
                AwaitSpeech(UntilImage());
            else if (_resumes)
                Resume(_segment, cancellation);
            else
                FollowSpeech(_segment, UntilImage());
        }
    }

    // Images count from the sample at which they were shown, which may still wait in the chunk; while a segment ends, it is as it was.
    private void See()
    {
        while (!_ending && _images.TryPeek(out (long At, RgbImage? Image) next) && next.At <= Heard)
        {
            _segment?.Show(next.Image);
            _image = next.Image;
            _images.Dequeue();
        }
    }

    private int UntilImage() =>
        _images.TryPeek(out (long At, RgbImage? Image) next) ? (int)Math.Min(next.At - (_taken - _filled), _filled) : _filled;

    private void AwaitSpeech(int until)
    {
        while (_heard < until && _onset < OnsetFrames)
        {
            ReadOnlySpan<float> frame = NextFrame(out bool voiced);
            Remember(frame);
            _onset = voiced ? _onset + 1 : 0;
        }
        if (_onset < OnsetFrames)
            return;
        OpenSegment();
        _speechEnd = Heard;
        (_voicedFrames, _silentFrames) = (OnsetFrames, 0);
    }

    // It begins with what is kept.
    [MemberNotNull(nameof(_segment))]
    private void OpenSegment()
    {
        _segment = Begun(NewSegment());
        _segmentStart = Heard - _kept.Count;
        (_frames, _onset) = (_kept.Count / VoiceActivity.FrameSamples, 0);
    }

    private SegmentText Begun(SegmentText segment)
    {
        try
        {
            if (_image is not null)
                segment.Show(_image);
            segment.Append(CollectionsMarshal.AsSpan(_kept));
            return segment;
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    private void FollowSpeech(SegmentText segment, int until)
    {
        int from = _heard;
        while (_heard < until && !_ending)
        {
            int frame = NextFrame(out bool voiced).Length;
            if (voiced && !_asked && _silentFrames >= SentencePauseFrames)
            {
                _heard -= frame;
                (_resumes, _givenBack) = (true, true);
                break;
            }
            _asked &= !voiced;
            _frames++;
            _voicedFrames += voiced ? 1 : 0;
            _silentFrames = voiced ? 0 : _silentFrames + 1;
            if (voiced)
                _speechEnd = Heard;
            _ending = _silentFrames >= _settings.PauseThatEnds(_frames) || _frames >= _settings.MaxSegmentFrames;
        }
        ReadOnlySpan<float> heard = _chunk.AsSpan(from, _heard - from);
        segment.Append(heard);
        _kept.AddRange(heard);
    }

    private ReadOnlySpan<float> NextFrame(out bool voiced)
    {
        ReadOnlySpan<float> frame = _chunk.AsSpan(_heard, Math.Min(VoiceActivity.FrameSamples, _filled - _heard));
        _heard += frame.Length;
        voiced = _givenBack || _voice.Next(frame);
        _givenBack = false;
        return frame;
    }

    private void Remember(ReadOnlySpan<float> frame)
    {
        int over = _kept.Count + frame.Length - PreRollSamples;
        if (over > 0)
            _kept.RemoveRange(0, Math.Min(over, _kept.Count));
        _kept.AddRange(frame);
    }

    private void EndSegment(CancellationToken cancellation)
    {
        _ending = true;
        if (!_completed)
            _segment!.Complete();
        _completed = true;
        if (_shown.Length > 0 || HasWords(_segment!))
        {
            Advance(cancellation);
            Tell(endsSegment: true);
        }
        CloseSegment();
        _kept.Clear();
    }

    private void CloseSegment()
    {
        _anyText |= _shown.Length > 0;
        _segment!.Dispose();
        (_segment, _shown) = (null, "");
        (_ending, _completed, _resumes, _asked) = (false, false, false, false);
    }

    private void Advance(CancellationToken cancellation, bool sentencesOnly = false)
    {
        _segment!.Advance(cancellation, sentencesOnly);
        string text = Joined(_segment.Text);
        int same = text.AsSpan().CommonPrefixLength(_shown);
        // No half of a surrogate pair is taken back or added.
        if (same > 0 && same < Math.Max(text.Length, _shown.Length) && char.IsHighSurrogate(text[same - 1]))
            same--;
        Commit(_shown.Length - same, text[same..]);
        _shown = text;
    }

    private void Commit(int deleted, string added)
    {
        int own = Math.Min(deleted, _committed.Length);
        _committed = _committed[..^own] + added;
        _deleted += deleted - own;
    }

    private string Joined(string text)
    {
        string trimmed = text.TrimStart();
        return _anyText && _settings.Spaced && trimmed.Length > 0 ? " " + trimmed : trimmed;
    }

    // An event holds text of one segment: whoever draws or saves it need not ask which part is whose.
    private void Tell(bool endsSegment = false, bool evenNothing = false)
    {
        string tentative = _segment is null || endsSegment ? "" : Joined(_segment.Text + _segment.Tentative)[_shown.Length..];
        if (endsSegment || evenNothing || _committed.Length > 0 || _deleted > 0 || tentative != _tentative)
            _events.Add(new StreamEvent(AudioSeconds, _computed + Stopwatch.GetElapsedTime(_started).TotalSeconds,
                _committed, tentative, _deleted, endsSegment)
            {
                SegmentStart = (double)_segmentStart / AudioFile.ModelRate,
                SpeechEnd = (double)_speechEnd / AudioFile.ModelRate,
                Transcript = _segment?.Transcript,
                LogMelDeviation = _segment?.LogMelDeviation ?? 0,
            });
        (_committed, _deleted, _tentative) = ("", 0, tentative);
    }

    private List<StreamEvent> TakeEvents()
    {
        List<StreamEvent> taken = _events;
        _events = [];
        return taken;
    }
}
