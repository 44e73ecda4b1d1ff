using System.Runtime.Intrinsics;
using static OmniFusion.Tensors.VectorMath;

namespace OmniFusion.Tensors;

public sealed unsafe partial class CpuKernels
{
    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor loss, Tensor logSumExp)
    {
        double total = 0;
        fixed (int* ids = targets)
            Each(new LogSumExpRange { X = logits.Floats, Y = logSumExp.Floats, Targets = ids, Columns = logits.Columns }, logits.Rows, logits.Columns * 4);
        for (int row = 0; row < targets.Length; row++)
        {
            if (targets[row] < 0)
                continue;
            ReadOnlySpan<float> x = logits.Row(row);
            float lse = logSumExp.Span[row];
            double own = lse - x[targets[row]];
            total += labelSmoothing == 0 ? own : (1 - labelSmoothing) * own + labelSmoothing * (lse - Mean(x));
        }
        loss.Span[0] = (float)(total / Math.Max(Counted(targets), 1));
        KeepAlive(logits, loss, logSumExp);
    }

    /// <inheritdoc/>
    public void RowLosses(Tensor logits, ReadOnlySpan<int> targets, Tensor logSumExp, Tensor rows)
    {
        for (int row = 0; row < targets.Length; row++)
            rows.Span[row] = targets[row] < 0 ? 0 : logSumExp.Span[row] - logits.Row(row)[targets[row]];
    }

    /// <inheritdoc/>
    public void CrossEntropyGrad(Tensor logits, ReadOnlySpan<int> targets, float labelSmoothing, Tensor logSumExp, float dloss, Tensor dlogits)
    {
        fixed (int* ids = targets)
        {
            CrossEntropyGradRange range = new()
            {
                X = logits.Floats, LogSumExp = logSumExp.Floats, DX = dlogits.Floats, Targets = ids, Columns = logits.Columns,
                Scale = dloss / Math.Max(Counted(targets), 1), Smoothing = labelSmoothing,
            };
            Each(range, logits.Rows, logits.Columns * 4);
        }
        KeepAlive(logits, logSumExp, dlogits);
    }

    /// <inheritdoc/>
    public void Distil(Tensor logits, Tensor teacher, Tensor loss, Tensor? gradient)
    {
        float[] losses = new float[logits.Rows];
        fixed (float* rows = losses)
        {
            DistilRange range = new()
            {
                X = logits.Floats, Teacher = teacher.Floats, Losses = rows, Gradient = gradient is null ? null : gradient.Floats,
                Columns = logits.Columns, Scale = 1f / Math.Max(logits.Rows, 1),
            };
            Each(range, logits.Rows, logits.Columns * 8);
        }
        loss.Span[0] = (float)(losses.Sum(row => (double)row) / Math.Max(logits.Rows, 1));
        KeepAlive(logits, teacher, loss, gradient);
    }

    /// <inheritdoc/>
    public void Ctc(Tensor logits, Segments segments, IReadOnlyList<int[]> targets, int blank, Tensor loss, Tensor? gradient)
    {
        int symbols = Math.Max(targets.Sum(target => target.Length), 1);
        double[] losses = new double[segments.Count];
        gradient?.Clear();
        // Utterances are independent and of like cost; each writes only its own rows.
        CtcState state = new(logits, segments, targets, blank, losses, gradient, 1f / symbols);
        System.Runtime.InteropServices.GCHandle handle = System.Runtime.InteropServices.GCHandle.Alloc(state);
        try
        {
            Pool.For(segments.Count, &CtcPart, (void*)System.Runtime.InteropServices.GCHandle.ToIntPtr(handle));
        }
        finally
        {
            handle.Free();
        }
        loss.Span[0] = (float)(losses.Sum() / symbols);
        KeepAlive(logits, loss, gradient);
    }

    private static void CtcPart(void* state, int part)
    {
        CtcState ctc = (CtcState)System.Runtime.InteropServices.GCHandle.FromIntPtr((nint)state).Target!;
        ctc.Losses[part] = ctc.Segment(part);
    }

    private static int Counted(ReadOnlySpan<int> targets)
    {
        int counted = 0;
        foreach (int target in targets)
            counted += target >= 0 ? 1 : 0;
        return counted;
    }

    private static float Mean(ReadOnlySpan<float> x)
    {
        double sum = 0;
        foreach (float v in x)
            sum += v;
        return (float)(sum / x.Length);
    }

    private static float LogSumExp(float* x, int columns)
    {
        float max = Largest(x, columns);
        int whole = columns & -Width;
        Vector512<float> sum = Vector512<float>.Zero;
        for (int c = 0; c < whole; c += Width)
            sum += Vector512.Exp(Vector512.Load(x + c) - Vector512.Create(max));
        float total = Vector512.Sum(sum);
        for (int c = whole; c < columns; c++)
            total += MathF.Exp(x[c] - max);
        return max + MathF.Log(total);
    }

    private static float Largest(float* x, int columns)
    {
        Vector512<float> max = Vector512.Create(float.NegativeInfinity);
        float largest = float.NegativeInfinity;
        int whole = columns & -Width;
        for (int c = 0; c < whole; c += Width)
            max = Vector512.Max(max, Vector512.Load(x + c));
        for (int c = whole; c < columns; c++)
            largest = MathF.Max(largest, x[c]);
        for (int i = 0; i < Width; i++)
            largest = MathF.Max(largest, max[i]);
        return largest;
    }

    private struct LogSumExpRange : IRange
    {
        public float* X, Y;
        public int* Targets;
        public int Columns;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
                Y[row] = Targets[row] < 0 ? 0 : LogSumExp(X + row * Columns, Columns);
        }
    }

    private struct CrossEntropyGradRange : IRange
    {
        public float* X, LogSumExp, DX;
        public int* Targets;
        public int Columns;
        public float Scale, Smoothing;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
            {
                if (Targets[row] < 0)
                    continue;
                float* x = X + row * Columns, dx = DX + row * Columns;
                Vector512<float> lse = Vector512.Create(LogSumExp[row]), scale = Vector512.Create(Scale);
                Vector512<float> share = Vector512.Create(Smoothing / Columns);
                for (int c = 0; c < Columns; c += Width)
                {
                    int n = Columns - c;
                    Vector512<float> p = Vector512.Exp(LoadPart(x + c, n) - lse) - share;
                    StorePart(Vector512.FusedMultiplyAdd(p, scale, LoadPart(dx + c, n)), dx + c, n);
                }
                dx[Targets[row]] -= Scale * (1 - Smoothing);
            }
        }
    }

    private struct DistilRange : IRange
    {
        public float* X, Teacher, Losses, Gradient;
        public int Columns;
        public float Scale;

        public void Run(long from, long to)
        {
            for (long row = from; row < to; row++)
            {
                long offset = row * Columns;
                Losses[row] = Row(X + offset, Teacher + offset, Gradient is null ? null : Gradient + offset);
            }
        }

        // −Σ q·log p = lse(x) − Σ q·x, and its gradient is p − q.
        private float Row(float* x, float* teacher, float* gradient)
        {
            float lse = LogSumExp(x, Columns);
            Vector512<float> own = Vector512.Create(lse), its = Vector512.Create(LogSumExp(teacher, Columns)), mean = Vector512<float>.Zero;
            for (int c = 0; c < Columns; c += Width)
            {
                int n = Columns - c;
                Vector512<float> q = Vector512.Exp(LoadPart(teacher + c, n) - its), logits = LoadPart(x + c, n);
                // Beyond the row the logits read as 0, so nothing is added.
                mean = Vector512.FusedMultiplyAdd(q, logits, mean);
                if (gradient is not null)
                    StorePart((Vector512.Exp(logits - own) - q) * Vector512.Create(Scale), gradient + c, n);
            }
            return lse - Vector512.Sum(mean);
        }
    }

    /// <summary>Forward-backward of one utterance in log space (Graves et al. 2006, equations 6 to 16).</summary>
    private sealed class CtcState(
        Tensor logits, Segments segments, IReadOnlyList<int[]> targets, int blank, double[] losses, Tensor? gradient, float scale)
    {
        internal double[] Losses => losses;

        internal double Segment(int index)
        {
            int start = segments.Start(index), frames = segments.Length(index), classes = logits.Columns;
            int[] target = targets[index];
            int states = 2 * target.Length + 1;
            if (frames == 0 || frames < Needed(target))
                return 0;
            float[] lse = new float[frames];
            for (int t = 0; t < frames; t++)
                lse[t] = LogSumExp(logits.Floats + (long)(start + t) * classes, classes);
            double[] alpha = Forward(start, frames, target, states, lse);
            double total = LogAdd(alpha[(frames - 1) * states + states - 1], states > 1 ? alpha[(frames - 1) * states + states - 2] : double.NegativeInfinity);
            if (gradient is not null && !double.IsNegativeInfinity(total))
                Backward(start, frames, target, states, lse, alpha, total);
            return -total;
        }

        // Equal neighbours need a blank between them.
        private static int Needed(int[] target)
        {
            int needed = target.Length;
            for (int i = 1; i < target.Length; i++)
                needed += target[i] == target[i - 1] ? 1 : 0;
            return needed;
        }

        private double LogP(int row, int symbol, float lse) => logits.Row(row)[symbol] - lse;

        private int Symbol(int[] target, int state) => (state & 1) == 0 ? blank : target[state >> 1];

        private static bool MaySkip(int[] target, int state) => (state & 1) == 1 && state >= 3 && target[state >> 1] != target[(state >> 1) - 1];

        private double[] Forward(int start, int frames, int[] target, int states, float[] lse)
        {
            double[] alpha = new double[frames * states];
            Array.Fill(alpha, double.NegativeInfinity);
            alpha[0] = LogP(start, blank, lse[0]);
            if (states > 1)
                alpha[1] = LogP(start, target[0], lse[0]);
            for (int t = 1; t < frames; t++)
            {
                int row = t * states, previous = row - states;
                // States that can still reach the end and can already have been reached.
                int first = Math.Max(0, states - 2 * (frames - t)), last = Math.Min(states, 2 * (t + 1));
                for (int s = first; s < last; s++)
                {
                    double a = alpha[previous + s];
                    if (s >= 1)
                        a = LogAdd(a, alpha[previous + s - 1]);
                    if (MaySkip(target, s))
                        a = LogAdd(a, alpha[previous + s - 2]);
                    alpha[row + s] = a + LogP(start + t, Symbol(target, s), lse[t]);
                }
            }
            return alpha;
        }

        // d loss / d logit = scale · (p(symbol) − share of the paths that emit the symbol at this frame).
        private void Backward(int start, int frames, int[] target, int states, float[] lse, double[] alpha, double total)
        {
            double[] beta = new double[states], next = new double[states];
            for (int t = frames - 1; t >= 0; t--)
            {
                Span<float> g = gradient!.Row(start + t);
                ScaledSoftmax(start + t, lse[t]);
                for (int s = 0; s < states; s++)
                {
                    // beta excludes the emission at t, so alpha·beta counts it once.
                    if (t == frames - 1)
                    {
                        beta[s] = s >= states - 2 ? 0 : double.NegativeInfinity;
                    }
                    else
                    {
                        double b = next[s];
                        if (s + 1 < states)
                            b = LogAdd(b, next[s + 1]);
                        if (s + 2 < states && MaySkip(target, s + 2))
                            b = LogAdd(b, next[s + 2]);
                        beta[s] = b;
                    }
                    double path = alpha[t * states + s] + beta[s] - total;
                    if (path > -50)
                        g[Symbol(target, s)] -= scale * (float)Math.Exp(path);
                }
                for (int s = 0; s < states; s++)
                    next[s] = beta[s] + LogP(start + t, Symbol(target, s), lse[t]);
            }
        }

        // scale · p of every class.
        private void ScaledSoftmax(int row, float lse)
        {
            long offset = (long)row * logits.Columns;
            for (int c = 0; c < logits.Columns; c += Width)
            {
                int n = logits.Columns - c;
                Vector512<float> p = Vector512.Exp(LoadPart(logits.Floats + offset + c, n) - Vector512.Create(lse));
                StorePart(p * Vector512.Create(scale), gradient!.Floats + offset + c, n);
            }
        }

        private static double LogAdd(double a, double b)
        {
            (double high, double low) = a > b ? (a, b) : (b, a);
            return double.IsNegativeInfinity(low) ? high : high + Math.Log(1 + Math.Exp(low - high));
        }
    }
}
