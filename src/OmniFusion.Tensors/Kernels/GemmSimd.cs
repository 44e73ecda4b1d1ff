using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

/// <summary>Vector instructions that the matrix products use.</summary>
internal enum GemmPath
{
    /// <summary>Whatever <see cref="Vector{T}"/> is on this processor.</summary>
    Portable,

    /// <summary>Vectors of 8 numbers and fused multiply-add.</summary>
    Avx2,

    /// <summary>Vectors of 16 numbers and 32 registers.</summary>
    Avx512,
}

/// <summary>The caches of the processor.</summary>
internal static unsafe class Cache
{
    /// <summary>Bytes that it reads at once.</summary>
    internal const int Line = 64;

    /// <summary>Asks for the line at an address, which may be any; does nothing on processors that cannot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Fetch(void* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }
}

/// <summary>How many rows a kernel computes at once: a constant to the compiler, which removes the code of the others.</summary>
internal interface IRows
{
    static abstract int Count { get; }
}

internal readonly struct Rows1 : IRows { public static int Count => 1; }
internal readonly struct Rows2 : IRows { public static int Count => 2; }
internal readonly struct Rows3 : IRows { public static int Count => 3; }
internal readonly struct Rows4 : IRows { public static int Count => 4; }
internal readonly struct Rows5 : IRows { public static int Count => 5; }
internal readonly struct Rows6 : IRows { public static int Count => 6; }
internal readonly struct Rows8 : IRows { public static int Count => 8; }
internal readonly struct Rows10 : IRows { public static int Count => 10; }
internal readonly struct Rows12 : IRows { public static int Count => 12; }
internal readonly struct Rows14 : IRows { public static int Count => 14; }

/// <summary>Reads numbers of one <see cref="DType"/> as single precision.</summary>
internal unsafe interface IStored
{
    static abstract int Size { get; }

    static abstract float Load(byte* from);

    static abstract Vector128<float> Load128(byte* from);

    static abstract Vector256<float> Load256(byte* from);

    static abstract Vector512<float> Load512(byte* from);
}

/// <summary><see cref="DType.F32"/>.</summary>
internal readonly unsafe struct StoredF32 : IStored
{
    public static int Size => 4;

    public static float Load(byte* from) => Unsafe.ReadUnaligned<float>(from);

    public static Vector128<float> Load128(byte* from) => Vector128.Load((float*)from);

    public static Vector256<float> Load256(byte* from) => Vector256.Load((float*)from);

    public static Vector512<float> Load512(byte* from) => Vector512.Load((float*)from);
}

/// <summary><see cref="DType.BF16"/>: the upper half of a single.</summary>
internal readonly unsafe struct StoredBF16 : IStored
{
    public static int Size => 2;

    public static float Load(byte* from) => BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(from) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load128(byte* from) =>
        (Vector128.WidenLower(Vector64.Load((ushort*)from).ToVector128Unsafe()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* from) =>
        (Vector256.WidenLower(Vector128.Load((ushort*)from).ToVector256Unsafe()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* from) =>
        (Vector512.WidenLower(Vector256.Load((ushort*)from).ToVector512Unsafe()) << 16).AsSingle();
}

/// <summary>
/// <see cref="DType.F16"/>: the fraction and exponent bits moved to their places in a single make a number 2¹¹² too small, subnormal
/// numbers included; infinity and NaN get their exponent back.
/// </summary>
internal readonly unsafe struct StoredF16 : IStored
{
    private const int Infinity = 0x7C00;
    private const float Rebias = 5.192296858534828e33f;

    public static int Size => 2;

    public static float Load(byte* from) => (float)BitConverter.UInt16BitsToHalf(Unsafe.ReadUnaligned<ushort>(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load128(byte* from)
    {
        Vector128<uint> half = Vector128.WidenLower(Vector64.Load((ushort*)from).ToVector128Unsafe());
        Vector128<uint> magnitude = half & Vector128.Create(0x7FFFu);
        Vector128<uint> number = ((magnitude << 13).AsSingle() * Rebias).AsUInt32();
        Vector128<uint> special = Vector128.GreaterThanOrEqual(magnitude.AsInt32(), Vector128.Create(Infinity)).AsUInt32();
        number |= special & Vector128.Create(0x7F800000u);
        return (number | ((half ^ magnitude) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* from)
    {
        Vector256<uint> half = Vector256.WidenLower(Vector128.Load((ushort*)from).ToVector256Unsafe());
        Vector256<uint> magnitude = half & Vector256.Create(0x7FFFu);
        Vector256<uint> number = ((magnitude << 13).AsSingle() * Rebias).AsUInt32();
        Vector256<uint> special = Vector256.GreaterThanOrEqual(magnitude.AsInt32(), Vector256.Create(Infinity)).AsUInt32();
        number |= special & Vector256.Create(0x7F800000u);
        return (number | ((half ^ magnitude) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* from)
    {
        Vector512<uint> half = Vector512.WidenLower(Vector256.Load((ushort*)from).ToVector512Unsafe());
        Vector512<uint> magnitude = half & Vector512.Create(0x7FFFu);
        Vector512<uint> number = ((magnitude << 13).AsSingle() * Rebias).AsUInt32();
        Vector512<uint> special = Vector512.GreaterThanOrEqual(magnitude.AsInt32(), Vector512.Create(Infinity)).AsUInt32();
        number |= special & Vector512.Create(0x7F800000u);
        return (number | ((half ^ magnitude) << 16)).AsSingle();
    }
}

/// <summary>The few vector operations of the matrix products, so that a kernel is written once for all widths.</summary>
internal unsafe interface ISimd<V>
    where V : struct
{
    static abstract int Width { get; }

    static abstract V Load<TStored>(byte* from)
        where TStored : struct, IStored;

    static abstract V Load(float* from);

    static abstract V Broadcast(float value);

    static abstract V MultiplyAdd(V a, V b, V c);

    static abstract V Add(V a, V b);

    static abstract void Store(V value, float* to);
}

/// <summary>Sixteen numbers.</summary>
internal readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    public static int Width => 16;

    public static Vector512<float> Load<TStored>(byte* from)
        where TStored : struct, IStored => TStored.Load512(from);

    public static Vector512<float> Load(float* from) => Vector512.Load(from);

    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Avx512F.FusedMultiplyAdd(a, b, c);

    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    public static void Store(Vector512<float> value, float* to) => value.Store(to);
}

/// <summary>Eight numbers.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    public static int Width => 8;

    public static Vector256<float> Load<TStored>(byte* from)
        where TStored : struct, IStored => TStored.Load256(from);

    public static Vector256<float> Load(float* from) => Vector256.Load(from);

    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fma.MultiplyAdd(a, b, c);

    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    public static void Store(Vector256<float> value, float* to) => value.Store(to);
}

/// <summary>As many numbers as <see cref="Vector{T}"/> has here.</summary>
internal readonly unsafe struct SimdPortable : ISimd<Vector<float>>
{
    public static int Width => Vector<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Load<TStored>(byte* from)
        where TStored : struct, IStored => Vector<float>.Count switch
        {
            4 => TStored.Load128(from).AsVector(),
            8 => TStored.Load256(from).AsVector(),
            _ => TStored.Load512(from).AsVector(),
        };

    public static Vector<float> Load(float* from) => Vector.Load(from);

    public static Vector<float> Broadcast(float value) => new(value);

    public static Vector<float> MultiplyAdd(Vector<float> a, Vector<float> b, Vector<float> c) => Vector.FusedMultiplyAdd(a, b, c);

    public static Vector<float> Add(Vector<float> a, Vector<float> b) => a + b;

    public static void Store(Vector<float> value, float* to) => value.Store(to);
}
