using System.Diagnostics;
using System.Runtime.InteropServices;
using OmniFusion.Media;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Translates a stream of any length segment by segment. Samples are gathered to chunks; voice activity opens a segment where speech begins
/// and ends it at a pause, a shorter one when its sentence is complete and out, or when it gets long; each chunk brings one step of the
/// segment's text, and when the segment ends all of its text is out. Silence is looked at and forgotten. Only the present segment is kept.
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
    private readonly List<float> _preRoll = [];
    private int _filled, _heard;
    private long _taken;
    private double _computed;
    private bool _finished, _disposed;
    private RgbImage? _image;

    // The segment: its text, its length and pauses in frames, and how much of its text the caller knows or is about to learn.
    private SegmentText? _segment;
    private int _frames, _voicedFrames, _silentFrames, _onset;
    private bool _ending, _completed;
    private long _segmentStart, _speechEnd;
    private string _shown = "";
    private bool _anyText;

    // What happened since the last event.
    private string _committed = "";
    private int _deleted;
    private bool _ended;
    private long _endedStart, _endedEnd;

    private protected StreamTranslator(StreamSettings settings, RgbImage? image = null)
    {
        (_settings, _image) = (settings, image);
        _chunk = new float[settings.ChunkSamples];
    }

    /// <summary>Seconds of audio taken.</summary>
    public double AudioSeconds => (double)_taken / AudioFile.ModelRate;

    /// <summary>Makes a translator of the kind that the options name.</summary>
    /// <exception cref="OmniFusionException">An option is out of its bounds, or the model does not know the language.</exception>
    public static StreamTranslator Create(Models.OmniFusionModel model, SimultaneousOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Cascade ? new CascadeTranslator(model, options) : new SimultaneousTranslator(model, options);
    }

    /// <summary>
    /// Takes the next samples, mono, 16 kHz, any number of them, and tells what they brought. When it is cancelled, the samples behind the
    /// step that was under way are not taken, and what was committed comes with the next event.
    /// </summary>
    /// <exception cref="OmniFusionException">A sample is not a number; then none of them is taken.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public StreamEvent Push(ReadOnlySpan<float> samples, CancellationToken cancellation = default)
    {
        Check();
        CheckFinite(samples);
        long started = Stopwatch.GetTimestamp();
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
            _computed += Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        return TakeEvent();
    }

    /// <inheritdoc/>
    public StreamEvent Finish(CancellationToken cancellation = default)
    {
        Check();
        long started = Stopwatch.GetTimestamp();
        try
        {
            Hear(cancellation);
            if (_segment is not null)
                EndSegment(cancellation);
            _finished = true;
        }
        finally
        {
            _computed += Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        return TakeEvent();
    }

    /// <inheritdoc/>
    public void Show(RgbImage? image)
    {
        Check();
        _image = image;
        _segment?.Show(image);
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

    private protected abstract SegmentText NewSegment();

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
        if (_segment is null || !HasWords(_segment))
            return;
        Advance(cancellation);
        // Loud, but no speech: what energy alone does not tell.
        if (EndsSentence(_segment)
            || _segment.Spell()?.TrailingBlankSeconds >= _settings.PauseFrames * VoiceActivity.FrameSeconds + LetterGap)
            EndSegment(cancellation);
    }

    // Said to its end, and a moment of silence: what follows is another sentence.
    private bool EndsSentence(SegmentText segment) => segment.IsSentence && _silentFrames >= Math.Max(_settings.SentencePauseFrames, 1);

    // A click is no word, and a noise in which the audio tower hears no letter neither.
    private bool HasWords(SegmentText segment) => _voicedFrames >= WordFrames && segment.Spell() is not { Words: 0 };

    private void Hear(CancellationToken cancellation)
    {
        while (_ending || _heard < _filled)
        {
            if (_ending)
                EndSegment(cancellation);
            else if (_segment is null)
                AwaitSpeech();
            else
                FollowSpeech(_segment);
        }
    }

    private void AwaitSpeech()
    {
        while (_heard < _filled)
        {
            ReadOnlySpan<float> frame = NextFrame(out bool voiced);
            Remember(frame);
            _onset = voiced ? _onset + 1 : 0;
            if (_onset < OnsetFrames)
                continue;
            _segment = NewSegment();
            if (_image is not null)
                _segment.Show(_image);
            _segment.Append(CollectionsMarshal.AsSpan(_preRoll));
            _speechEnd = _taken - _filled + _heard;
            _segmentStart = _speechEnd - _preRoll.Count;
            _frames = _preRoll.Count / VoiceActivity.FrameSamples;
            (_voicedFrames, _silentFrames, _onset) = (_onset, 0, 0);
            _preRoll.Clear();
            return;
        }
    }

    private void FollowSpeech(SegmentText segment)
    {
        int from = _heard;
        while (_heard < _filled && !_ending)
        {
            NextFrame(out bool voiced);
            _frames++;
            _voicedFrames += voiced ? 1 : 0;
            _silentFrames = voiced ? 0 : _silentFrames + 1;
            if (voiced)
                _speechEnd = _taken - _filled + _heard;
            _ending = _silentFrames >= _settings.PauseThatEnds(_frames) || _frames >= _settings.MaxSegmentFrames;
        }
        segment.Append(_chunk.AsSpan(from, _heard - from));
    }

    private ReadOnlySpan<float> NextFrame(out bool voiced)
    {
        ReadOnlySpan<float> frame = _chunk.AsSpan(_heard, Math.Min(VoiceActivity.FrameSamples, _filled - _heard));
        _heard += frame.Length;
        voiced = _voice.Next(frame);
        return frame;
    }

    private void Remember(ReadOnlySpan<float> frame)
    {
        int over = _preRoll.Count + frame.Length - PreRollSamples;
        if (over > 0)
            _preRoll.RemoveRange(0, Math.Min(over, _preRoll.Count));
        _preRoll.AddRange(frame);
    }

    private void EndSegment(CancellationToken cancellation)
    {
        _ending = true;
        if (!_completed)
            _segment!.Complete();
        _completed = true;
        if (HasWords(_segment!))
        {
            Advance(cancellation);
            if (!_ended)
                _endedStart = _segmentStart;
            _endedEnd = _speechEnd;
            _ended = true;
            _anyText |= _shown.Length > 0;
        }
        _segment!.Dispose();
        (_segment, _shown) = (null, "");
        (_ending, _completed) = (false, false);
    }

    private void Advance(CancellationToken cancellation)
    {
        _segment!.Advance(cancellation);
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

    private StreamEvent TakeEvent()
    {
        string tentative = _segment is null ? "" : Joined(_segment.Text + _segment.Tentative)[_shown.Length..];
        StreamEvent taken = new(AudioSeconds, _computed, _committed, tentative, _deleted, _ended)
        {
            SegmentStart = (double)(_ended ? _endedStart : _segmentStart) / AudioFile.ModelRate,
            SpeechEnd = (double)(_ended ? _endedEnd : _speechEnd) / AudioFile.ModelRate,
        };
        (_committed, _deleted, _ended) = ("", 0, false);
        return taken;
    }
}
