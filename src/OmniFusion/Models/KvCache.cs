using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>
/// Keys and values of all rows seen so far, layer by layer. Rows are only ever appended: beams share the rows of their prefix and name
/// their own by index.
/// </summary>
public sealed class KvCache
{
    // So much is reserved at most for rows that may never come; a large model's rows find room as they come.
    private const long MostReserved = 256 << 20;

    private readonly LayerCache[] _layers;
    private readonly long _rowBytes;

    /// <summary>An empty cache for the layers of a decoder.</summary>
    /// <param name="shape">Sizes of the decoder.</param>
    /// <param name="capacity">Rows to have room for at first; it grows when they do not suffice.</param>
    public KvCache(DecoderShape shape, int capacity)
    {
        int width = shape.KvHeads * shape.HeadDim;
        _rowBytes = 2L * sizeof(float) * width * shape.Layers;
        _layers = [.. Enumerable.Range(0, shape.Layers).Select(_ => new LayerCache(this, Math.Max(capacity, 1), width))];
    }

    /// <summary>Rows held.</summary>
    public int Count { get; private set; }

    /// <summary>Forgets the rows from <paramref name="count"/> on; keeps the memory.</summary>
    public void Truncate(int count) => Count = Math.Min(count, Count);

    /// <summary>Makes room for so many rows more, but for no more than 256 MB of them.</summary>
    internal void Reserve(int rows)
    {
        foreach (LayerCache layer in _layers)
            layer.MakeRoom(Count + (int)Math.Min(rows, MostReserved / _rowBytes));
    }

    internal int LayerCount => _layers.Length;

    internal LayerCache Layer(int index) => _layers[index];

    internal void Advance(int rows) => Count += rows;

    /// <summary>Keys and values of one layer, [capacity, kvHeads·headDim].</summary>
    internal sealed class LayerCache(KvCache cache, int capacity, int width)
    {
        internal Tensor Keys { get; private set; } = Tensor.Zeros(new Shape(capacity, width));

        internal Tensor Values { get; private set; } = Tensor.Zeros(new Shape(capacity, width));

        internal void Append(Tensor k, Tensor v)
        {
            MakeRoom(cache.Count + k.Rows);
            k.Span.CopyTo(Keys.Span[(cache.Count * width)..]);
            v.Span.CopyTo(Values.Span[(cache.Count * width)..]);
        }

        internal void MakeRoom(int needed)
        {
            if (needed <= Keys.Rows)
                return;
            Keys = Grow(Keys, needed);
            Values = Grow(Values, needed);
        }

        private Tensor Grow(Tensor full, int needed)
        {
            Tensor larger = Tensor.Zeros(new Shape(Math.Max(needed, full.Rows * 3 / 2), width));
            full.Span[..(cache.Count * width)].CopyTo(larger.Span);
            return larger;
        }
    }
}
