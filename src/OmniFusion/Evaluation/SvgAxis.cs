using System.Globalization;

namespace OmniFusion.Evaluation;

/// <summary>A range with round ticks.</summary>
internal readonly record struct SvgAxis(double Low, double High, double Step)
{
    public static SvgAxis Of(IEnumerable<double> values, bool pad)
    {
        double low = values.DefaultIfEmpty(0).Min(), high = values.DefaultIfEmpty(1).Max();
        double size = Math.Max(Math.Abs(low), Math.Abs(high));
        if (high - low <= 1e-9 * size || high == low)
            (low, high) = (low - Math.Max(0.5, 0.1 * size), high + Math.Max(0.5, 0.1 * size));
        double step = RoundStep((high - low) / 5);
        return pad ? new SvgAxis(Math.Floor(low / step) * step, Math.Ceiling(high / step) * step, step) : new SvgAxis(low, high, step);
    }

    public double Position(double value) => (value - Low) / (High - Low);

    public IEnumerable<double> Ticks()
    {
        double first = Math.Ceiling(Low / Step - 1e-6);
        int count = (int)Math.Clamp(Math.Floor(High / Step + 1e-6) - first + 1, 0, 20);
        for (int i = 0; i < count; i++)
            yield return (first + i) * Step;
    }

    public string Label(double tick)
    {
        double size = Math.Max(Math.Abs(Low), Math.Abs(High));
        if (size >= 1e9 || Step < 1e-5)
            return tick.ToString("0.####e0", CultureInfo.InvariantCulture);
        (double unit, string suffix) = size >= 1e6 ? (1e6, "M") : size >= 1e4 ? (1e3, "k") : (1, "");
        int decimals = (int)Math.Max(0, Math.Ceiling(-Math.Log10(Step / unit) - 1e-9));
        return Math.Abs(tick) < Step / 2 ? "0" : (tick / unit).ToString("F" + decimals, CultureInfo.InvariantCulture) + suffix;
    }

    // 1, 2 or 5 times a power of ten.
    private static double RoundStep(double step)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(step))), leading = step / power;
        return power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10);
    }
}
