using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

/// <summary>
/// The rows of one key head in a packed batch: for queries, those of all heads of its group, position by position, so that they share each
/// key and lie close to each other under the causal mask; for keys, one row a position.
/// </summary>
internal readonly unsafe struct HeadRows(float* first, int group, int positionStride, int headDim)
{
    /// <summary>Row <paramref name="index"/> = position · group + head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal float* At(int index)
    {
        if (group == 1)
            return first + (long)index * positionStride;
        int position = (int)((uint)index / (uint)group);
        return first + (long)position * positionStride + (index - position * group) * headDim;
    }
}

/// <summary>Copies between the rows of a batch and the layouts that the tiles read.</summary>
internal static unsafe class AttentionPacking
{
    /// <summary>to[d, i] = from[first + i, d] · factor for i below <paramref name="count"/>, zero up to <paramref name="width"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Transpose(in HeadRows from, int first, int count, int width, int headDim, float factor, float* to, int stride)
    {
        if (count < width)
            new Span<float>(to, (headDim - 1) * stride + width).Clear();
        int i = 0;
        if (Sse.IsSupported)
        {
            for (; i + 4 <= count; i += 4)
            {
                int row = first + i;
                TransposeFour(from.At(row), from.At(row + 1), from.At(row + 2), from.At(row + 3), headDim, factor, to + i, stride);
            }
        }
        for (; i < count; i++)
        {
            float* row = from.At(first + i);
            for (int d = 0; d < headDim; d++)
                to[d * stride + i] = row[d] * factor;
        }
    }

    /// <summary>Transposed panels of twelve rows each, as the tiles read a left factor; the last panel is filled up with zeros.</summary>
    internal static void Panels(in HeadRows from, int first, int count, int headDim, float* to)
    {
        for (int i = 0; i < count; i += 12, to += 12 * headDim)
            Transpose(from, first + i, Math.Min(12, count - i), 12, headDim, 1, to, 12);
    }

    /// <summary>to[i, d] = from[first + i, d], zero from headDim up to <paramref name="stride"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Copy(in HeadRows from, int first, int count, int headDim, float* to, int stride)
    {
        for (int i = 0; i < count; i++, to += stride)
        {
            // Rows are short: a call that copies memory would cost more than the copy.
            float* row = from.At(first + i);
            int d = 0;
            for (; d + 8 <= headDim; d += 8)
                Vector256.Load(row + d).Store(to + d);
            for (; d < headDim; d++)
                to[d] = row[d];
            for (; d < stride; d++)
                to[d] = 0;
        }
    }

    /// <summary>to[first + i, d] = from[d, i] for i below <paramref name="count"/>, or added to it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void TransposeBack(float* from, int stride, in HeadRows to, int first, int count, int headDim, bool add)
    {
        int i = 0;
        if (Sse.IsSupported)
        {
            for (; i + 4 <= count; i += 4)
            {
                int row = first + i;
                TransposeBackFour(from + i, stride, to.At(row), to.At(row + 1), to.At(row + 2), to.At(row + 3), headDim, add);
            }
        }
        for (; i < count; i++)
        {
            float* row = to.At(first + i);
            for (int d = 0; d < headDim; d++)
                row[d] = from[d * stride + i] + (add ? row[d] : 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFour(float* r0, float* r1, float* r2, float* r3, int headDim, float factor, float* to, int stride)
    {
        int d = 0;
        if (Avx512F.IsSupported)
        {
            Vector512<float> scale16 = Vector512.Create(factor);
            for (; d + 16 <= headDim; d += 16, to += 16 * stride)
            {
                Vector512<float> a = Vector512.Load(r0 + d) * scale16, b = Vector512.Load(r1 + d) * scale16;
                Vector512<float> c = Vector512.Load(r2 + d) * scale16, e = Vector512.Load(r3 + d) * scale16;
                Vector512<float> ab = Avx512F.UnpackLow(a, b), ce = Avx512F.UnpackLow(c, e);
                Vector512<float> abHigh = Avx512F.UnpackHigh(a, b), ceHigh = Avx512F.UnpackHigh(c, e);
                StoreQuarters(Avx512F.Shuffle(ab, ce, 0b01_00_01_00), to, stride);
                StoreQuarters(Avx512F.Shuffle(ab, ce, 0b11_10_11_10), to + stride, stride);
                StoreQuarters(Avx512F.Shuffle(abHigh, ceHigh, 0b01_00_01_00), to + 2 * stride, stride);
                StoreQuarters(Avx512F.Shuffle(abHigh, ceHigh, 0b11_10_11_10), to + 3 * stride, stride);
            }
        }
        Vector128<float> scale = Vector128.Create(factor);
        for (; d + 4 <= headDim; d += 4)
        {
            Vector128<float> a = Vector128.Load(r0 + d) * scale, b = Vector128.Load(r1 + d) * scale;
            Vector128<float> c = Vector128.Load(r2 + d) * scale, e = Vector128.Load(r3 + d) * scale;
            Vector128<float> ab = Sse.UnpackLow(a, b), ce = Sse.UnpackLow(c, e);
            Vector128<float> abHigh = Sse.UnpackHigh(a, b), ceHigh = Sse.UnpackHigh(c, e);
            Sse.MoveLowToHigh(ab, ce).Store(to);
            Sse.MoveHighToLow(ce, ab).Store(to + stride);
            Sse.MoveLowToHigh(abHigh, ceHigh).Store(to + 2 * stride);
            Sse.MoveHighToLow(ceHigh, abHigh).Store(to + 3 * stride);
            to += 4 * stride;
        }
        for (; d < headDim; d++, to += stride)
            (to[0], to[1], to[2], to[3]) = (r0[d] * factor, r1[d] * factor, r2[d] * factor, r3[d] * factor);
    }

    // Quarter i holds column 4·i of the four rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreQuarters(Vector512<float> quarters, float* to, int stride)
    {
        quarters.GetLower().GetLower().Store(to);
        quarters.GetLower().GetUpper().Store(to + 4 * stride);
        quarters.GetUpper().GetLower().Store(to + 8 * stride);
        quarters.GetUpper().GetUpper().Store(to + 12 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeBackFour(float* from, int stride, float* r0, float* r1, float* r2, float* r3, int headDim, bool add)
    {
        int d = 0;
        for (; d + 4 <= headDim; d += 4, from += 4 * stride)
        {
            Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + stride);
            Vector128<float> c = Vector128.Load(from + 2 * stride), e = Vector128.Load(from + 3 * stride);
            Vector128<float> ab = Sse.UnpackLow(a, b), ce = Sse.UnpackLow(c, e);
            Vector128<float> abHigh = Sse.UnpackHigh(a, b), ceHigh = Sse.UnpackHigh(c, e);
            Vector128<float> q0 = Sse.MoveLowToHigh(ab, ce), q1 = Sse.MoveHighToLow(ce, ab);
            Vector128<float> q2 = Sse.MoveLowToHigh(abHigh, ceHigh), q3 = Sse.MoveHighToLow(ceHigh, abHigh);
            if (add)
            {
                q0 += Vector128.Load(r0 + d);
                q1 += Vector128.Load(r1 + d);
                q2 += Vector128.Load(r2 + d);
                q3 += Vector128.Load(r3 + d);
            }
            q0.Store(r0 + d);
            q1.Store(r1 + d);
            q2.Store(r2 + d);
            q3.Store(r3 + d);
        }
        for (; d < headDim; d++, from += stride)
        {
            r0[d] = from[0] + (add ? r0[d] : 0);
            r1[d] = from[1] + (add ? r1[d] : 0);
            r2[d] = from[2] + (add ? r2[d] : 0);
            r3[d] = from[3] + (add ? r3[d] : 0);
        }
    }
}
