namespace OmniFusion.Tensors.Tests;

/// <summary>Attention written down plainly in double precision, to compare with.</summary>
internal sealed class AttentionReference
{
    private readonly int[] _starts, _lengths;
    private readonly int _heads, _kvHeads, _dim;
    private readonly bool _causal;
    private readonly double _scale;

    internal AttentionReference(in AttentionShape shape, int dim)
    {
        Segments segments = shape.Segments;
        _starts = [.. Enumerable.Range(0, segments.Count).Select(segments.Start)];
        _lengths = [.. Enumerable.Range(0, segments.Count).Select(segments.Length)];
        (_heads, _kvHeads, _dim, _causal, _scale) = (shape.Heads, shape.KvHeads, dim, shape.Causal, shape.Scale);
    }

    internal double[] Forward(double[] q, double[] k, double[] v)
    {
        double[] y = new double[q.Length];
        foreach ((int row, int head, int first, int end) in Rows())
        {
            double[] p = Weights(q, k, row, head, first, end, out _);
            for (int j = first; j < end; j++)
            {
                for (int d = 0; d < _dim; d++)
                    y[At(row, head) + d] += p[j - first] * v[KvAt(j, head) + d];
            }
        }
        return y;
    }

    internal double[] LogSumExp(double[] q, double[] k)
    {
        double[] result = new double[q.Length / _dim];
        foreach ((int row, int head, int first, int end) in Rows())
            Weights(q, k, row, head, first, end, out result[row * _heads + head]);
        return result;
    }

    internal (double[] Dq, double[] Dk, double[] Dv) Gradient(double[] q, double[] k, double[] v, double[] dy)
    {
        double[] dq = new double[q.Length], dk = new double[k.Length], dv = new double[v.Length];
        foreach ((int row, int head, int first, int end) in Rows())
        {
            double[] p = Weights(q, k, row, head, first, end, out _);
            double[] dp = new double[p.Length];
            double mean = 0;
            for (int j = first; j < end; j++)
            {
                for (int d = 0; d < _dim; d++)
                {
                    dp[j - first] += dy[At(row, head) + d] * v[KvAt(j, head) + d];
                    dv[KvAt(j, head) + d] += p[j - first] * dy[At(row, head) + d];
                }
                mean += p[j - first] * dp[j - first];
            }
            for (int j = first; j < end; j++)
            {
                double ds = p[j - first] * (dp[j - first] - mean) * _scale;
                for (int d = 0; d < _dim; d++)
                {
                    dq[At(row, head) + d] += ds * k[KvAt(j, head) + d];
                    dk[KvAt(j, head) + d] += ds * q[At(row, head) + d];
                }
            }
        }
        return (dq, dk, dv);
    }

    private IEnumerable<(int Row, int Head, int First, int End)> Rows()
    {
        for (int s = 0; s < _starts.Length; s++)
        {
            for (int row = _starts[s]; row < _starts[s] + _lengths[s]; row++)
            {
                for (int head = 0; head < _heads; head++)
                    yield return (row, head, _starts[s], _causal ? row + 1 : _starts[s] + _lengths[s]);
            }
        }
    }

    private double[] Weights(double[] q, double[] k, int row, int head, int first, int end, out double logSumExp)
    {
        double[] s = new double[end - first];
        for (int j = first; j < end; j++)
        {
            for (int d = 0; d < _dim; d++)
                s[j - first] += q[At(row, head) + d] * k[KvAt(j, head) + d];
            s[j - first] *= _scale;
        }
        double most = s.Max();
        double sum = s.Sum(x => Math.Exp(x - most));
        logSumExp = most + Math.Log(sum);
        double total = logSumExp;
        return [.. s.Select(x => Math.Exp(x - total))];
    }

    private int At(int row, int head) => (row * _heads + head) * _dim;

    private int KvAt(int row, int head) => (row * _kvHeads + head * _kvHeads / _heads) * _dim;
}
