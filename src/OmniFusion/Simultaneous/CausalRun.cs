using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>
/// One sequence in a decoder: each row sees those before it, and what was computed for the first rows is kept when the rest changes.
/// </summary>
/// <param name="model">The decoder.</param>
/// <param name="cache">Its keys and values, for this sequence alone.</param>
/// <param name="axes">Axes of a position: 1, or 3 for the thinker.</param>
internal sealed class CausalRun(ICausalModel model, KvCache cache, int axes)
{
    private readonly CacheRows _visible = new();
    private readonly Positions _positions = new(axes);
    private Positions _head = new(axes);
    private int _next;

    internal ICausalModel Model => model;

    internal KvCache Cache => cache;

    /// <summary>Rows that have been computed and kept.</summary>
    internal int Count => cache.Count;

    /// <summary>Rows computed so far, those computed again included.</summary>
    internal long RowsComputed { get; private set; }

    /// <summary>
    /// Begins a sequence: its first rows have the given positions, those behind them count on from <paramref name="next"/>.
    /// </summary>
    internal void Begin(Positions head, int next)
    {
        cache.Truncate(0);
        (_head, _next) = (head, next);
    }

    /// <summary>Forgets the rows from <paramref name="count"/> on.</summary>
    internal void Truncate(int count) => cache.Truncate(count);

    /// <summary>Runs rows behind those that are kept: x [rows, D] to the last hidden state [rows, D].</summary>
    internal Tensor Append(
        Compute c, Tensor x, AttentionProbe? probe = null, ReadOnlySpan<int> wanted = default, Span<Tensor> states = default)
    {
        _visible.Clear();
        _positions.Clear();
        for (int row = cache.Count; row < cache.Count + x.Rows; row++)
        {
            _visible.Add(0, row + 1);
            if (row < _head.Count)
                _positions.Add(_head[0, row], _head[1, row], _head[2, row]);
            else
                _positions.Add(_next + row - _head.Count);
        }
        RowsComputed += x.Rows;
        return model.Decoder.Step(c, x, model.Angles(c, _positions), cache, _visible, probe, wanted, states);
    }
}
