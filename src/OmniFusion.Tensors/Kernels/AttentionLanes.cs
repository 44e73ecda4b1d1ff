using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

/// <summary>
/// The vector arithmetic that attention needs, for one width of vector; the compiler makes a copy of each kernel for each.
/// </summary>
internal unsafe interface ILanes<V>
    where V : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Width { get; }

    /// <summary>Whether there are registers for 24 accumulators.</summary>
    static abstract bool ManyRegisters { get; }

    static abstract V Load(float* from);

    static abstract void Store(V value, float* to);

    static abstract V Broadcast(float value);

    static abstract V Add(V a, V b);

    static abstract V Subtract(V a, V b);

    static abstract V Multiply(V a, V b);

    /// <summary>a·b + c.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>The larger; NaN where <paramref name="b"/> is NaN.</summary>
    static abstract V Max(V a, V b);

    static abstract V Divide(V a, V b);

    static abstract V Log(V a);

    /// <summary>2 to the power x for x not above 127, to about one unit in the last place; zero below −126 or a little later.</summary>
    static abstract V Exp2(V x);

    /// <summary><paramref name="yes"/> where a is at least b, otherwise <paramref name="no"/>.</summary>
    static abstract V WhereAtLeast(V a, V b, V yes, V no);

    static abstract float Sum(V a);

    /// <summary>The four sums, to consecutive places.</summary>
    static abstract void StoreSums(V a, V b, V c, V d, float* to);

    /// <summary>The largest lane.</summary>
    static abstract float Largest(V a);
}

/// <summary>2^f on [−1/2, 1/2] through the Chebyshev nodes of degree 6; relative error 2.6e-9.</summary>
internal static class Exp2Polynomial
{
    internal const float C1 = 0.6931472067f, C2 = 0.2402265092f, C3 = 0.0555032723f, C4 = 0.00961805668f, C5 = 0.00134004282f,
        C6 = 0.000154614447f;
}

/// <summary>Sixteen lanes (AVX-512).</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    public static int Width => 16;

    public static bool ManyRegisters => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* from) => Vector512.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Avx512F.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> a) => Vector512.Log(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> x)
    {
        x = Max(Vector512.Create(-200f), x);
        Vector512<float> whole = Vector512.Round(x);
        Vector512<float> f = x - whole;
        Vector512<float> p = MultiplyAdd(Vector512.Create(Exp2Polynomial.C6), f, Vector512.Create(Exp2Polynomial.C5));
        p = MultiplyAdd(p, f, Vector512.Create(Exp2Polynomial.C4));
        p = MultiplyAdd(p, f, Vector512.Create(Exp2Polynomial.C3));
        p = MultiplyAdd(p, f, Vector512.Create(Exp2Polynomial.C2));
        p = MultiplyAdd(p, f, Vector512.Create(Exp2Polynomial.C1));
        p = MultiplyAdd(p, f, Vector512<float>.One);
        return Avx512F.Scale(p, whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WhereAtLeast(Vector512<float> a, Vector512<float> b, Vector512<float> yes, Vector512<float> no) =>
        Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(a, b), yes, no);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> a) => Vector512.Sum(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* to)
    {
        // In every quarter: pairs, then fours; then the quarters.
        Vector512<float> ab = Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b);
        Vector512<float> cd = Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d);
        Vector512<float> four = Avx512F.Shuffle(ab, cd, 0b01_00_01_00) + Avx512F.Shuffle(ab, cd, 0b11_10_11_10);
        Vector256<float> half = four.GetLower() + four.GetUpper();
        (half.GetLower() + half.GetUpper()).Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> a) => Lanes256.Largest(Lanes256.Max(a.GetLower(), a.GetUpper()));
}

/// <summary>Eight lanes: AVX2, or pairs of four on other processors.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector256<float>>
{
    public static int Width => 8;

    public static bool ManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* from) => Vector256.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Avx.IsSupported ? Avx.Max(a, b) : Vector256.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Log(Vector256<float> a) => Vector256.Log(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp2(Vector256<float> x)
    {
        Vector256<float> tooSmall = Vector256.LessThan(x, Vector256.Create(-126f));
        x = Max(Vector256.Create(-126f), x);
        Vector256<float> whole = Vector256.Round(x);
        Vector256<float> f = x - whole;
        Vector256<float> p = MultiplyAdd(Vector256.Create(Exp2Polynomial.C6), f, Vector256.Create(Exp2Polynomial.C5));
        p = MultiplyAdd(p, f, Vector256.Create(Exp2Polynomial.C4));
        p = MultiplyAdd(p, f, Vector256.Create(Exp2Polynomial.C3));
        p = MultiplyAdd(p, f, Vector256.Create(Exp2Polynomial.C2));
        p = MultiplyAdd(p, f, Vector256.Create(Exp2Polynomial.C1));
        p = MultiplyAdd(p, f, Vector256<float>.One);
        // Adding to the exponent bits; NaN stays NaN because its conversion gives zero.
        Vector256<int> exponent = Vector256.ConvertToInt32(whole) << 23;
        return Vector256.AndNot((p.AsInt32() + exponent).AsSingle(), tooSmall);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> WhereAtLeast(Vector256<float> a, Vector256<float> b, Vector256<float> yes, Vector256<float> no) =>
        Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(a, b), yes, no);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> a) => Vector256.Sum(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, float* to)
    {
        if (!Avx.IsSupported)
        {
            (to[0], to[1], to[2], to[3]) = (Sum(a), Sum(b), Sum(c), Sum(d));
            return;
        }
        Vector256<float> four = Avx.HorizontalAdd(Avx.HorizontalAdd(a, b), Avx.HorizontalAdd(c, d));
        (four.GetLower() + four.GetUpper()).Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<float> a)
    {
        Vector128<float> b = Vector128.Max(a.GetLower(), a.GetUpper());
        b = Vector128.Max(b, Vector128.Shuffle(b, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(b[0], b[1]);
    }
}
