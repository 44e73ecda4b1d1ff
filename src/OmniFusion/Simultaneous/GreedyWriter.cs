using System.Diagnostics;
using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>Rows in front of a text.</summary>
/// <param name="Rows">Their number.</param>
/// <param name="First">The first of them that is new.</param>
/// <param name="Changed">Embeddings of the new ones, or null when there are none.</param>
/// <param name="History">The ids they stand for, at which the n-gram ban looks.</param>
internal readonly record struct WriterPrefix(int Rows, int First, Tensor? Changed, IReadOnlyList<int> History);

/// <summary>Where attention is looked at.</summary>
/// <param name="Probe">Looks, or null.</param>
/// <param name="Positions">Number of positions of the source.</param>
/// <param name="Sources">Rows of the source, and the position that each stands for.</param>
internal readonly record struct WriterView(AttentionProbe? Probe, int Positions, IReadOnlyList<(int Row, int Position)> Sources)
{
    /// <summary>Looks at the last rows of the next step.</summary>
    internal void Begin(int rows) => Probe?.Begin(rows, Positions, Sources);
}

/// <summary>
/// Continues texts greedily in a sequence that is kept from one call to the next. What the last call wrote is tried first: all of it runs
/// through the decoder at once, which costs little more than one token, and only from the first on that would be another now it is written
/// token by token. The result is that of plain greedy search.
/// </summary>
internal sealed class GreedyWriter(CausalRun run, IReadOnlyList<int> endOfText, int noRepeatNgramSize)
{
    // The ids that the sequence holds behind its prefix.
    private readonly List<int> _read = [];
    private int[] _last = [];

    /// <summary>Seconds spent reading prefixes, kept tokens and drafts.</summary>
    internal double ReadSeconds { get; private set; }

    /// <summary>Seconds spent on writing token by token.</summary>
    internal double WriteSeconds { get; private set; }

    /// <summary>Forgets what it wrote.</summary>
    internal void Restart()
    {
        _read.Clear();
        _last = [];
    }

    /// <summary>Somebody else computed the rows in front again: what was read behind them is gone, what was written is tried first as ever.</summary>
    internal void ReadAnew() => _read.Clear();

    /// <summary>Continues a text.</summary>
    /// <param name="c">Where to compute; its arena is taken back.</param>
    /// <param name="prefix">What stands in front.</param>
    /// <param name="opening">Ids behind the prefix that open the text; with the prefix at least one row.</param>
    /// <param name="kept">Ids of the text that may not change.</param>
    /// <param name="maxNewTokens">Tokens to write at most, at least 1.</param>
    /// <param name="view">Attention that is wanted.</param>
    /// <param name="cancellation">Checked at each token.</param>
    internal Hypothesis Write(
        Compute c, WriterPrefix prefix, ReadOnlySpan<int> opening, IReadOnlyList<int> kept, int maxNewTokens, WriterView view,
        CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        int[] draft = DraftBehind(kept, maxNewTokens - 1);
        int[] sequence = [.. opening, .. kept, .. draft];
        int forced = sequence.Length - draft.Length;
        view.Begin(1 + draft.Length);
        Tensor last = Read(c, prefix, sequence, forced, view.Probe);
        // The first score is that behind the kept tokens, the others those behind each token of the draft.
        int[] scored = [.. Enumerable.Range(last.Rows - draft.Length - 1, draft.Length + 1)];
        Tensor logits = run.Model.Logits(c, c.Gather(last, scored));
        ReadSeconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        started = Stopwatch.GetTimestamp();

        List<int> ids = [.. prefix.History, .. sequence.AsSpan(0, forced)];
        int first = ids.Count;
        List<float[]>? attention = view.Probe is null ? null : [];
        bool ended = false;
        for (int row = 0; ;)
        {
            cancellation.ThrowIfCancellationRequested();
            int token = Best(logits.Row(row), ids);
            ended = endOfText.Contains(token);
            if (ended)
                break;
            ids.Add(token);
            attention?.Add(view.Probe!.Rows[row]);
            if (ids.Count - first == maxNewTokens)
                break;
            if (row < draft.Length && draft[row] == token)
            {
                row++;
                continue;
            }
            int rows = forced + ids.Count - first - 1;
            Forget(prefix.Rows, rows);
            c.Arena.Reset();
            view.Begin(1);
            logits = run.Model.Logits(c, run.Append(c, run.Model.EmbedTokens(c, new[] { token }), view.Probe));
            _read.Add(token);
            (row, draft) = (0, []);
        }
        WriteSeconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        _last = [.. kept, .. ids.Skip(first)];
        return new Hypothesis([.. _last], ended, attention?.ToArray());
    }

    /// <summary>
    /// Reads a text that somebody else wrote, and looks where each token is written from: the probe has a row for each token of it, but for
    /// the first where nothing opens the text.
    /// </summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="prefix">What stands in front.</param>
    /// <param name="opening">Ids behind the prefix that open the text.</param>
    /// <param name="text">The text, at least two tokens.</param>
    /// <param name="view">Attention that is wanted.</param>
    internal void Follow(Compute c, WriterPrefix prefix, ReadOnlySpan<int> opening, IReadOnlyList<int> text, WriterView view)
    {
        Restart();
        int[] sequence = [.. opening, .. text.Take(text.Count - 1)];
        view.Begin(Math.Min(text.Count, sequence.Length));
        Read(c, prefix, sequence, sequence.Length, view.Probe);
    }

    // What is kept of the sequence ends at the latest before the row whose scores are wanted first.
    private Tensor Read(Compute c, WriterPrefix prefix, int[] sequence, int forced, AttentionProbe? probe)
    {
        Tensor? above = prefix.Changed;
        int shared = 0;
        if (above is null)
            while (shared < _read.Count && shared < forced - 1 && _read[shared] == sequence[shared])
                shared++;
        Forget(above is null ? prefix.Rows : prefix.First, shared);
        int[] fresh = sequence[shared..];
        Tensor below = run.Model.EmbedTokens(c, fresh);
        Tensor last = run.Append(c, RowBuffer.Stack(c, above, below), probe);
        _read.AddRange(fresh);
        return last;
    }

    private int[] DraftBehind(IReadOnlyList<int> kept, int most)
    {
        for (int i = 0; i < kept.Count; i++)
            if (i >= _last.Length || _last[i] != kept[i])
                return [];
        return _last[kept.Count..Math.Min(_last.Length, kept.Count + most)];
    }

    private void Forget(int prefixRows, int read)
    {
        run.Truncate(prefixRows + read);
        if (_read.Count > read)
            _read.RemoveRange(read, _read.Count - read);
    }

    private int Best(Span<float> scores, List<int> ids)
    {
        NgramBan.Apply(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids), noRepeatNgramSize, scores);
        return FiniteScores.Best(scores);
    }
}
