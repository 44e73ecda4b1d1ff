using System.Runtime.CompilerServices;

namespace OmniFusion.Tensors;

/// <summary>
/// The matrix product that all of attention is made of: C[rows, vectors] += A[rows, depth] · B[depth, vectors], held in registers as outer
/// products of a broadcast element of A and a vector of B.
/// </summary>
internal static unsafe class AttentionTiles<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    private interface ITile
    {
        /// <summary>Twelve rows, otherwise six.</summary>
        static abstract bool Tall { get; }

        /// <summary>Two vectors, otherwise one.</summary>
        static abstract bool Pair { get; }
    }

    /// <summary>How the rows of A lie in memory.</summary>
    internal interface ILeft
    {
        /// <summary>Floats from one row to the next.</summary>
        static abstract int RowStride { get; }
    }

    /// <summary>The rows of A lie side by side: element (row, depth) at depth·step + row.</summary>
    internal readonly struct Interleaved : ILeft
    {
        public static int RowStride => 1;
    }

    /// <summary>The rows of A are those of a block of scores: element (row, depth) at row·(2 vectors) + depth.</summary>
    internal readonly struct ScoreRows : ILeft
    {
        public static int RowStride => 2 * L.Width;
    }

    private readonly struct TallPair : ITile
    {
        public static bool Tall => true;

        public static bool Pair => true;
    }

    private readonly struct TallSingle : ITile
    {
        public static bool Tall => true;

        public static bool Pair => false;
    }

    private readonly struct LowPair : ITile
    {
        public static bool Tall => false;

        public static bool Pair => true;
    }

    private readonly struct LowSingle : ITile
    {
        public static bool Tall => false;

        public static bool Pair => false;
    }

    /// <summary>C = C·scale + A·B; the rows are rounded up to a multiple of six.</summary>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="vectors">Columns of B and C, in vectors.</param>
    /// <param name="a">Left factor, laid out as <typeparamref name="A"/> says.</param>
    /// <param name="panel">Floats from one dozen rows of A to the next.</param>
    /// <param name="step">Floats from one depth of A to the next.</param>
    /// <param name="b">Right factor.</param>
    /// <param name="ldb">Floats from one row of B to the next.</param>
    /// <param name="depth">Terms of each sum.</param>
    /// <param name="scale">Two vectors that multiply what C held, or null when it held nothing.</param>
    /// <param name="c">Result.</param>
    /// <param name="ldc">Floats from one row of C to the next.</param>
    internal static void Product<A>(int rows, int vectors, float* a, int panel, int step, float* b, int ldb, int depth, float* scale,
        float* c, int ldc)
        where A : struct, ILeft
    {
        for (int row = 0; row < rows; row += 12, a += panel, c += 12 * ldc)
        {
            int left = rows - row;
            for (int vector = 0; vector < vectors; vector += 2)
            {
                float* bAt = b + vector * L.Width;
                float* cAt = c + vector * L.Width;
                bool pair = vectors - vector > 1;
                if (L.ManyRegisters && left > 6)
                {
                    if (pair)
                        Tile<A, TallPair>(a, step, bAt, ldb, depth, scale, cAt, ldc);
                    else
                        Tile<A, TallSingle>(a, step, bAt, ldb, depth, scale, cAt, ldc);
                    continue;
                }
                for (int half = 0; half < Math.Min(left, 12); half += 6)
                {
                    if (pair)
                        Tile<A, LowPair>(a + half * A.RowStride, step, bAt, ldb, depth, scale, cAt + half * ldc, ldc);
                    else
                        Tile<A, LowSingle>(a + half * A.RowStride, step, bAt, ldb, depth, scale, cAt + half * ldc, ldc);
                }
            }
        }
    }

    // Every accumulator is a local of its own: only so does the compiler keep all of them in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<A, T>(float* a, int step, float* b, int ldb, int depth, float* scale, float* c, int ldc)
        where A : struct, ILeft
        where T : struct, ITile
    {
        int s = A.RowStride;
        V c00 = default, c01 = default;
        V c10 = default, c11 = default;
        V c20 = default, c21 = default;
        V c30 = default, c31 = default;
        V c40 = default, c41 = default;
        V c50 = default, c51 = default;
        V c60 = default, c61 = default;
        V c70 = default, c71 = default;
        V c80 = default, c81 = default;
        V c90 = default, c91 = default;
        V c100 = default, c101 = default;
        V c110 = default, c111 = default;
        if (scale != null)
        {
            V s0 = L.Load(scale), s1 = L.Load(scale + L.Width);
            float* from = c;
            c00 = L.Multiply(L.Load(from), s0);
            if (T.Pair)
                c01 = L.Multiply(L.Load(from + L.Width), s1);
            from += ldc;
            c10 = L.Multiply(L.Load(from), s0);
            if (T.Pair)
                c11 = L.Multiply(L.Load(from + L.Width), s1);
            from += ldc;
            c20 = L.Multiply(L.Load(from), s0);
            if (T.Pair)
                c21 = L.Multiply(L.Load(from + L.Width), s1);
            from += ldc;
            c30 = L.Multiply(L.Load(from), s0);
            if (T.Pair)
                c31 = L.Multiply(L.Load(from + L.Width), s1);
            from += ldc;
            c40 = L.Multiply(L.Load(from), s0);
            if (T.Pair)
                c41 = L.Multiply(L.Load(from + L.Width), s1);
            from += ldc;
            c50 = L.Multiply(L.Load(from), s0);
            if (T.Pair)
                c51 = L.Multiply(L.Load(from + L.Width), s1);
            if (T.Tall)
            {
                from += ldc;
                c60 = L.Multiply(L.Load(from), s0);
                if (T.Pair)
                    c61 = L.Multiply(L.Load(from + L.Width), s1);
                from += ldc;
                c70 = L.Multiply(L.Load(from), s0);
                if (T.Pair)
                    c71 = L.Multiply(L.Load(from + L.Width), s1);
                from += ldc;
                c80 = L.Multiply(L.Load(from), s0);
                if (T.Pair)
                    c81 = L.Multiply(L.Load(from + L.Width), s1);
                from += ldc;
                c90 = L.Multiply(L.Load(from), s0);
                if (T.Pair)
                    c91 = L.Multiply(L.Load(from + L.Width), s1);
                from += ldc;
                c100 = L.Multiply(L.Load(from), s0);
                if (T.Pair)
                    c101 = L.Multiply(L.Load(from + L.Width), s1);
                from += ldc;
                c110 = L.Multiply(L.Load(from), s0);
                if (T.Pair)
                    c111 = L.Multiply(L.Load(from + L.Width), s1);
            }
        }
        for (; depth > 0; depth--, a += step, b += ldb)
        {
            V b0 = L.Load(b), b1 = T.Pair ? L.Load(b + L.Width) : default;
            V a0 = L.Broadcast(a[0]);
            c00 = L.MultiplyAdd(a0, b0, c00);
            if (T.Pair)
                c01 = L.MultiplyAdd(a0, b1, c01);
            V a1 = L.Broadcast(a[s]);
            c10 = L.MultiplyAdd(a1, b0, c10);
            if (T.Pair)
                c11 = L.MultiplyAdd(a1, b1, c11);
            V a2 = L.Broadcast(a[2 * s]);
            c20 = L.MultiplyAdd(a2, b0, c20);
            if (T.Pair)
                c21 = L.MultiplyAdd(a2, b1, c21);
            V a3 = L.Broadcast(a[3 * s]);
            c30 = L.MultiplyAdd(a3, b0, c30);
            if (T.Pair)
                c31 = L.MultiplyAdd(a3, b1, c31);
            V a4 = L.Broadcast(a[4 * s]);
            c40 = L.MultiplyAdd(a4, b0, c40);
            if (T.Pair)
                c41 = L.MultiplyAdd(a4, b1, c41);
            V a5 = L.Broadcast(a[5 * s]);
            c50 = L.MultiplyAdd(a5, b0, c50);
            if (T.Pair)
                c51 = L.MultiplyAdd(a5, b1, c51);
            if (T.Tall)
            {
                V a6 = L.Broadcast(a[6 * s]);
                c60 = L.MultiplyAdd(a6, b0, c60);
                if (T.Pair)
                    c61 = L.MultiplyAdd(a6, b1, c61);
                V a7 = L.Broadcast(a[7 * s]);
                c70 = L.MultiplyAdd(a7, b0, c70);
                if (T.Pair)
                    c71 = L.MultiplyAdd(a7, b1, c71);
                V a8 = L.Broadcast(a[8 * s]);
                c80 = L.MultiplyAdd(a8, b0, c80);
                if (T.Pair)
                    c81 = L.MultiplyAdd(a8, b1, c81);
                V a9 = L.Broadcast(a[9 * s]);
                c90 = L.MultiplyAdd(a9, b0, c90);
                if (T.Pair)
                    c91 = L.MultiplyAdd(a9, b1, c91);
                V a10 = L.Broadcast(a[10 * s]);
                c100 = L.MultiplyAdd(a10, b0, c100);
                if (T.Pair)
                    c101 = L.MultiplyAdd(a10, b1, c101);
                V a11 = L.Broadcast(a[11 * s]);
                c110 = L.MultiplyAdd(a11, b0, c110);
                if (T.Pair)
                    c111 = L.MultiplyAdd(a11, b1, c111);
            }
        }
        L.Store(c00, c);
        if (T.Pair)
            L.Store(c01, c + L.Width);
        c += ldc;
        L.Store(c10, c);
        if (T.Pair)
            L.Store(c11, c + L.Width);
        c += ldc;
        L.Store(c20, c);
        if (T.Pair)
            L.Store(c21, c + L.Width);
        c += ldc;
        L.Store(c30, c);
        if (T.Pair)
            L.Store(c31, c + L.Width);
        c += ldc;
        L.Store(c40, c);
        if (T.Pair)
            L.Store(c41, c + L.Width);
        c += ldc;
        L.Store(c50, c);
        if (T.Pair)
            L.Store(c51, c + L.Width);
        if (T.Tall)
        {
            c += ldc;
            L.Store(c60, c);
            if (T.Pair)
                L.Store(c61, c + L.Width);
            c += ldc;
            L.Store(c70, c);
            if (T.Pair)
                L.Store(c71, c + L.Width);
            c += ldc;
            L.Store(c80, c);
            if (T.Pair)
                L.Store(c81, c + L.Width);
            c += ldc;
            L.Store(c90, c);
            if (T.Pair)
                L.Store(c91, c + L.Width);
            c += ldc;
            L.Store(c100, c);
            if (T.Pair)
                L.Store(c101, c + L.Width);
            c += ldc;
            L.Store(c110, c);
            if (T.Pair)
                L.Store(c111, c + L.Width);
        }
    }
}
