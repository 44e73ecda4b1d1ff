using System.Globalization;

namespace OmniFusion.Training;

/// <summary>When a training is warned of; counted in lines of its log.</summary>
internal sealed record MonitorLimits
{
    /// <summary>Lines that something must last before it is told.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>Mean weight below which a layer has no say.</summary>
    public double SmallestGate { get; init; } = 0.01;

    /// <summary>Share of the largest possible entropy, ln of the number of layers, below which tokens do not mix layers.</summary>
    public double SmallestEntropy { get; init; } = 0.05;

    /// <summary>Lines over which losses are averaged before they are compared.</summary>
    public int Window { get; init; } = 25;

    /// <summary>Share by which a loss falls from one window to the next that counts as falling.</summary>
    public double Falling { get; init; } = 0.03;
}

/// <summary>
/// Looks at the lines of a training's log one after the other and says when the fusion degenerates: when a layer's gate closes, when all
/// gates harden, or when one kind of example is no longer learnt while another is. What it says depends on the lines alone, so that a
/// resumed training, which reads its log again, says the same. Everything is told once, and again only when it went away in between.
/// </summary>
internal sealed class TrainingMonitor(MonitorLimits limits)
{
    private readonly Dictionary<string, int> _lasting = [];
    private readonly Dictionary<string, List<double>> _losses = [];

    /// <summary>Reads the next line.</summary>
    /// <returns>What there is to warn of, a sentence each.</returns>
    internal IReadOnlyList<string> Read(TrainingFigures figures) => [.. Gates(figures), .. Losses(figures)];

    private IEnumerable<string> Gates(TrainingFigures figures)
    {
        // A single layer has all the weight.
        if (figures.Gates.Count < 2)
            yield break;
        for (int i = 0; i < figures.Gates.Count; i++)
            if (Lasts($"gate {i}", figures.Gates[i] < limits.SmallestGate))
                yield return Invariant($"gate {i} has closed: its mean weight is {figures.Gates[i]:0.0000}, and was below ")
                    + Invariant($"{limits.SmallestGate} for {limits.Patience} lines of the log");
        double share = (figures.GateEntropy ?? double.PositiveInfinity) / Math.Log(figures.Gates.Count);
        if (Lasts("entropy", share < limits.SmallestEntropy))
            yield return Invariant($"the gates have hardened: their entropy is {100 * share:0.0} % of the largest possible, and was below ")
                + Invariant($"{100 * limits.SmallestEntropy:0.#} % for {limits.Patience} lines of the log");
    }

    private IEnumerable<string> Losses(TrainingFigures figures)
    {
        foreach ((string kind, double loss) in figures.Losses)
        {
            if (!_losses.TryGetValue(kind, out List<double>? series))
                _losses[kind] = series = [];
            series.Add(loss);
            if (series.Count > 2 * limits.Window)
                series.RemoveAt(0);
        }
        (string Kind, double Fall)[] falls = [.. _losses.Where(item => item.Value.Count == 2 * limits.Window)
            .Select(item => (item.Key, 1 - item.Value.TakeLast(limits.Window).Average() / item.Value.Take(limits.Window).Average()))];
        foreach ((string kind, double fall) in falls)
        {
            (string other, double most) = falls.MaxBy(item => item.Fall);
            // A line without examples of the kind says nothing about it.
            if (figures.Losses.ContainsKey(kind) && Lasts("loss of " + kind, fall <= 0 && most >= limits.Falling))
                yield return Invariant($"the loss of {kind} has stopped falling ({Signed(fall)} over {limits.Window} lines of the log) ")
                    + Invariant($"while that of {other} falls ({Signed(most)})");
        }
    }

    // True at the line at which it has lasted long enough.
    private bool Lasts(string what, bool holds)
    {
        int lines = holds ? _lasting.GetValueOrDefault(what) + 1 : 0;
        _lasting[what] = lines;
        return lines == limits.Patience;
    }

    private static string Signed(double fall) => Invariant($"{-100 * fall:+0.0;-0.0;0.0} %");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
