using System.Runtime.CompilerServices;

namespace OmniFusion.Tensors;

/// <summary>Sizes of the forward pass.</summary>
internal static class AttentionForward
{
    /// <summary>Queries for which a block of keys is packed once.</summary>
    internal const int QueriesOfPart = 256;

    /// <summary>Keys of a block: its scores for one tile of queries stay in the first-level cache. A multiple of twelve.</summary>
    internal const int KeysAtOnce = 96;

    /// <summary>Rounded up to whole half panels.</summary>
    internal static int RoundToSix(int rows) => (rows + 5) / 6 * 6;
}

/// <summary>
/// Attention by blocks with a running maximum and sum (Dao et al. 2022, FlashAttention; Milakov and Gimelshein 2018, online softmax).
/// Everything is transposed: the lanes of a vector are queries, so that maxima, sums and masks need nothing across lanes.
/// </summary>
internal static unsafe class AttentionForward<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    // The state of one tile of queries.
    private struct Tile
    {
        internal float* Query, Output, Maximum, Sum, Position;
        internal int First, Count, Vectors, FirstRow, LastRow;
    }

    private static int TileWidth => 2 * L.Width;

    /// <summary>One piece of the queries for one key head.</summary>
    internal static void Part(void* state, int part)
    {
        ref AttentionJob job = ref *(AttentionJob*)state;
        AttentionPiece piece = job.Piece(part);
        int kvHead = job.KvHead(part), headDim = job.HeadDim, group = job.Group;
        int outputs = AttentionForward.RoundToSix(headDim);
        int tileCount = (piece.To - piece.From + TileWidth - 1) / TileWidth;
        const int KeysAtOnce = AttentionForward.KeysAtOnce;

        long perTile = (long)(headDim + outputs + 3) * TileWidth;
        AttentionScratch scratch = AttentionScratch.ForPart(
            tileCount * perTile + KeysAtOnce * ((long)headDim + outputs + TileWidth + 6) + TileWidth, 4 + 5 * tileCount);
        float* keys = scratch.Take(KeysAtOnce * headDim);
        float* values = scratch.Take((KeysAtOnce + 6) * outputs);
        float* scores = scratch.Take(KeysAtOnce * TileWidth);
        float* rescale = scratch.Take(TileWidth);

        HeadRows queryRows = job.QueryRows(job.Q, piece.FirstRow, kvHead);
        HeadRows outputRows = job.QueryRows(job.Y, piece.FirstRow, kvHead);
        HeadRows keyRows = job.KeyRows(job.K, piece.FirstRow, kvHead);
        HeadRows valueRows = job.KeyRows(job.V, piece.FirstRow, kvHead);

        Tile* tiles = stackalloc Tile[tileCount];
        for (int t = 0; t < tileCount; t++)
        {
            ref Tile tile = ref tiles[t];
            tile.Query = scratch.Take(headDim * TileWidth);
            tile.Output = scratch.Take(outputs * TileWidth);
            tile.Maximum = scratch.Take(TileWidth);
            tile.Sum = scratch.Take(TileWidth);
            tile.Position = scratch.Take(TileWidth);
            tile.First = piece.From + t * TileWidth;
            tile.Count = Math.Min(TileWidth, piece.To - tile.First);
            tile.Vectors = tile.Count > L.Width ? 2 : 1;
            tile.FirstRow = tile.First / group;
            tile.LastRow = (tile.First + tile.Count - 1) / group;
            AttentionPacking.Transpose(
                queryRows, tile.First, tile.Count, TileWidth, headDim, job.Scale * AttentionJob.Log2E, tile.Query, TileWidth);
            new Span<float>(tile.Maximum, TileWidth).Fill(AttentionJob.Hidden);
            new Span<float>(tile.Sum, TileWidth).Clear();
            for (int lane = 0, row = tile.FirstRow, head = tile.First % group; lane < TileWidth; lane++)
            {
                tile.Position[lane] = row;
                if (++head == group)
                    (row, head) = (row + 1, 0);
            }
        }

        int visible = job.Causal ? tiles[tileCount - 1].LastRow + 1 : piece.Rows;
        for (int first = 0; first < visible; first += KeysAtOnce)
        {
            int count = Math.Min(KeysAtOnce, visible - first);
            AttentionPacking.Panels(keyRows, first, count, headDim, keys);
            AttentionPacking.Copy(valueRows, first, count, headDim, values, outputs);
            for (int t = 0; t < tileCount; t++)
            {
                int seen = job.Causal ? Math.Min(count, tiles[t].LastRow + 1 - first) : count;
                if (seen > 0)
                    Advance(ref tiles[t], first, seen, job.Causal, headDim, keys, values, scores, rescale);
            }
        }

        for (int t = 0; t < tileCount; t++)
        {
            Finish(tiles[t], headDim);
            AttentionPacking.TransposeBack(tiles[t].Output, TileWidth, outputRows, tiles[t].First, tiles[t].Count, headDim, add: false);
            if (job.LogSumExp == null)
                continue;
            float* logSumExp = job.LogSumExp + (long)(piece.FirstRow + tiles[t].FirstRow) * job.Heads + kvHead * group;
            for (int lane = 0, head = tiles[t].First % group; lane < tiles[t].Count; lane++)
            {
                logSumExp[head] = tiles[t].Maximum[lane];
                if (++head < group)
                    continue;
                head = 0;
                logSumExp += job.Heads;
            }
        }
    }

    private static void Advance(ref Tile tile, int firstKey, int count, bool causal, int headDim, float* keys, float* values,
        float* scores, float* rescale)
    {
        int outputs = AttentionForward.RoundToSix(headDim);
        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.Interleaved>(
            count, tile.Vectors, keys, 12 * headDim, 12, tile.Query, TileWidth, headDim, null, scores, TileWidth);
        if (causal)
            AttentionMask<L, V>.Hide(scores, Math.Max(tile.FirstRow + 1 - firstKey, 0), count, firstKey, tile.Position, tile.Vectors);
        for (int lanes = 0; lanes < tile.Vectors * L.Width; lanes += L.Width)
            Softmax(scores + lanes, count, tile.Maximum + lanes, tile.Sum + lanes, rescale + lanes);
        AttentionTiles<L, V>.Product<AttentionTiles<L, V>.Interleaved>(
            headDim, tile.Vectors, values, 12, outputs, scores, TileWidth, count, firstKey == 0 ? null : rescale, tile.Output, TileWidth);
    }

    // Scores become weights relative to the new maximum; what was summed before is to be multiplied by `rescale`.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Softmax(float* scores, int count, float* maximum, float* sum, float* rescale)
    {
        V before = L.Load(maximum), most = before, most2 = before;
        int j = 0;
        for (; j + 2 <= count; j += 2)
        {
            most = L.Max(most, L.Load(scores + j * TileWidth));
            most2 = L.Max(most2, L.Load(scores + (j + 1) * TileWidth));
        }
        if (j < count)
            most = L.Max(most, L.Load(scores + j * TileWidth));
        most = L.Max(most, most2);
        V factor = L.Exp2(L.Subtract(before, most));
        V total = L.Multiply(L.Load(sum), factor);
        for (j = 0; j < count; j++)
        {
            V weight = L.Exp2(L.Subtract(L.Load(scores + j * TileWidth), most));
            L.Store(weight, scores + j * TileWidth);
            total = L.Add(total, weight);
        }
        L.Store(most, maximum);
        L.Store(total, sum);
        L.Store(factor, rescale);
    }

    // Divides by the sum of the weights; the maximum becomes the logarithm of the sum of the exponentials.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish(in Tile tile, int headDim)
    {
        for (int lanes = 0; lanes < tile.Vectors * L.Width; lanes += L.Width)
        {
            V sum = L.Load(tile.Sum + lanes);
            V logarithm = L.MultiplyAdd(L.Load(tile.Maximum + lanes), L.Broadcast(AttentionJob.Ln2), L.Log(sum));
            L.Store(logarithm, tile.Maximum + lanes);
            V factor = L.Divide(L.Broadcast(1), sum);
            for (int d = 0; d < headDim; d++)
                L.Store(L.Multiply(L.Load(tile.Output + d * TileWidth + lanes), factor), tile.Output + d * TileWidth + lanes);
        }
    }
}

/// <summary>The causal mask on a block of scores.</summary>
internal static unsafe class AttentionMask<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>
    /// Hides from each query the keys after its own position, in rows [from, to) of a block whose first key is <paramref name="firstKey"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Hide(float* scores, int from, int to, int firstKey, float* positions, int vectors)
    {
        V hidden = L.Broadcast(AttentionJob.Hidden);
        for (int j = from; j < to; j++)
        {
            V key = L.Broadcast(firstKey + j);
            for (int lanes = 0; lanes < vectors * L.Width; lanes += L.Width)
            {
                float* at = scores + j * 2 * L.Width + lanes;
                L.Store(L.WhereAtLeast(L.Load(positions + lanes), key, L.Load(at), hidden), at);
            }
        }
    }
}
