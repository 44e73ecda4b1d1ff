using System.Runtime.Intrinsics;
using Lanes = System.Runtime.Intrinsics.Vector256<float>;

namespace OmniFusion.Media;

/// <summary>
/// The power spectrum of eight real frames at once, one frame per vector lane. The N real samples are read as N/2 complex ones, go
/// through a self-sorting (Stockham) transform of radices 5, 4 and 2, and are unfolded to N/2 + 1 bins. A frame's result does not
/// depend on its lane.
/// </summary>
internal sealed class LogMelFourier
{
    private readonly Stage[] _stages;
    private readonly float[] _unfoldCos;
    private readonly float[] _unfoldSin;

    /// <summary>Plans transforms of <paramref name="length"/> real samples, an even number whose half has no factor but 2 and 5.</summary>
    public LogMelFourier(int length)
    {
        Half = length / 2;
        List<Stage> stages = [];
        int rest = Half;
        foreach (int radix in (ReadOnlySpan<int>)[5, 4, 2])
            for (; rest % radix == 0; rest /= radix)
                stages.Add(new Stage(radix, rest));
        _stages = [.. stages];
        _unfoldCos = [.. Enumerable.Range(0, Half / 2 + 1).Select(k => (float)Math.Cos(Math.PI * k / Half))];
        _unfoldSin = [.. Enumerable.Range(0, Half / 2 + 1).Select(k => (float)-Math.Sin(Math.PI * k / Half))];
    }

    /// <summary>How many complex samples a frame makes.</summary>
    public int Half { get; }

    /// <summary>Whether frames of this length can be transformed.</summary>
    public static bool Supports(int length)
    {
        if (length < 4 || length % 2 != 0)
            return false;
        int rest = length / 2;
        foreach (int radix in (ReadOnlySpan<int>)[5, 2])
            while (rest % radix == 0)
                rest /= radix;
        return rest == 1;
    }

    /// <summary>Computes |X[k]|^2 of every frame.</summary>
    /// <param name="real">Even samples, [Half]; destroyed.</param>
    /// <param name="imaginary">Odd samples, [Half]; destroyed.</param>
    /// <param name="spareReal">Work space, [Half].</param>
    /// <param name="spareImaginary">Work space, [Half].</param>
    /// <param name="power">The result, [Half + 1].</param>
    public void Power(Span<Lanes> real, Span<Lanes> imaginary, Span<Lanes> spareReal, Span<Lanes> spareImaginary, Span<Lanes> power)
    {
        int stride = 1;
        foreach (Stage stage in _stages)
        {
            stage.Run(stride, real, imaginary, spareReal, spareImaginary);
            Span<Lanes> done = spareReal;
            spareReal = real;
            real = done;
            done = spareImaginary;
            spareImaginary = imaginary;
            imaginary = done;
            stride *= stage.Radix;
        }

        // X[k] = E[k] + w^k O[k], X[Half-k] = conj(E[k] - w^k O[k]); E and O are the spectra of the even and the odd samples.
        power[0] = Square(real[0] + imaginary[0]);
        power[Half] = Square(real[0] - imaginary[0]);
        Lanes half = Vector256.Create(0.5f);
        for (int k = 1; k <= Half / 2; k++)
        {
            int mirror = Half - k;
            Lanes evenRe = (real[k] + real[mirror]) * half, evenIm = (imaginary[k] - imaginary[mirror]) * half;
            Lanes oddRe = (imaginary[k] + imaginary[mirror]) * half, oddIm = (real[mirror] - real[k]) * half;
            Lanes cos = Vector256.Create(_unfoldCos[k]), sin = Vector256.Create(_unfoldSin[k]);
            Lanes turnedRe = oddRe * cos - oddIm * sin, turnedIm = oddRe * sin + oddIm * cos;
            power[k] = Square(evenRe + turnedRe) + Square(evenIm + turnedIm);
            power[mirror] = Square(evenRe - turnedRe) + Square(evenIm - turnedIm);
        }
    }

    private static Lanes Square(Lanes x) => x * x;

    /// <summary>One pass of butterflies over sub-transforms of one length.</summary>
    private sealed class Stage
    {
        private const float Cos1 = 0.30901699437494742f, Sin1 = 0.95105651629515357f; // of 2 pi / 5
        private const float Cos2 = -0.80901699437494742f, Sin2 = 0.58778525229247313f; // of 4 pi / 5

        private readonly int _groups;
        private readonly float[] _cos;
        private readonly float[] _sin;

        public Stage(int radix, int length)
        {
            Radix = radix;
            _groups = length / radix;
            _cos = new float[length];
            _sin = new float[length];
            for (int i = 0; i < length; i++)
            {
                double angle = -2 * Math.PI * (i / radix) * (i % radix) / length;
                (_cos[i], _sin[i]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
            }
        }

        public int Radix { get; }

        public void Run(int stride, ReadOnlySpan<Lanes> re, ReadOnlySpan<Lanes> im, Span<Lanes> outRe, Span<Lanes> outIm)
        {
            int step = stride * _groups;
            for (int group = 0; group < _groups; group++)
            {
                ReadOnlySpan<float> cos = _cos.AsSpan(group * Radix, Radix), sin = _sin.AsSpan(group * Radix, Radix);
                for (int q = 0; q < stride; q++)
                {
                    int from = q + stride * group, to = q + stride * Radix * group;
                    if (Radix == 5)
                        Five(re, im, from, step, outRe, outIm, to, stride, cos, sin);
                    else if (Radix == 4)
                        Four(re, im, from, step, outRe, outIm, to, stride, cos, sin);
                    else
                        Two(re, im, from, step, outRe, outIm, to, stride, cos, sin);
                }
            }
        }

        private static void Two(ReadOnlySpan<Lanes> re, ReadOnlySpan<Lanes> im, int from, int step, Span<Lanes> outRe, Span<Lanes> outIm,
            int to, int stride, ReadOnlySpan<float> cos, ReadOnlySpan<float> sin)
        {
            (Lanes aRe, Lanes aIm) = (re[from], im[from]);
            (Lanes bRe, Lanes bIm) = (re[from + step], im[from + step]);
            (outRe[to], outIm[to]) = (aRe + bRe, aIm + bIm);
            Turn(aRe - bRe, aIm - bIm, cos[1], sin[1], out outRe[to + stride], out outIm[to + stride]);
        }

        private static void Four(ReadOnlySpan<Lanes> re, ReadOnlySpan<Lanes> im, int from, int step, Span<Lanes> outRe, Span<Lanes> outIm,
            int to, int stride, ReadOnlySpan<float> cos, ReadOnlySpan<float> sin)
        {
            (Lanes aRe, Lanes aIm) = (re[from], im[from]);
            (Lanes bRe, Lanes bIm) = (re[from + step], im[from + step]);
            (Lanes cRe, Lanes cIm) = (re[from + 2 * step], im[from + 2 * step]);
            (Lanes dRe, Lanes dIm) = (re[from + 3 * step], im[from + 3 * step]);
            Lanes sumRe = aRe + cRe, sumIm = aIm + cIm, otherRe = bRe + dRe, otherIm = bIm + dIm;
            Lanes leftRe = aRe - cRe, leftIm = aIm - cIm, crossRe = bRe - dRe, crossIm = bIm - dIm;
            (outRe[to], outIm[to]) = (sumRe + otherRe, sumIm + otherIm);
            Turn(leftRe + crossIm, leftIm - crossRe, cos[1], sin[1], out outRe[to + stride], out outIm[to + stride]);
            Turn(sumRe - otherRe, sumIm - otherIm, cos[2], sin[2], out outRe[to + 2 * stride], out outIm[to + 2 * stride]);
            Turn(leftRe - crossIm, leftIm + crossRe, cos[3], sin[3], out outRe[to + 3 * stride], out outIm[to + 3 * stride]);
        }

        private static void Five(ReadOnlySpan<Lanes> re, ReadOnlySpan<Lanes> im, int from, int step, Span<Lanes> outRe, Span<Lanes> outIm,
            int to, int stride, ReadOnlySpan<float> cos, ReadOnlySpan<float> sin)
        {
            (Lanes aRe, Lanes aIm) = (re[from], im[from]);
            (Lanes bRe, Lanes bIm) = (re[from + step], im[from + step]);
            (Lanes cRe, Lanes cIm) = (re[from + 2 * step], im[from + 2 * step]);
            (Lanes dRe, Lanes dIm) = (re[from + 3 * step], im[from + 3 * step]);
            (Lanes eRe, Lanes eIm) = (re[from + 4 * step], im[from + 4 * step]);
            Lanes outerRe = bRe + eRe, outerIm = bIm + eIm, innerRe = cRe + dRe, innerIm = cIm + dIm;
            Lanes spreadRe = bRe - eRe, spreadIm = bIm - eIm, gapRe = cRe - dRe, gapIm = cIm - dIm;
            Lanes nearRe = aRe + outerRe * Cos1 + innerRe * Cos2, nearIm = aIm + outerIm * Cos1 + innerIm * Cos2;
            Lanes farRe = aRe + outerRe * Cos2 + innerRe * Cos1, farIm = aIm + outerIm * Cos2 + innerIm * Cos1;
            Lanes nearTurnRe = spreadRe * Sin1 + gapRe * Sin2, nearTurnIm = spreadIm * Sin1 + gapIm * Sin2;
            Lanes farTurnRe = spreadRe * Sin2 - gapRe * Sin1, farTurnIm = spreadIm * Sin2 - gapIm * Sin1;
            (outRe[to], outIm[to]) = (aRe + outerRe + innerRe, aIm + outerIm + innerIm);
            Turn(nearRe + nearTurnIm, nearIm - nearTurnRe, cos[1], sin[1], out outRe[to + stride], out outIm[to + stride]);
            Turn(farRe + farTurnIm, farIm - farTurnRe, cos[2], sin[2], out outRe[to + 2 * stride], out outIm[to + 2 * stride]);
            Turn(farRe - farTurnIm, farIm + farTurnRe, cos[3], sin[3], out outRe[to + 3 * stride], out outIm[to + 3 * stride]);
            Turn(nearRe - nearTurnIm, nearIm + nearTurnRe, cos[4], sin[4], out outRe[to + 4 * stride], out outIm[to + 4 * stride]);
        }

        private static void Turn(Lanes re, Lanes im, float cos, float sin, out Lanes outRe, out Lanes outIm)
        {
            outRe = re * cos - im * sin;
            outIm = re * sin + im * cos;
        }
    }
}
