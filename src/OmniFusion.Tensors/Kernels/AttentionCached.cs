using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

/// <summary>
/// Attention of a few queries over a cache. Reading the cache is what takes the time: each row of the run is read once for all queries of
/// its group. Here the lanes of a vector are the components of a head, as the cache has them.
/// </summary>
internal static unsafe class CachedAttention<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    // What has been summed for the queries of a part: one row of components each, with a maximum and a sum.
    private struct Sums
    {
        internal float* Query, Output, Maximum, Sum, Weights, Ones;
        internal int HeadDim, Padded;
    }

    // Up to here a product by half panels of six queries would be mostly padding.
    private const int FewQueries = 2;

    private static int KeysAtOnce => 2 * L.Width;

    /// <summary>One group of query rows for one key head.</summary>
    internal static void Part(void* state, int part)
    {
        ref CachedAttentionJob job = ref *(CachedAttentionJob*)state;
        CachedGroup group = job.Groups[part / job.KvHeads];
        int kvHead = part % job.KvHeads, headDim = job.HeadDim;
        int queries = group.Count * job.Group, padded = (headDim + L.Width - 1) / L.Width * L.Width;
        int rounded = AttentionForward.RoundToSix(queries);

        AttentionScratch scratch = AttentionScratch.ForPart(
            rounded * (2L * padded + KeysAtOnce + 2) + 2L * KeysAtOnce * padded + 2 * L.Width, 8);
        Sums sums = new()
        {
            Query = scratch.Take((long)rounded * padded),
            Output = scratch.Take((long)rounded * padded),
            Maximum = scratch.Take(rounded),
            Sum = scratch.Take(rounded),
            Weights = scratch.Take((long)rounded * KeysAtOnce),
            Ones = scratch.Take(2 * L.Width),
            HeadDim = headDim,
            Padded = padded,
        };
        float* keyCopy = scratch.Take((long)KeysAtOnce * padded), valueCopy = scratch.Take((long)KeysAtOnce * padded);

        long rowOffset = (long)group.First * job.Heads * headDim + kvHead * job.Group * headDim;
        HeadRows queryRows = new(job.Q + rowOffset, job.Group, job.Heads * headDim, headDim);
        HeadRows outputRows = new(job.Y + rowOffset, job.Group, job.Heads * headDim, headDim);
        HeadRows keyRows = new(job.Keys + kvHead * headDim, 1, job.KvHeads * headDim, headDim);
        HeadRows valueRows = new(job.Values + kvHead * headDim, 1, job.KvHeads * headDim, headDim);

        AttentionPacking.Copy(queryRows, 0, queries, headDim, sums.Query, padded);
        V scale = L.Broadcast(job.Scale * AttentionJob.Log2E);
        for (int i = 0; i < queries * padded; i += L.Width)
            L.Store(L.Multiply(L.Load(sums.Query + i), scale), sums.Query + i);
        new Span<float>(sums.Output, rounded * padded).Clear();
        new Span<float>(sums.Weights, rounded * KeysAtOnce).Clear();
        new Span<float>(sums.Maximum, rounded).Fill(AttentionJob.Hidden);
        new Span<float>(sums.Sum, rounded).Clear();
        new Span<float>(sums.Ones, 2 * L.Width).Fill(1);

        int stride = job.KvHeads * headDim, end = group.Start + group.Common;
        int* singles = stackalloc int[KeysAtOnce];
        for (int first = group.Start; first < end; first += KeysAtOnce)
        {
            int count = Math.Min(KeysAtOnce, end - first);
            if (queries <= FewQueries)
            {
                Prefetch(keyRows, valueRows, first + count, Math.Min(KeysAtOnce, end - first - count), headDim);
                for (int i = 0; i < count; i++)
                    singles[i] = first + i;
                for (int query = 0; query < queries; query++)
                    Single(sums, query, keyRows, valueRows, singles, count);
                continue;
            }
            if (padded == headDim)
            {
                Prefetch(keyRows, valueRows, first + count, Math.Min(KeysAtOnce, end - first - count), headDim);
                Block(sums, queries, keyRows.At(first), valueRows.At(first), stride, count);
                continue;
            }
            AttentionPacking.Copy(keyRows, first, count, headDim, keyCopy, padded);
            AttentionPacking.Copy(valueRows, first, count, headDim, valueCopy, padded);
            Block(sums, queries, keyCopy, valueCopy, padded, count);
        }

        for (int row = 0; row < group.Count; row++)
        {
            CachedRow sees = job.Rows[group.First + row];
            int rest = sees.Length - group.Common;
            for (int at = 0; at < rest + sees.ExtraCount; at += KeysAtOnce)
            {
                int count = Math.Min(KeysAtOnce, rest + sees.ExtraCount - at);
                for (int i = 0; i < count; i++)
                    singles[i] = at + i < rest ? end + at + i : job.Extra[sees.Extra + at + i - rest];
                for (int query = row * job.Group; query < (row + 1) * job.Group; query++)
                    Single(sums, query, keyRows, valueRows, singles, count);
            }
        }

        for (int query = 0; query < queries; query++)
        {
            float* to = outputRows.At(query);
            float* from = sums.Output + query * padded;
            float inverse = sums.Sum[query] > 0 || float.IsNaN(sums.Sum[query]) ? 1 / sums.Sum[query] : 0;
            for (int d = 0; d < headDim; d++)
                to[d] = from[d] * inverse;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Prefetch(in HeadRows keys, in HeadRows values, int first, int count, int headDim)
    {
        if (!Sse.IsSupported)
            return;
        for (int i = first; i < first + count; i++)
        {
            float* key = keys.At(i), value = values.At(i);
            for (int d = 0; d < headDim; d += 16)
            {
                Sse.Prefetch1(key + d);
                Sse.Prefetch1(value + d);
            }
        }
    }

    // All queries of the part over consecutive rows.
    private static void Block(in Sums sums, int queries, float* keys, float* values, int stride, int count)
    {
        Scores(sums, queries, keys, stride, count);
        for (int query = 0; query < queries; query++)
            Softmax(sums, query, count);
        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.ScoreRows>(queries, sums.Padded / L.Width, sums.Weights, 12 * KeysAtOnce, 1,
            values, stride, count, sums.Ones, sums.Output, sums.Padded);
    }

    // Four keys at a time, so that four sums over the lanes are taken together; two queries, so that a key is loaded once for both.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scores(in Sums sums, int queries, float* keys, int stride, int count)
    {
        int padded = sums.Padded;
        for (int j = 0; j < count; j += 4)
        {
            // The last rows stand in for those beyond the end; what they give is overwritten before it counts.
            float* k0 = keys + (long)j * stride, k1 = keys + (long)Math.Min(j + 1, count - 1) * stride;
            float* k2 = keys + (long)Math.Min(j + 2, count - 1) * stride, k3 = keys + (long)Math.Min(j + 3, count - 1) * stride;
            for (int query = 0; query < queries; query += 2)
            {
                float* q = sums.Query + query * padded, next = query + 1 < queries ? q + padded : q;
                float* to = sums.Weights + query * KeysAtOnce + j;
                V s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
                for (int d = 0; d < padded; d += L.Width)
                {
                    V a = L.Load(q + d), b = L.Load(next + d), k = L.Load(k0 + d);
                    s0 = L.MultiplyAdd(a, k, s0);
                    t0 = L.MultiplyAdd(b, k, t0);
                    k = L.Load(k1 + d);
                    s1 = L.MultiplyAdd(a, k, s1);
                    t1 = L.MultiplyAdd(b, k, t1);
                    k = L.Load(k2 + d);
                    s2 = L.MultiplyAdd(a, k, s2);
                    t2 = L.MultiplyAdd(b, k, t2);
                    k = L.Load(k3 + d);
                    s3 = L.MultiplyAdd(a, k, s3);
                    t3 = L.MultiplyAdd(b, k, t3);
                }
                L.StoreSums(s0, s1, s2, s3, to);
                if (query + 1 < queries)
                    L.StoreSums(t0, t1, t2, t3, to + KeysAtOnce);
            }
        }
    }

    // One query over single rows.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Single(in Sums sums, int query, in HeadRows keys, in HeadRows values, int* rows, int count)
    {
        int headDim = sums.HeadDim, whole = headDim / L.Width * L.Width;
        float* q = sums.Query + query * sums.Padded;
        float* weights = sums.Weights + query * KeysAtOnce;
        float* output = sums.Output + query * sums.Padded;
        for (int j = 0; j < count; j += 4)
        {
            float* k0 = keys.At(rows[j]), k1 = keys.At(rows[Math.Min(j + 1, count - 1)]);
            float* k2 = keys.At(rows[Math.Min(j + 2, count - 1)]), k3 = keys.At(rows[Math.Min(j + 3, count - 1)]);
            V s0 = default, s1 = default, s2 = default, s3 = default;
            for (int at = 0; at < whole; at += L.Width)
            {
                V a = L.Load(q + at);
                s0 = L.MultiplyAdd(a, L.Load(k0 + at), s0);
                s1 = L.MultiplyAdd(a, L.Load(k1 + at), s1);
                s2 = L.MultiplyAdd(a, L.Load(k2 + at), s2);
                s3 = L.MultiplyAdd(a, L.Load(k3 + at), s3);
            }
            float* to = weights + j;
            L.StoreSums(s0, s1, s2, s3, to);
            for (int at = whole; at < headDim; at++)
            {
                to[0] += q[at] * k0[at];
                to[1] += q[at] * k1[at];
                to[2] += q[at] * k2[at];
                to[3] += q[at] * k3[at];
            }
        }
        Softmax(sums, query, count);

        int d = 0;
        for (; d + 4 * L.Width <= headDim; d += 4 * L.Width)
        {
            float* o = output + d;
            V o0 = L.Load(o), o1 = L.Load(o + L.Width), o2 = L.Load(o + 2 * L.Width), o3 = L.Load(o + 3 * L.Width);
            for (int j = 0; j < count; j++)
            {
                float* value = values.At(rows[j]) + d;
                V weight = L.Broadcast(weights[j]);
                o0 = L.MultiplyAdd(weight, L.Load(value), o0);
                o1 = L.MultiplyAdd(weight, L.Load(value + L.Width), o1);
                o2 = L.MultiplyAdd(weight, L.Load(value + 2 * L.Width), o2);
                o3 = L.MultiplyAdd(weight, L.Load(value + 3 * L.Width), o3);
            }
            L.Store(o0, o);
            L.Store(o1, o + L.Width);
            L.Store(o2, o + 2 * L.Width);
            L.Store(o3, o + 3 * L.Width);
        }
        for (; d + L.Width <= headDim; d += L.Width)
        {
            V sum = L.Load(output + d);
            for (int j = 0; j < count; j++)
                sum = L.MultiplyAdd(L.Broadcast(weights[j]), L.Load(values.At(rows[j]) + d), sum);
            L.Store(sum, output + d);
        }
        for (; d < headDim; d++)
        {
            for (int j = 0; j < count; j++)
                output[d] += weights[j] * values.At(rows[j])[d];
        }
    }

    // Scores of one query become weights relative to its new maximum, and what it has summed so far is brought to that.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Softmax(in Sums sums, int query, int count)
    {
        float* scores = sums.Weights + query * KeysAtOnce;
        new Span<float>(scores + count, KeysAtOnce - count).Fill(2 * AttentionJob.Hidden);
        V low = L.Load(scores), high = L.Load(scores + L.Width);
        float before = sums.Maximum[query];
        float most = MathF.Max(before, L.Largest(L.Max(low, high)));
        if (most != before)
        {
            V factor = L.Exp2(L.Broadcast(before - most));
            float* output = sums.Output + query * sums.Padded;
            for (int d = 0; d < sums.Padded; d += L.Width)
                L.Store(L.Multiply(L.Load(output + d), factor), output + d);
            sums.Sum[query] *= L.Sum(factor) / L.Width;
            sums.Maximum[query] = most;
        }
        V maximum = L.Broadcast(most);
        low = L.Exp2(L.Subtract(low, maximum));
        high = L.Exp2(L.Subtract(high, maximum));
        L.Store(low, scores);
        L.Store(high, scores + L.Width);
        sums.Sum[query] += L.Sum(L.Add(low, high));
    }
}
