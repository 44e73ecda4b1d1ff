using OmniFusion.Models;
using OmniFusion.Tensors;

namespace OmniFusion.Generation;

/// <summary>
/// Writes behind the prefixes of a batch. The keys and values of a prefix are computed once and shared by all its beams; each generated row
/// names the row it continues, so beams are reordered without copying anything.
/// </summary>
public sealed class DecoderSession
{
    private const int LongSentence = 64;

    private readonly ICausalModel _model;
    private readonly KvCache _cache;
    private readonly Segments _prefixes;
    private readonly int[] _nextPositions;
    private readonly CacheRows _visible = new();
    private readonly Positions _positions;

    // For each generated cache row: the one before it in its text, or -1; and how many came before.
    private int[] _parents = [], _depths = [];
    private int[] _tokens = [], _history = [];
    private int _lastStart;

    /// <summary>Continues prefixes that have been run through the model with this cache.</summary>
    /// <param name="model">The decoder.</param>
    /// <param name="cache">Holds the prefixes and nothing else.</param>
    /// <param name="prefixes">Rows of each item in the cache.</param>
    /// <param name="nextPositions">Position of the first generated token of each item.</param>
    /// <param name="axes">Axes of a position: 1, or 3 for the thinker.</param>
    public DecoderSession(ICausalModel model, KvCache cache, Segments prefixes, int[] nextPositions, int axes)
    {
        _model = model;
        _cache = cache;
        _prefixes = prefixes;
        _nextPositions = nextPositions;
        _positions = new Positions(axes);
    }

    /// <summary>Number of items.</summary>
    public int Items => _prefixes.Count;

    /// <summary>Number of tokens that the model knows.</summary>
    public int VocabularySize => _model.VocabularySize;

    /// <summary>
    /// Runs one token for each row and returns the scores of the next, [rows, vocabulary], valid until the next step. Allocates nothing on
    /// the managed heap once it has run as many rows and steps before.
    /// </summary>
    /// <param name="c">Where to compute; its arena is taken back.</param>
    /// <param name="tokens">The token of each row.</param>
    /// <param name="items">The item that each row belongs to.</param>
    /// <param name="parents">The row of the previous step that each row continues; -1 continues the prefix.</param>
    public Tensor Step(Compute c, ReadOnlySpan<int> tokens, ReadOnlySpan<int> items, ReadOnlySpan<int> parents)
    {
        c.Arena.Reset();
        int generated = _cache.Count - _prefixes.Rows, rows = tokens.Length;
        Reserve(generated + rows, rows);
        tokens.CopyTo(_tokens);
        _visible.Clear();
        _positions.Clear();
        for (int row = 0; row < rows; row++)
        {
            int parent = parents[row] < 0 ? -1 : _lastStart + parents[row], depth = parent < 0 ? 0 : _depths[parent] + 1;
            _parents[generated + row] = parent;
            _depths[generated + row] = depth;
            for (int at = depth, slot = generated + row; at >= 0; at--, slot = _parents[slot])
                _history[at] = _prefixes.Rows + slot;
            _visible.Add(_prefixes.Start(items[row]), _prefixes.Length(items[row]), _history.AsSpan(0, depth + 1));
            _positions.Add(_nextPositions[items[row]] + depth);
        }
        _lastStart = generated;
        Tensor x = _model.EmbedTokens(c, _tokens.AsMemory(0, rows));
        Tensor last = _model.Decoder.Step(c, x, _model.Angles(c, _positions), _cache, _visible);
        return _model.Logits(c, last);
    }

    /// <summary>
    /// Runs whole texts in one pass, each behind the prefix of its item and blind to the others, and returns the last hidden state of every
    /// token [tokens, D], text after text, valid until the next step. A step may go on from its rows.
    /// </summary>
    /// <param name="c">Where to compute; its arena is taken back.</param>
    /// <param name="texts">Tokens of each text.</param>
    /// <param name="items">The item that each text belongs to.</param>
    public Tensor Read(Compute c, IReadOnlyList<int[]> texts, ReadOnlySpan<int> items)
    {
        c.Arena.Reset();
        int generated = _cache.Count - _prefixes.Rows, rows = texts.Sum(text => text.Length), row = 0;
        Reserve(generated + rows, rows);
        _visible.Clear();
        _positions.Clear();
        for (int text = 0; text < texts.Count; text++)
        {
            for (int depth = 0; depth < texts[text].Length; depth++, row++)
            {
                _tokens[row] = texts[text][depth];
                _parents[generated + row] = depth == 0 ? -1 : generated + row - 1;
                _depths[generated + row] = depth;
                _history[depth] = _prefixes.Rows + generated + row;
                _visible.Add(_prefixes.Start(items[text]), _prefixes.Length(items[text]), _history.AsSpan(0, depth + 1));
                _positions.Add(_nextPositions[items[text]] + depth);
            }
        }
        _lastStart = generated;
        Tensor x = _model.EmbedTokens(c, _tokens.AsMemory(0, rows));
        return _model.Decoder.Step(c, x, _model.Angles(c, _positions), _cache, _visible);
    }

    /// <summary>Scores of the next token: hidden states [rows, D] to [rows, vocabulary].</summary>
    public Tensor Logits(Compute c, Tensor states) => _model.Logits(c, states);

    /// <summary>Makes room for steps of so many rows, as many as a sentence takes at most; what comes after them finds room as it comes.</summary>
    internal void Prepare(int rows, int steps)
    {
        int generated = _cache.Count - _prefixes.Rows, coming = rows * Math.Min(steps, LongSentence);
        _cache.Reserve(coming);
        Reserve(generated + coming, rows);
    }

    private void Reserve(int generated, int rows)
    {
        if (_parents.Length < generated)
        {
            Array.Resize(ref _parents, Math.Max(generated, 2 * _parents.Length));
            Array.Resize(ref _depths, _parents.Length);
            Array.Resize(ref _history, _parents.Length);
        }
        if (_tokens.Length < rows)
            Array.Resize(ref _tokens, rows);
    }
}
