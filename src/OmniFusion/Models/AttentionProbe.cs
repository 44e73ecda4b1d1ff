using System.Numerics.Tensors;
using OmniFusion.Tensors;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Models;

/// <summary>
/// Looks at where some heads of a decoder attend while it steps. Attention itself keeps no weights, so those of the last rows are computed
/// once more from query and keys: one row a head, never a matrix of all rows.
/// </summary>
public sealed class AttentionProbe
{
    private readonly DecoderShape _shape;
    private readonly (int Layer, int Head)[] _heads;
    private readonly bool _apart;
    private float[] _weights = [];
    private float[][][] _sums = [[]];
    private IReadOnlyList<(int Row, int Position)> _sources = [];

    /// <summary>Looks at heads of a decoder.</summary>
    /// <param name="shape">Sizes of the decoder.</param>
    /// <param name="heads">Layer and query head, both from 0; at least one.</param>
    /// <param name="apart">Whether each head is looked at by itself (<see cref="RowsOf"/>), rather than the mean of all.</param>
    /// <exception cref="OmniFusionException">There is no head, or the decoder has no such head.</exception>
    public AttentionProbe(DecoderShape shape, IReadOnlyList<(int Layer, int Head)> heads, bool apart = false)
    {
        _apart = apart;
        if (heads.Count == 0)
            throw new OmniFusionException("There is no attention head to look at.");
        foreach ((int layer, int head) in heads)
            if (layer < 0 || layer >= shape.Layers || head < 0 || head >= shape.Heads)
                throw new OmniFusionException(
                    $"There is no attention head {head} in layer {layer}: the decoder has {shape.Layers} layers of {shape.Heads} heads.");
        _shape = shape;
        _heads = [.. heads];
    }

    /// <summary>Prepares for the next step.</summary>
    /// <param name="rows">Number of its last rows to look at.</param>
    /// <param name="positions">Number of source positions whose weights are wanted.</param>
    /// <param name="sources">Cache rows, and the position that each stands for: a position's weight is that of all its rows.</param>
    public void Begin(int rows, int positions, IReadOnlyList<(int Row, int Position)> sources)
    {
        _sources = sources;
        _sums = [.. Enumerable.Range(0, _apart ? _heads.Length : 1)
            .Select(_ => Enumerable.Range(0, rows).Select(_ => new float[positions]).ToArray())];
    }

    /// <summary>Weights of the source positions, the mean over the heads, for each row that was looked at.</summary>
    public IReadOnlyList<float[]> Rows => !_apart ? _sums[0]
        : throw new InvalidOperationException("The heads are looked at one by one.");

    /// <summary>Weights of the source positions by the head of that number, for each row that was looked at.</summary>
    public IReadOnlyList<float[]> RowsOf(int head) => _apart ? _sums[head]
        : throw new InvalidOperationException("The heads are looked at together.");

    internal void Look(int layer, Tensor q, Tensor keys, CacheRows visible)
    {
        for (int number = 0; number < _heads.Length; number++)
        {
            float[][] sums = _sums[_apart ? number : 0];
            if (_heads[number].Layer == layer)
                for (int i = 0; i < sums.Length; i++)
                    Add(_heads[number].Head, q.Row(q.Rows - sums.Length + i), keys, visible, q.Rows - sums.Length + i, sums[i]);
        }
    }

    private void Add(int head, ReadOnlySpan<float> row, Tensor keys, CacheRows visible, int number, Span<float> sums)
    {
        int heads = _apart ? 1 : _heads.Length;
        int size = _shape.HeadDim, kvHead = head / (_shape.Heads / _shape.KvHeads);
        int first = visible.Start(number), count = visible.Length(number);
        if (visible.Extra(number).Length > 0)
            throw new ArgumentException("a row of a beam has no single run of cache rows to look at", nameof(visible));
        if (_weights.Length < count)
            _weights = new float[Math.Max(count, 2 * _weights.Length)];
        Span<float> weights = _weights.AsSpan(0, count);
        ReadOnlySpan<float> query = row.Slice(head * size, size);
        float scale = 1 / MathF.Sqrt(size);
        for (int i = 0; i < count; i++)
            weights[i] = scale * TensorPrimitives.Dot(query, keys.Row(first + i).Slice(kvHead * size, size));
        TensorPrimitives.SoftMax(weights, weights);
        foreach ((int at, int position) in _sources)
            sums[position] += weights[at - first] / heads;
    }
}
