using System.Runtime.CompilerServices;

namespace OmniFusion.Tensors;

/// <summary>Sizes of the backward pass.</summary>
internal static class AttentionBackward
{
    /// <summary>Queries for which a block of keys is packed once.</summary>
    internal const int QueriesAtOnce = 128;

    /// <summary>Keys of a block. A multiple of twelve.</summary>
    internal const int KeysAtOnce = 96;
}

/// <summary>
/// Gradients of attention by blocks: the weights are computed again from the queries, keys and the logarithm of their sum
/// (Dao et al. 2022, algorithm 4). The lanes are queries, as in the forward pass.
/// </summary>
internal static unsafe class AttentionBackward<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    // One tile of queries: transposed for the scores, row by row for the sums over queries.
    private struct Tile
    {
        internal float* QueryT, GradT, Query, Grad, QueryGradT, LogSumExp, Delta, Position;
        internal int First, Count, Vectors, FirstRow, LastRow;
        internal bool Started;
    }

    private static int TileWidth => 2 * L.Width;

    /// <summary>All gradients of a segment and key head.</summary>
    internal static void Whole(void* state, int part)
    {
        ref AttentionJob job = ref *(AttentionJob*)state;
        AttentionPiece piece = job.Piece(part);
        Run(job, piece.FirstRow, piece.Rows, job.KvHead(part), 0, piece.Rows * job.Group, 0, piece.Rows, job.Dq, job.Dk, job.Dv);
    }

    /// <summary>The gradient of some queries of a segment and key head.</summary>
    internal static void Queries(void* state, int part)
    {
        ref AttentionJob job = ref *(AttentionJob*)state;
        AttentionPiece piece = job.Piece(part);
        Run(job, piece.FirstRow, piece.Rows, job.KvHead(part), piece.From, piece.To, 0, piece.Rows, job.Dq, null, null);
    }

    /// <summary>The gradients of some keys and values of a segment and key head.</summary>
    internal static void Keys(void* state, int part)
    {
        ref AttentionJob job = ref *(AttentionJob*)state;
        AttentionPiece piece = job.Piece(part);
        // Pieces begin at whole tiles wherever they begin, so that sums over queries are taken in the same groups.
        int firstQuery = job.Causal ? piece.From * job.Group / TileWidth * TileWidth : 0;
        Run(job, piece.FirstRow, piece.Rows, job.KvHead(part), firstQuery, piece.Rows * job.Group, piece.From, piece.To, null, job.Dk,
            job.Dv);
    }

    private static void Run(in AttentionJob job, int firstRow, int rows, int kvHead, int queryFrom, int queryTo, int keyFrom, int keyTo,
        float* dq, float* dk, float* dv)
    {
        int headDim = job.HeadDim, group = job.Group;
        int outputs = AttentionForward.RoundToSix(headDim);
        int vectors = (headDim + L.Width - 1) / L.Width, padded = vectors * L.Width;
        const int KeysAtOnce = AttentionBackward.KeysAtOnce;
        int superTile = Math.Min(AttentionBackward.QueriesAtOnce, (queryTo - queryFrom + TileWidth - 1) / TileWidth * TileWidth);
        int tileCount = superTile / TileWidth;
        int keyCount = AttentionForward.RoundToSix(keyTo - keyFrom);

        long perTile = (long)(2 * headDim + 2 * padded + outputs + 3) * TileWidth;
        AttentionScratch scratch = AttentionScratch.ForPart(
            tileCount * perTile + KeysAtOnce * (2L * headDim + outputs + 2 * TileWidth + 6) + TileWidth + 2L * keyCount * padded,
            8 + 8 * tileCount);
        float* keys = scratch.Take(KeysAtOnce * headDim);
        float* values = scratch.Take(KeysAtOnce * headDim);
        float* keysByRow = scratch.Take((KeysAtOnce + 6) * outputs);
        float* weights = scratch.Take(KeysAtOnce * TileWidth);
        float* gradients = scratch.Take(KeysAtOnce * TileWidth);
        float* ones = scratch.Take(TileWidth);
        float* keyGrad = scratch.Take((long)keyCount * padded);
        float* valueGrad = scratch.Take((long)keyCount * padded);
        new Span<float>(ones, TileWidth).Fill(1);
        new Span<float>(keyGrad, keyCount * padded).Clear();
        new Span<float>(valueGrad, keyCount * padded).Clear();

        Tile* tiles = stackalloc Tile[tileCount];
        for (int t = 0; t < tileCount; t++)
        {
            tiles[t] = new Tile
            {
                QueryT = scratch.Take(headDim * TileWidth),
                GradT = scratch.Take(headDim * TileWidth),
                Query = scratch.Take(padded * TileWidth),
                Grad = scratch.Take(padded * TileWidth),
                QueryGradT = scratch.Take(outputs * TileWidth),
                LogSumExp = scratch.Take(TileWidth),
                Delta = scratch.Take(TileWidth),
                Position = scratch.Take(TileWidth),
            };
        }

        HeadRows keyRows = job.KeyRows(job.K, firstRow, kvHead), valueRows = job.KeyRows(job.V, firstRow, kvHead);
        for (int super = queryFrom; super < queryTo; super += superTile)
        {
            int used = (Math.Min(superTile, queryTo - super) + TileWidth - 1) / TileWidth;
            for (int t = 0; t < used; t++)
            {
                int first = super + t * TileWidth;
                Fill(ref tiles[t], job, firstRow, kvHead, first, Math.Min(TileWidth, queryTo - first), padded);
            }
            int visible = job.Causal ? Math.Min(keyTo, tiles[used - 1].LastRow + 1) : keyTo;
            for (int first = keyFrom; first < visible; first += KeysAtOnce)
            {
                int count = Math.Min(KeysAtOnce, visible - first);
                AttentionPacking.Panels(keyRows, first, count, headDim, keys);
                AttentionPacking.Panels(valueRows, first, count, headDim, values);
                if (dq != null)
                    AttentionPacking.Copy(keyRows, first, count, headDim, keysByRow, outputs);
                for (int t = 0; t < used; t++)
                {
                    ref Tile tile = ref tiles[t];
                    int seen = job.Causal ? Math.Min(count, tile.LastRow + 1 - first) : count;
                    if (seen <= 0)
                        continue;
                    Weights(tile, first, seen, job, keys, values, weights, gradients);
                    if (dv != null)
                    {
                        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.ScoreRows>(seen, vectors, weights, 12 * TileWidth, 1,
                            tile.Grad, padded, tile.Count, ones, valueGrad + (long)(first - keyFrom) * padded, padded);
                    }
                    if (dk != null)
                    {
                        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.ScoreRows>(seen, vectors, gradients, 12 * TileWidth, 1,
                            tile.Query, padded, tile.Count, ones, keyGrad + (long)(first - keyFrom) * padded, padded);
                    }
                    if (dq != null)
                    {
                        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.Interleaved>(headDim, tile.Vectors, keysByRow, 12, outputs,
                            gradients, TileWidth, seen, tile.Started ? ones : null, tile.QueryGradT, TileWidth);
                        tile.Started = true;
                    }
                }
            }
            if (dq == null)
                continue;
            HeadRows queryGradRows = job.QueryRows(dq, firstRow, kvHead);
            foreach (ref Tile tile in new Span<Tile>(tiles, used))
                AttentionPacking.TransposeBack(tile.QueryGradT, TileWidth, queryGradRows, tile.First, tile.Count, headDim, add: true);
        }
        if (dk != null)
            AddRows(keyGrad, padded, job.KeyRows(dk, firstRow, kvHead), keyFrom, keyTo, headDim);
        if (dv != null)
            AddRows(valueGrad, padded, job.KeyRows(dv, firstRow, kvHead), keyFrom, keyTo, headDim);
    }

    private static void Fill(ref Tile tile, in AttentionJob job, int firstRow, int kvHead, int first, int count, int padded)
    {
        int headDim = job.HeadDim, group = job.Group;
        HeadRows queries = job.QueryRows(job.Q, firstRow, kvHead), grads = job.QueryRows(job.Dy, firstRow, kvHead);
        HeadRows outputs = job.QueryRows(job.Y, firstRow, kvHead);
        tile.First = first;
        tile.Count = count;
        tile.Vectors = count > L.Width ? 2 : 1;
        tile.FirstRow = first / group;
        tile.LastRow = (first + count - 1) / group;
        tile.Started = false;
        AttentionPacking.Transpose(queries, first, count, TileWidth, headDim, job.Scale * AttentionJob.Log2E, tile.QueryT, TileWidth);
        AttentionPacking.Transpose(grads, first, count, TileWidth, headDim, 1, tile.GradT, TileWidth);
        AttentionPacking.Copy(queries, first, count, headDim, tile.Query, padded);
        AttentionPacking.Copy(grads, first, count, headDim, tile.Grad, padded);
        float* logSumExp = job.LogSumExp + (long)(firstRow + tile.FirstRow) * job.Heads + kvHead * group;
        for (int lane = 0, row = tile.FirstRow, head = first % group; lane < TileWidth; lane++)
        {
            tile.Position[lane] = row;
            tile.LogSumExp[lane] = lane < count ? logSumExp[head] * AttentionJob.Log2E : 0;
            tile.Delta[lane] = lane < count ? Dot(tile.Grad + lane * padded, outputs.At(first + lane), headDim) : 0;
            if (++head < group)
                continue;
            head = 0;
            row++;
            logSumExp += job.Heads;
        }
    }

    // The weights, and the gradients of the scores times the scale, of one tile and block; zero in the rows that fill up a half panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weights(in Tile tile, int firstKey, int count, in AttentionJob job, float* keys, float* values, float* weights,
        float* gradients)
    {
        int headDim = job.HeadDim;
        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.Interleaved>(
            count, tile.Vectors, keys, 12 * headDim, 12, tile.QueryT, TileWidth, headDim, null, weights, TileWidth);
        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.Interleaved>(
            count, tile.Vectors, values, 12 * headDim, 12, tile.GradT, TileWidth, headDim, null, gradients, TileWidth);
        if (job.Causal)
            AttentionMask<L, V>.Hide(weights, Math.Max(tile.FirstRow + 1 - firstKey, 0), count, firstKey, tile.Position, tile.Vectors);
        V scale = L.Broadcast(job.Scale);
        for (int lanes = 0; lanes < tile.Vectors * L.Width; lanes += L.Width)
        {
            V logSumExp = L.Load(tile.LogSumExp + lanes), delta = L.Load(tile.Delta + lanes);
            for (int at = lanes; at < count * TileWidth; at += TileWidth)
            {
                V weight = L.Exp2(L.Subtract(L.Load(weights + at), logSumExp));
                L.Store(weight, weights + at);
                L.Store(L.Multiply(L.Multiply(weight, scale), L.Subtract(L.Load(gradients + at), delta)), gradients + at);
            }
        }
        int filled = (AttentionForward.RoundToSix(count) - count) * TileWidth;
        new Span<float>(weights + count * TileWidth, filled).Clear();
        new Span<float>(gradients + count * TileWidth, filled).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* a, float* b, int length)
    {
        V sum = L.Broadcast(0);
        int i = 0;
        for (; i + L.Width <= length; i += L.Width)
            sum = L.MultiplyAdd(L.Load(a + i), L.Load(b + i), sum);
        float total = L.Sum(sum);
        for (; i < length; i++)
            total += a[i] * b[i];
        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRows(float* from, int stride, in HeadRows to, int first, int end, int headDim)
    {
        for (int i = first; i < end; i++, from += stride)
        {
            float* row = to.At(i);
            int d = 0;
            for (; d + L.Width <= headDim; d += L.Width)
                L.Store(L.Add(L.Load(row + d), L.Load(from + d)), row + d);
            for (; d < headDim; d++)
                row[d] += from[d];
        }
    }
}
