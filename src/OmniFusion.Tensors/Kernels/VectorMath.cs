using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OmniFusion.Tensors;

/// <summary>Functions of 16 numbers at once. On a processor without AVX-512 the runtime splits them into two or four narrower ones.</summary>
internal static class VectorMath
{
    /// <summary>Numbers in a vector.</summary>
    internal const int Width = 16;

    /// <summary>1 / (1 + exp(−x)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Vector512.Exp(-x));

    /// <summary>
    /// Φ(x), the normal distribution function, and exp(−x²/2). The complementary error function is exp(−z²)·P(t), t = 1/(1 + 0.4 z), in the
    /// form of Abramowitz and Stegun 7.1.26 with a polynomial of degree 8 fitted at Chebyshev points: 3e-9 off before rounding.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector512<float> Phi, Vector512<float> Bell) Normal(Vector512<float> x)
    {
        Vector512<float> z = Vector512.Abs(x) * Vector512.Create(0.70710678118654752f);
        Vector512<float> t = Vector512<float>.One / Vector512.FusedMultiplyAdd(z, Vector512.Create(0.4f), Vector512<float>.One);
        Vector512<float> p = Vector512.Create(0.08594177789f);
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(-0.4552982735f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.8203497357f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(-0.544267685f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.5391239188f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.07736977996f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.2545581834f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.2220210104f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.0002015552771f));
        Vector512<float> bell = Vector512.Exp(-(z * z));
        Vector512<float> tail = p * bell * Vector512.Create(0.5f);
        return (Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), tail, Vector512<float>.One - tail), bell);
    }

    /// <summary>Loads up to 16 numbers; the rest is zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe Vector512<float> LoadPart(float* from, long count)
    {
        if (count >= Width)
            return Vector512.Load(from);
        Vector512<float> part = Vector512<float>.Zero;
        Buffer.MemoryCopy(from, &part, 64, count * sizeof(float));
        return part;
    }

    /// <summary>Stores the first <paramref name="count"/> of 16 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe void StorePart(Vector512<float> value, float* to, long count)
    {
        if (count >= Width)
            value.Store(to);
        else
            Buffer.MemoryCopy(&value, to, count * sizeof(float), count * sizeof(float));
    }
}
