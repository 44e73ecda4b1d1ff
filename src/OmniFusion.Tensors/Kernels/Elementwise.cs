using System.Runtime.Intrinsics;
using static OmniFusion.Tensors.VectorMath;

namespace OmniFusion.Tensors;

public sealed unsafe partial class CpuKernels
{
    private const float InverseRootTwoPi = 0.3989422804014327f;

    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y)
    {
        Each(new GeluRange { X = x.Floats, Y = y.Floats }, x.Count, 8);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void GeluGrad(Tensor x, Tensor dy, Tensor dx)
    {
        Each(new GeluGradRange { X = x.Floats, DY = dy.Floats, DX = dx.Floats }, x.Count, 8);
        KeepAlive(x, dy, dx);
    }

    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor y)
    {
        Each(new SwiGluRange { Gate = gate.Floats, Up = up.Floats, Y = y.Floats }, y.Count, 8);
        KeepAlive(gate, up, y);
    }

    /// <inheritdoc/>
    public void SwiGluGrad(Tensor gate, Tensor up, Tensor dy, Tensor? dgate, Tensor? dup)
    {
        Each(
            new SwiGluGradRange
            {
                Gate = gate.Floats, Up = up.Floats, DY = dy.Floats,
                DGate = dgate is null ? null : dgate.Floats, DUp = dup is null ? null : dup.Floats,
            },
            dy.Count, 8);
        KeepAlive(gate, up, dy, dgate, dup);
    }

    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, float scale, Tensor y)
    {
        Each(new AddRange { A = a.Floats, B = b.Floats, Scale = scale, Y = y.Floats }, y.Count, 1);
        KeepAlive(a, b, y);
    }

    /// <inheritdoc/>
    public void Accumulate(Tensor x, float scale, Tensor y)
    {
        Each(new AddRange { A = y.Floats, B = x.Floats, Scale = scale, Y = y.Floats }, y.Count, 1);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void Dropout(Tensor x, float p, ulong seed, Tensor y)
    {
        Each(new DropoutRange { X = x.Floats, P = p, Seed = seed, Y = y.Floats }, y.Count, 4);
        KeepAlive(x, y);
    }

    /// <inheritdoc/>
    public void DropoutGrad(Tensor dy, float p, ulong seed, Tensor dx)
    {
        Each(new DropoutRange { X = dy.Floats, P = p, Seed = seed, Y = dx.Floats, Adds = true }, dx.Count, 4);
        KeepAlive(dy, dx);
    }

    /// <inheritdoc/>
    public double SumOfSquares(Tensor x)
    {
        // Blocks of one width whatever the threads, and double sums of them: the same bits on every machine.
        float* data = x.Floats;
        double total = 0;
        for (long start = 0; start < x.Count; start += 4096)
        {
            Vector512<float> sum = Vector512<float>.Zero;
            int count = (int)Math.Min(4096, x.Count - start);
            for (int i = 0; i < count; i += Width)
            {
                Vector512<float> v = LoadPart(data + start + i, count - i);
                sum = Vector512.FusedMultiplyAdd(v, v, sum);
            }
            total += Vector512.Sum(sum);
        }
        KeepAlive(x);
        return total;
    }

    /// <inheritdoc/>
    public void AdamW(Tensor weight, Tensor gradient, Tensor moment1, Tensor moment2, int step, in AdamWOptions options, float gradientScale)
    {
        AdamWRange range = new()
        {
            W = weight.Floats, G = gradient.Floats, M = moment1.Floats, V = moment2.Floats, Scale = gradientScale,
            Beta1 = options.Beta1, Beta2 = options.Beta2, Epsilon = options.Epsilon,
            Decay = 1 - options.LearningRate * options.WeightDecay,
            Step = options.LearningRate / (1 - MathF.Pow(options.Beta1, step)),
            RootCorrection = 1 / MathF.Sqrt(1 - MathF.Pow(options.Beta2, step)),
        };
        Each(range, weight.Count, 4);
        KeepAlive(weight, gradient, moment1, moment2);
    }

    private struct GeluRange : IRange
    {
        public float* X, Y;

        public void Run(long from, long to)
        {
            for (long i = from; i < to; i += Width)
            {
                Vector512<float> x = LoadPart(X + i, to - i);
                StorePart(x * Normal(x).Phi, Y + i, to - i);
            }
        }
    }

    private struct GeluGradRange : IRange
    {
        public float* X, DY, DX;

        public void Run(long from, long to)
        {
            Vector512<float> density = Vector512.Create(InverseRootTwoPi);
            for (long i = from; i < to; i += Width)
            {
                Vector512<float> x = LoadPart(X + i, to - i);
                (Vector512<float> phi, Vector512<float> bell) = Normal(x);
                Vector512<float> slope = Vector512.FusedMultiplyAdd(x * density, bell, phi);
                StorePart(Vector512.FusedMultiplyAdd(slope, LoadPart(DY + i, to - i), LoadPart(DX + i, to - i)), DX + i, to - i);
            }
        }
    }

    private struct SwiGluRange : IRange
    {
        public float* Gate, Up, Y;

        public void Run(long from, long to)
        {
            for (long i = from; i < to; i += Width)
            {
                Vector512<float> g = LoadPart(Gate + i, to - i);
                StorePart(g * Sigmoid(g) * LoadPart(Up + i, to - i), Y + i, to - i);
            }
        }
    }

    private struct SwiGluGradRange : IRange
    {
        public float* Gate, Up, DY, DGate, DUp;

        public void Run(long from, long to)
        {
            for (long i = from; i < to; i += Width)
            {
                long n = to - i;
                Vector512<float> g = LoadPart(Gate + i, n), dy = LoadPart(DY + i, n), s = Sigmoid(g);
                if (DUp != null)
                    StorePart(Vector512.FusedMultiplyAdd(g * s, dy, LoadPart(DUp + i, n)), DUp + i, n);
                if (DGate != null)
                {
                    Vector512<float> slope = s * Vector512.FusedMultiplyAdd(g, Vector512<float>.One - s, Vector512<float>.One);
                    StorePart(Vector512.FusedMultiplyAdd(slope * dy, LoadPart(Up + i, n), LoadPart(DGate + i, n)), DGate + i, n);
                }
            }
        }
    }

    private struct AddRange : IRange
    {
        public float* A, B, Y;
        public float Scale;

        public void Run(long from, long to)
        {
            Vector512<float> scale = Vector512.Create(Scale);
            for (long i = from; i < to; i += Width)
                StorePart(Vector512.FusedMultiplyAdd(LoadPart(B + i, to - i), scale, LoadPart(A + i, to - i)), Y + i, to - i);
        }
    }

    private struct DropoutRange : IRange
    {
        public float* X, Y;
        public float P;
        public ulong Seed;
        public bool Adds;

        private readonly float Keep => 1 / (1 - P);

        private readonly uint Threshold => (uint)(P * 65536.0);

        public void Run(long from, long to)
        {
            // Four decisions a hash (SplitMix64), each of 16 bits: element i belongs to word i / 4, whatever range it is computed in.
            long i = from;
            for (; i < to && (i & 3) != 0; i++)
                One(i);
            Vector512<float> keep = Vector512.Create(Keep);
            Vector512<uint> threshold = Vector512.Create(Threshold);
            for (; i <= to - Width; i += Width)
            {
                (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Hashes(i >> 2).AsUInt16());
                Vector512<float> dropped = Vector512.LessThan(Vector512.Create(low, high), threshold).AsSingle();
                Vector512<float> kept = Vector512.AndNot(Vector512.Load(X + i) * keep, dropped);
                (Adds ? Vector512.Load(Y + i) + kept : kept).Store(Y + i);
            }
            for (; i < to; i++)
                One(i);
        }

        private void One(long i)
        {
            float kept = Hashes(i >> 2).AsUInt16()[(int)(i & 3)] < Threshold ? 0 : X[i] * Keep;
            Y[i] = Adds ? Y[i] + kept : kept;
        }

        // Of this word and the next three.
        private readonly Vector256<ulong> Hashes(long word)
        {
            Vector256<ulong> z = Vector256.Create(Seed) + (Vector256.Create((ulong)word) + Vector256.Create(1ul, 2, 3, 4)) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    private struct AdamWRange : IRange
    {
        public float* W, G, M, V;
        public float Scale, Beta1, Beta2, Epsilon, Decay, Step, RootCorrection;

        public void Run(long from, long to)
        {
            Vector512<float> b1 = Vector512.Create(Beta1), b2 = Vector512.Create(Beta2), eps = Vector512.Create(Epsilon);
            Vector512<float> c1 = Vector512.Create(1 - Beta1), c2 = Vector512.Create(1 - Beta2);
            Vector512<float> decay = Vector512.Create(Decay), step = Vector512.Create(Step), root = Vector512.Create(RootCorrection);
            for (long i = from; i < to; i += Width)
            {
                long n = to - i;
                Vector512<float> g = LoadPart(G + i, n) * Scale;
                Vector512<float> m = LoadPart(M + i, n) * b1 + c1 * g;
                Vector512<float> v = LoadPart(V + i, n) * b2 + c2 * (g * g);
                StorePart(m, M + i, n);
                StorePart(v, V + i, n);
                StorePart(LoadPart(W + i, n) * decay - step * m / (Vector512.Sqrt(v) * root + eps), W + i, n);
            }
        }
    }
}
