using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace OmniFusion.Tensors;

/// <summary>
/// Numbers in row-major order in memory that does not move: an activation (always <see cref="DType.F32"/>), a parameter, or a view of a
/// memory-mapped checkpoint.
/// </summary>
public sealed unsafe class Tensor
{
    // Keeps the memory alive: the buffer, which may be a block of an arena, or the memory-mapped file.
    private object? _owner;

    internal Tensor()
    {
    }

    /// <summary>Sizes of the axes.</summary>
    public Shape Shape { get; private set; }

    /// <summary>How the numbers are stored.</summary>
    public DType DType { get; private set; }

    /// <summary>Whether a gradient is wanted: a trainable parameter, or a value computed from one while a tape records.</summary>
    public bool RequiresGrad { get; internal set; }

    /// <summary>The gradient of the loss with respect to this tensor, or null when none has been computed.</summary>
    public Tensor? Grad { get; internal set; }

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Count;

    /// <summary>Number of rows (all axes but the last).</summary>
    public int Rows => Shape.Rows;

    /// <summary>Length of a row (the last axis).</summary>
    public int Columns => Shape.Columns;

    /// <summary>Address of the first number.</summary>
    internal byte* Data { get; private set; }

    /// <summary>Address of the first number of an <see cref="DType.F32"/> tensor.</summary>
    internal float* Floats => DType == DType.F32 ? (float*)Data : ThrowNotFloat();

    /// <summary>A tensor of its own memory, filled with zeros.</summary>
    public static Tensor Zeros(Shape shape, DType type = DType.F32)
    {
        PinnedBuffer buffer = new(shape.Count * type.Size(), zeroed: true);
        return new Tensor().Become(shape, type, buffer.Pointer, buffer);
    }

    /// <summary>A tensor of its own memory with a copy of <paramref name="values"/>.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's.</exception>
    public static Tensor From(ReadOnlySpan<float> values, Shape shape)
    {
        if (values.Length != shape.Count)
            throw new ArgumentException($"{values.Length} values do not fill {shape}", nameof(values));
        Tensor tensor = Zeros(shape);
        values.CopyTo(tensor.Span);
        return tensor;
    }

    /// <summary>A view of memory that somebody else holds, for instance a memory-mapped checkpoint. Nothing is copied.</summary>
    /// <param name="shape">Sizes of the axes.</param>
    /// <param name="type">How the numbers are stored.</param>
    /// <param name="address">Address of the first number; it need not be aligned.</param>
    /// <param name="owner">Kept alive as long as the view is.</param>
    public static Tensor View(Shape shape, DType type, nint address, object owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return new Tensor().Become(shape, type, (byte*)address, owner);
    }

    /// <summary>The numbers of an <see cref="DType.F32"/> tensor; of a <see cref="View"/>, for as long as the tensor is referred to.</summary>
    /// <exception cref="InvalidOperationException">The tensor is stored in another type, or holds more than 2^31 - 1 numbers.</exception>
    public Span<float> Span => new(Floats, InSpan(Count));

    /// <summary>The numbers of one row of an <see cref="DType.F32"/> tensor.</summary>
    public Span<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new(Floats + (long)row * Columns, Columns);
    }

    /// <summary>The stored bytes.</summary>
    /// <exception cref="InvalidOperationException">They are more than 2^31 - 1.</exception>
    public ReadOnlySpan<byte> Bytes => new(Data, InSpan(Count * DType.Size()));

    /// <summary>The same numbers under other sizes; the memory is shared.</summary>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public Tensor Reshape(Shape shape)
    {
        if (shape.Count != Count)
            throw new ArgumentException($"{Shape} cannot be seen as {shape}", nameof(shape));
        return new Tensor { Grad = Grad?.Reshape(shape), RequiresGrad = RequiresGrad }.Become(shape, DType, Data, _owner);
    }

    /// <summary>A copy in single precision with memory of its own.</summary>
    public Tensor ToF32()
    {
        Tensor copy = Zeros(Shape);
        if (DType == DType.F32)
        {
            Buffer.MemoryCopy(Data, copy.Data, Count * 4, Count * 4);
            GC.KeepAlive(this);
            return copy;
        }
        float* to = copy.Floats;
        ushort* from = (ushort*)Data;
        for (long i = 0; i < Count; i++)
            to[i] = DType == DType.BF16 ? BitConverter.UInt32BitsToSingle((uint)from[i] << 16) : (float)BitConverter.UInt16BitsToHalf(from[i]);
        GC.KeepAlive(this);
        return copy;
    }

    /// <summary>A copy stored as bfloat16, rounded to nearest, ties to even.</summary>
    public Tensor ToBF16()
    {
        Tensor copy = Zeros(Shape, DType.BF16);
        float* from = Floats;
        ushort* to = (ushort*)copy.Data;
        for (long i = 0; i < Count; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(from[i]);
            to[i] = float.IsNaN(from[i]) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }
        GC.KeepAlive(this);
        return copy;
    }

    /// <summary>A copy stored in half precision, rounded to nearest, ties to even.</summary>
    public Tensor ToF16()
    {
        Tensor copy = Zeros(Shape, DType.F16);
        float* from = Floats;
        ushort* to = (ushort*)copy.Data;
        for (long i = 0; i < Count; i++)
            to[i] = BitConverter.HalfToUInt16Bits((Half)from[i]);
        GC.KeepAlive(this);
        return copy;
    }

    /// <summary>A copy in the same type with <paramref name="row"/> (single precision) behind it <paramref name="times"/> times.</summary>
    /// <exception cref="InvalidOperationException">The tensor is trained; the copy would not learn.</exception>
    public Tensor AppendRows(Tensor row, int times)
    {
        if (RequiresGrad)
            throw new InvalidOperationException("a trainable tensor cannot be extended");
        Tensor stored = DType switch { DType.F32 => row, DType.BF16 => row.ToBF16(), _ => row.ToF16() };
        Tensor longer = Zeros(new Shape(Rows + times, Columns), DType);
        long size = Count * DType.Size(), added = (long)Columns * DType.Size();
        Buffer.MemoryCopy(Data, longer.Data, size, size);
        for (int i = 0; i < times; i++)
            Buffer.MemoryCopy(stored.Data, longer.Data + size + i * added, added, added);
        GC.KeepAlive(this);
        GC.KeepAlive(stored);
        return longer;
    }

    /// <summary>Makes this a trainable parameter: a gradient of the same size is kept and accumulated by each backward pass.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not stored in single precision.</exception>
    public Tensor RequireGrad()
    {
        if (DType != DType.F32)
            throw new InvalidOperationException($"a trainable tensor is stored as F32, not {DType}");
        RequiresGrad = true;
        Grad ??= Zeros(Shape);
        return this;
    }

    /// <summary>Makes a trainable parameter a constant: no gradient is computed for it any more.</summary>
    public Tensor Freeze()
    {
        RequiresGrad = false;
        Grad = null;
        return this;
    }

    /// <summary>Makes every number zero.</summary>
    internal void Clear()
    {
        NativeMemory.Clear(Data, (nuint)(Count * DType.Size()));
        GC.KeepAlive(this);
    }

    // Tensors of an arena are used again and again, so that a warm decoding step allocates nothing.
    internal Tensor Become(Shape shape, DType type, byte* data, object? owner)
    {
        Shape = shape;
        DType = type;
        Data = data;
        _owner = owner;
        return this;
    }

    private int InSpan(long count) => count <= int.MaxValue ? (int)count
        : throw new InvalidOperationException($"a tensor of {Shape} is too large for one span: go through its rows");

    [DoesNotReturn]
    private float* ThrowNotFloat() => throw new InvalidOperationException($"the tensor is stored as {DType}, not F32");
}
