using OmniFusion.Media;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>
/// The audio tower over a sound that is still arriving. Chunks of 2 s know nothing of each other: a full one is encoded once and kept, the
/// last is encoded again as it grows. Log-mel values are floored at 8 below the loudest value of the whole sound; when that rises, kept
/// chunks have heard a lower floor than the offline computation, by at most <see cref="Deviation"/>.
/// </summary>
internal sealed class IncrementalAudio
{
    // What a chunk was encoded from: how much of the sound, under which maximum, and its least raw value, which a floor reaches first.
    private readonly record struct Chunk(bool Full, long Samples, float Max, float Least);

    private readonly AudioTower _tower;
    private readonly CtcHead? _recognizer;
    private readonly LogMel _logMel;
    private readonly StreamingLogMel _stream;
    private readonly bool _exact;
    private readonly RowBuffer _raw, _frames, _tokens;
    private readonly FrameSpelling _spelling = new();
    private readonly List<Chunk> _chunks = [];
    private long _heard = -1;
    private bool _heardAll;
    private int _final;

    internal IncrementalAudio(Thinker thinker, CtcHead? recognizer, LogMel logMel, bool exact)
    {
        (_tower, _recognizer, _logMel, _stream, _exact) = (thinker.AudioTower, recognizer, logMel, new StreamingLogMel(logMel), exact);
        (_raw, _frames, _tokens) = (new RowBuffer(logMel.Bins), new RowBuffer(_tower.FrameSize), new RowBuffer(thinker.HiddenSize));
    }

    /// <summary>Samples taken.</summary>
    internal long Samples { get; private set; }

    internal bool Completed { get; private set; }

    /// <summary>Audio tokens of the sound so far.</summary>
    internal int Tokens => AudioTower.TokenCount(_logMel.FrameCount((int)Samples));

    /// <summary>The largest difference of what kept chunks heard from the log-mel of the offline computation, at the last update.</summary>
    internal float Deviation { get; private set; }

    /// <summary>Log-mel frames encoded so far, again and again ones included.</summary>
    internal long FramesEncoded { get; private set; }

    /// <summary>Tokens from the start that are as they were when <see cref="Accept"/> was called last.</summary>
    internal int Unchanged { get; private set; }

    /// <summary>Whoever uses the tokens has taken all of them.</summary>
    internal void Accept() => Unchanged = _tokens.Count;

    internal void Append(ReadOnlySpan<float> samples)
    {
        _raw.Resize(_final + _stream.FramesAfter(samples.Length));
        _final += _stream.Push(samples, _raw.Rows(_final, _raw.Count - _final));
        Samples += samples.Length;
    }

    internal void Complete()
    {
        _raw.Resize(_final + _stream.FramesLeft);
        _final += _stream.Finish(_raw.Rows(_final, _raw.Count - _final));
        Completed = true;
    }

    /// <summary>Encodes what has changed since the last time.</summary>
    internal void Update(Compute c)
    {
        if (_heard == Samples && _heardAll == Completed)
            return;
        float max = Completed ? _stream.Max : EndHere();
        List<int> changed = Changed(max);
        if (changed.Count > 0)
            Encode(c, changed, max);
        Deviation = 0;
        foreach (Chunk chunk in _chunks)
            Deviation = Math.Max(Deviation, DeviationOf(chunk, max));
        (_heard, _heardAll) = (Samples, Completed);
    }

    internal Tensor TokensFrom(Compute c, int first) => _tokens.From(c, first);

    internal Spelling? Spelling => _recognizer is null ? null : _spelling.Read();

    // The last frames look into the silence that would be behind the sound.
    private float EndHere()
    {
        StreamingLogMel end = _stream.Fork();
        int left = end.FramesLeft;
        _raw.Resize(_final + left);
        end.Finish(_raw.Rows(_final, left));
        return end.Max;
    }

    private List<int> Changed(float max)
    {
        List<int> changed = [];
        for (int i = 0; i * _tower.ChunkFrames < _raw.Count; i++)
        {
            bool fresh = i >= _chunks.Count || (!_chunks[i].Full && _chunks[i].Samples != Samples);
            if (fresh || ((_exact || Completed) && DeviationOf(_chunks[i], max) > 0))
                changed.Add(i);
        }
        return changed;
    }

    private void Encode(Compute c, List<int> changed, float max)
    {
        int size = _tower.ChunkFrames;
        Segments chunks = new([.. changed.Select(i => Math.Min(size, _raw.Count - i * size))]);
        Tensor mel = c.Rent(new Shape(chunks.Rows, _logMel.Bins));
        for (int i = 0; i < changed.Count; i++)
        {
            int first = changed[i] * size, count = chunks.Length(i);
            Span<float> raw = _raw.Rows(first, count);
            raw.CopyTo(mel.Span[(chunks.Start(i) * _logMel.Bins)..]);
            Chunk chunk = new(first + size <= _final, Samples, max, System.Numerics.Tensors.TensorPrimitives.Min<float>(raw));
            if (changed[i] < _chunks.Count)
                _chunks[changed[i]] = chunk;
            else
                _chunks.Add(chunk);
        }
        LogMel.Normalize(mel.Span, max);
        FramesEncoded += chunks.Rows;
        Keep(c, _tower.EncodeChunks(c, mel, chunks), changed);
    }

    // Two frames make a token.
    private void Keep(Compute c, Tensor encoded, List<int> changed)
    {
        int size = _tower.ChunkFrames / 2, frames = (_raw.Count - 1) / 2 + 1;
        Tensor? spelled = _recognizer?.Forward(c, encoded);
        _frames.Resize(frames);
        _spelling.Resize(frames);
        int row = 0;
        foreach (int i in changed)
        {
            int count = Math.Min(size, frames - i * size);
            encoded.Span.Slice(row * encoded.Columns, count * encoded.Columns).CopyTo(_frames.Rows(i * size, count));
            if (spelled is not null)
                _spelling.Set(i * size, spelled, row, count);
            row += count;
        }
        int first = changed[0] * size / 2;
        Tensor tokens = _tower.Embed(c, _frames.From(c, 2 * first), new Segments([frames - 2 * first]), out _);
        _tokens.Resize(first + tokens.Rows);
        tokens.Span.CopyTo(_tokens.Rows(first, tokens.Rows));
        Unchanged = Math.Min(Unchanged, first);
    }

    // A floor changes a value the more the lower it lies.
    private static float DeviationOf(Chunk chunk, float max) => LogMel.Scale * Math.Abs(
        Math.Max(chunk.Least, max - LogMel.DynamicRange) - Math.Max(chunk.Least, chunk.Max - LogMel.DynamicRange));
}
