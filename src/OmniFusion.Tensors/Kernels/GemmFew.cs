using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OmniFusion.Tensors;

/// <summary>
/// The product y[m,n] = bias + Σ x[m,k]·w[n,k] of up to 48 rows of x, turned over: vectors run along the rows of x, of which a small copy is
/// made, and each weight is multiplied with all of them from where it lies. To copy weights into panels, as <see cref="GemmJob"/> does,
/// takes a quarter of the time of such a product. Every element is summed by one thread in ascending order of k.
/// </summary>
internal unsafe struct GemmFewJob
{
    internal float* X, W, Y, Bias;
    internal int M, N, K;

    // x as panels [piece of k, Width]; a vector of one is 16 rows of x.
    internal float* Panels;
    internal int Width, Piece;

    // A part of the product is so many rows of w.
    internal int RowsOfPart;
}

/// <summary>The loops around a tile of eight rows of w and all rows of x, with 512-bit vectors.</summary>
internal static unsafe class GemmFew
{
    private const int TileRows = 8, Lanes = 16, Half = 8;

    // Rows of w that pass by a panel of x while it is in the first cache, of which it takes 24 KB.
    private const int Group = 32, LongestPiece = 128;

    // Of shorter sums the beginning and the end cost more than is won.
    private const int ShortestSum = 256;

    private const int MostRows = 3 * Lanes;

    /// <summary>Whether a product is of a kind that this is faster with: not where many lanes would be empty.</summary>
    internal static bool Suits(int m, int n, int k) => m <= MostRows && k >= ShortestSum && n >= Group && (5 * m >= 4 * WidthOf(m) || IsHalf(m));

    internal static void Run(ref GemmFewJob job, WorkerPool pool)
    {
        job.Width = WidthOf(job.M);
        int pieces = (job.K + LongestPiece - 1) / LongestPiece;
        job.Piece = ((job.K + pieces - 1) / pieces + Lanes - 1) / Lanes * Lanes;
        job.Panels = GemmScratch.Shared((nint)pieces * job.Piece * job.Width);
        int parts = GemmSharing.Parts(pool, job.M, job.N, job.K);
        job.RowsOfPart = ((job.N + parts - 1) / parts + Group - 1) / Group * Group;
        fixed (GemmFewJob* state = &job)
        {
            for (int piece = 0; piece < pieces; piece++)
                PackX(state, piece);
            pool.For((job.N + job.RowsOfPart - 1) / job.RowsOfPart, &Multiply, state);
        }
    }

    // Whether half of the third vector will do.
    private static bool IsHalf(int rows) => rows is > 2 * Lanes and <= 2 * Lanes + Half;

    private static int WidthOf(int rows) => (rows + Lanes - 1) / Lanes * Lanes;

    private static void PackX(GemmFewJob* job, int piece)
    {
        int inner = piece * job->Piece, count = Math.Min(job->Piece, job->K - inner);
        float* panel = job->Panels + (nint)inner * job->Width;
        GemmPack<Simd512, Vector512<float>>.Panels(
            new GemmFactor((nint)job->X, DType.F32, job->K, InnerIsContiguous: true), outer: 0, job->M, inner, count, job->Width,
            panels: 1, panelSize: 0, panel);
        if (!IsHalf(job->M))
            return;
        // Half of the last vector stands in it twice.
        for (float* half = panel + 2 * Lanes; half < panel + count * job->Width; half += job->Width)
            Vector256.Load(half).Store(half + Half);
    }

    private static void Multiply(void* state, int part)
    {
        GemmFewJob* job = (GemmFewJob*)state;
        int end = Math.Min((part + 1) * job->RowsOfPart, job->N);
        float* sums = GemmScratch.Own(Group * job->Width);
        for (int next = part * job->RowsOfPart; next < end; next += Group)
        {
            // The last group may overlap the one before: the same sums are made twice.
            int row = Math.Min(next, job->N - Group);
            float* w = job->W + (nint)row * job->K;
            Begin(job, row, sums);
            for (int inner = 0; inner < job->K; inner += job->Piece)
            {
                float* x = job->Panels + (nint)inner * job->Width;
                int count = Math.Min(job->Piece, job->K - inner);
                // From a weight to the one in the same place of the next piece.
                nint ahead = inner + job->Piece < job->K ? job->Piece : (nint)Group * job->K - inner;
                for (int tile = 0; tile < Group; tile += TileRows)
                {
                    float* its = w + (nint)tile * job->K + inner, to = sums + tile * job->Width;
                    switch (job->M)
                    {
                        case <= Lanes: Sum<Width16>(count, its, job->K, x, to, ahead); break;
                        case <= 2 * Lanes: Sum<Width32>(count, its, job->K, x, to, ahead); break;
                        case <= 2 * Lanes + Half: Sum<Width40>(count, its, job->K, x, to, ahead); break;
                        default: Sum<Width48>(count, its, job->K, x, to, ahead); break;
                    }
                }
            }
            End(job, row, sums);
        }
    }

    // The sums of a group are [32 rows of w, Width]. They begin with the bias.
    private static void Begin(GemmFewJob* job, int row, float* sums)
    {
        for (int r = 0; r < Group; r++)
        {
            Vector512<float> bias = Vector512.Create(job->Bias == null ? 0 : job->Bias[row + r]);
            for (int i = 0; i < job->Width; i += Lanes, sums += Lanes)
                bias.Store(sums);
        }
    }

    // The sums, turned over, to y.
    private static void End(GemmFewJob* job, int row, float* sums)
    {
        for (int r = 0; r < Group; r += Lanes)
        {
            float* from = sums + r * job->Width, y = job->Y + row + r;
            if (job->M >= Lanes)
            {
                GemmPack<Simd512, Vector512<float>>.Turn(from, job->Width, job->M, y, job->N);
                continue;
            }
            for (int m = 0; m < job->M; m++)
            {
                for (int i = 0; i < Lanes; i++)
                    y[(nint)m * job->N + i] = from[i * job->Width + m];
            }
        }
    }

    /// <summary>
    /// sums[8, width] += w[8, count]·x, where x is a panel [count, width]. The weights <paramref name="ahead"/> of those in use are fetched
    /// meanwhile. Where but half of the last vector counts, two rows of w share one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TWidth>(int count, float* w, nint stride, float* x, float* sums, nint ahead)
        where TWidth : struct, IWidth
    {
        int width = (TWidth.Vectors + (TWidth.HasHalf ? 1 : 0)) * Lanes;
        Load<TWidth>(sums, out Vector512<float> c00, out Vector512<float> c01, out Vector512<float> c02);
        Load<TWidth>(sums + width, out Vector512<float> c10, out Vector512<float> c11, out Vector512<float> c12);
        Vector512<float> h0 = LoadHalves<TWidth>(sums, width);
        Load<TWidth>(sums + 2 * width, out Vector512<float> c20, out Vector512<float> c21, out Vector512<float> c22);
        Load<TWidth>(sums + 3 * width, out Vector512<float> c30, out Vector512<float> c31, out Vector512<float> c32);
        Vector512<float> h2 = LoadHalves<TWidth>(sums + 2 * width, width);
        Load<TWidth>(sums + 4 * width, out Vector512<float> c40, out Vector512<float> c41, out Vector512<float> c42);
        Load<TWidth>(sums + 5 * width, out Vector512<float> c50, out Vector512<float> c51, out Vector512<float> c52);
        Vector512<float> h4 = LoadHalves<TWidth>(sums + 4 * width, width);
        Load<TWidth>(sums + 6 * width, out Vector512<float> c60, out Vector512<float> c61, out Vector512<float> c62);
        Load<TWidth>(sums + 7 * width, out Vector512<float> c70, out Vector512<float> c71, out Vector512<float> c72);
        Vector512<float> h6 = LoadHalves<TWidth>(sums + 6 * width, width);
        float* w0 = w, w1 = w0 + stride, w2 = w1 + stride, w3 = w2 + stride;
        float* w4 = w3 + stride, w5 = w4 + stride, w6 = w5 + stride, w7 = w6 + stride;
        for (nint begin = 0; begin < count; begin += Lanes)
        {
            Cache.Fetch(w0 + begin + ahead);
            Cache.Fetch(w1 + begin + ahead);
            Cache.Fetch(w2 + begin + ahead);
            Cache.Fetch(w3 + begin + ahead);
            Cache.Fetch(w4 + begin + ahead);
            Cache.Fetch(w5 + begin + ahead);
            Cache.Fetch(w6 + begin + ahead);
            Cache.Fetch(w7 + begin + ahead);
            nint end = Math.Min(begin + Lanes, count);
            for (nint i = begin; i < end; i++, x += width)
            {
                Load<TWidth>(x, out Vector512<float> x0, out Vector512<float> x1, out Vector512<float> x2);
                Vector512<float> h = TWidth.HasHalf ? Vector512.Load(x + TWidth.Vectors * Lanes) : default;
                Add<TWidth>(w0[i], w1[i], x0, x1, x2, h, ref c00, ref c01, ref c02, ref c10, ref c11, ref c12, ref h0);
                Add<TWidth>(w2[i], w3[i], x0, x1, x2, h, ref c20, ref c21, ref c22, ref c30, ref c31, ref c32, ref h2);
                Add<TWidth>(w4[i], w5[i], x0, x1, x2, h, ref c40, ref c41, ref c42, ref c50, ref c51, ref c52, ref h4);
                Add<TWidth>(w6[i], w7[i], x0, x1, x2, h, ref c60, ref c61, ref c62, ref c70, ref c71, ref c72, ref h6);
            }
        }
        Store<TWidth>(c00, c01, c02, sums);
        Store<TWidth>(c10, c11, c12, sums + width);
        StoreHalves<TWidth>(h0, sums, width);
        Store<TWidth>(c20, c21, c22, sums + 2 * width);
        Store<TWidth>(c30, c31, c32, sums + 3 * width);
        StoreHalves<TWidth>(h2, sums + 2 * width, width);
        Store<TWidth>(c40, c41, c42, sums + 4 * width);
        Store<TWidth>(c50, c51, c52, sums + 5 * width);
        StoreHalves<TWidth>(h4, sums + 4 * width, width);
        Store<TWidth>(c60, c61, c62, sums + 6 * width);
        Store<TWidth>(c70, c71, c72, sums + 7 * width);
        StoreHalves<TWidth>(h6, sums + 6 * width, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TWidth>(
        float wa, float wb, Vector512<float> x0, Vector512<float> x1, Vector512<float> x2, Vector512<float> h,
        ref Vector512<float> a0, ref Vector512<float> a1, ref Vector512<float> a2,
        ref Vector512<float> b0, ref Vector512<float> b1, ref Vector512<float> b2, ref Vector512<float> ab)
        where TWidth : struct, IWidth
    {
        Vector512<float> a = Vector512.Create(wa), b = Vector512.Create(wb);
        a0 = Avx512F.FusedMultiplyAdd(a, x0, a0);
        b0 = Avx512F.FusedMultiplyAdd(b, x0, b0);
        if (TWidth.Vectors > 1)
        {
            a1 = Avx512F.FusedMultiplyAdd(a, x1, a1);
            b1 = Avx512F.FusedMultiplyAdd(b, x1, b1);
        }
        if (TWidth.Vectors > 2)
        {
            a2 = Avx512F.FusedMultiplyAdd(a, x2, a2);
            b2 = Avx512F.FusedMultiplyAdd(b, x2, b2);
        }
        if (TWidth.HasHalf)
            ab = Avx512F.FusedMultiplyAdd(Avx512F.Shuffle4x128(a, b, 0), h, ab);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TWidth>(float* from, out Vector512<float> v0, out Vector512<float> v1, out Vector512<float> v2)
        where TWidth : struct, IWidth
    {
        v0 = Vector512.Load(from);
        v1 = TWidth.Vectors > 1 ? Vector512.Load(from + Lanes) : default;
        v2 = TWidth.Vectors > 2 ? Vector512.Load(from + 2 * Lanes) : default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TWidth>(Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, float* to)
        where TWidth : struct, IWidth
    {
        v0.Store(to);
        if (TWidth.Vectors > 1)
            v1.Store(to + Lanes);
        if (TWidth.Vectors > 2)
            v2.Store(to + 2 * Lanes);
    }

    // The halves of two rows, which lie behind their whole vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LoadHalves<TWidth>(float* from, int width)
        where TWidth : struct, IWidth
    {
        float* half = from + TWidth.Vectors * Lanes;
        return TWidth.HasHalf ? Vector512.Create(Vector256.Load(half), Vector256.Load(half + width)) : default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves<TWidth>(Vector512<float> halves, float* to, int width)
        where TWidth : struct, IWidth
    {
        if (!TWidth.HasHalf)
            return;
        float* half = to + TWidth.Vectors * Lanes;
        halves.GetLower().Store(half);
        halves.GetUpper().Store(half + width);
    }

    /// <summary>Rows of x: a constant to the compiler, which removes the code of the others.</summary>
    private interface IWidth
    {
        static abstract int Vectors { get; }

        static abstract bool HasHalf { get; }
    }

    private readonly struct Width16 : IWidth
    {
        public static int Vectors => 1;
        public static bool HasHalf => false;
    }

    private readonly struct Width32 : IWidth
    {
        public static int Vectors => 2;
        public static bool HasHalf => false;
    }

    private readonly struct Width40 : IWidth
    {
        public static int Vectors => 2;
        public static bool HasHalf => true;
    }

    private readonly struct Width48 : IWidth
    {
        public static int Vectors => 3;
        public static bool HasHalf => false;
    }
}
