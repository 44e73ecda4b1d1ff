namespace OmniFusion.Tensors;

/// <summary>
/// Lends tensors and takes them all back at once. Memory grows to what the largest step needs and then stays: a warm step asks
/// neither the operating system nor the managed heap for anything.
/// </summary>
public sealed unsafe class Arena
{
    private const long SmallestBlock = 4 << 20;

    private readonly List<PinnedBuffer> _blocks = [];
    private readonly List<Tensor> _tensors = [];
    private Mark _top;

    /// <summary>A moment in the life of the arena to which it can be taken back.</summary>
    public readonly record struct Mark(int Block, long Offset, int Tensors);

    /// <summary>Bytes held from the operating system.</summary>
    public long Bytes => _blocks.Sum(block => block.Bytes);

    /// <summary>The present moment.</summary>
    public Mark Position => _top;

    /// <summary>A single-precision tensor of undefined content, valid until the arena is taken back to an earlier moment.</summary>
    public Tensor Rent(Shape shape)
    {
        byte* data = Allocate(shape.Count * sizeof(float));
        if (_top.Tensors == _tensors.Count)
            _tensors.Add(new Tensor());
        Tensor tensor = _tensors[_top.Tensors];
        _top = _top with { Tensors = _top.Tensors + 1 };
        tensor.RequiresGrad = false;
        tensor.Grad = null;
        // A tensor keeps its block alive even when nobody holds the arena any more.
        return tensor.Become(shape, DType.F32, data, _blocks[_top.Block]);
    }

    /// <summary>Takes back everything lent since <paramref name="mark"/>.</summary>
    public void Release(Mark mark) => _top = mark;

    /// <summary>Takes back everything.</summary>
    public void Reset() => _top = default;

    /// <summary>Takes back everything lent since <paramref name="mark"/> except <paramref name="result"/>, which moves there.</summary>
    public Tensor Release(Mark mark, Tensor result)
    {
        byte* from = result.Data;
        Shape shape = result.Shape;
        long bytes = shape.Count * sizeof(float);
        Release(mark);
        Tensor kept = Rent(shape);
        // The new place lies before the old one or in another block, and MemoryCopy allows overlap.
        if (kept.Data != from)
            Buffer.MemoryCopy(from, kept.Data, bytes, bytes);
        return kept;
    }

    private byte* Allocate(long bytes)
    {
        bytes = (bytes + PinnedBuffer.Alignment - 1) & -PinnedBuffer.Alignment;
        if (_top.Block == _blocks.Count || _top.Offset + bytes > _blocks[_top.Block].Bytes)
            _top = _top with { Block = FreeBlock(bytes), Offset = 0 };
        byte* data = _blocks[_top.Block].Pointer + _top.Offset;
        _top = _top with { Offset = _top.Offset + bytes };
        return data;
    }

    // The next free block that is large enough. Where none is, the first free one makes way for a larger one: added behind them, blocks for
    // ever larger requests would add up, each too small for the next.
    private int FreeBlock(long bytes)
    {
        int first = _top.Offset == 0 ? _top.Block : _top.Block + 1;
        for (int block = first; block < _blocks.Count; block++)
            if (bytes <= _blocks[block].Bytes)
                return block;
        if (first == _blocks.Count)
        {
            _blocks.Add(new PinnedBuffer(Math.Max(bytes, SmallestBlock << Math.Min(_blocks.Count, 6)), zeroed: false));
            return first;
        }
        // An eighth more, because requests that grow a little each time would get a new block each.
        _blocks[first] = new PinnedBuffer(bytes + bytes / 8, zeroed: false);
        // Tensors that are not lent would keep the old block.
        _tensors.RemoveRange(_top.Tensors, _tensors.Count - _top.Tensors);
        return first;
    }
}
