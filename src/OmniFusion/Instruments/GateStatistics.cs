namespace OmniFusion.Instruments;

/// <summary>How a figure is spread over tokens.</summary>
/// <param name="Mean">Its mean.</param>
/// <param name="Deviation">Its standard deviation (of the tokens themselves, divided by their number).</param>
/// <param name="Quantiles">Its 5, 25, 50, 75 and 95 % quantiles, interpolated.</param>
public sealed record Spread(double Mean, double Deviation, IReadOnlyList<double> Quantiles)
{
    private static readonly double[] s_shares = [0.05, 0.25, 0.5, 0.75, 0.95];

    /// <summary>Of at least one value.</summary>
    internal static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        double mean = sorted.Average();
        return new Spread(mean, Math.Sqrt(sorted.Sum(value => (value - mean) * (value - mean)) / sorted.Length),
            [.. s_shares.Select(share => Quantile(sorted, share))]);
    }

    private static double Quantile(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        double above = sorted[Math.Min(below + 1, sorted.Length - 1)];
        return sorted[below] + (place - below) * (above - sorted[below]);
    }
}

/// <summary>The gates over all tokens of a kind.</summary>
/// <param name="Kind">prompt, image, audio, or all.</param>
/// <param name="Tokens">Number of tokens.</param>
/// <param name="Gates">The weight of each fused layer.</param>
/// <param name="Entropy">The entropy of a token's gates in nats: how far a token mixes layers.</param>
/// <param name="EntropyOfMean">
/// The entropy of the mean gates in nats. Where it is much larger than the mean of <paramref name="Entropy"/>, different tokens choose
/// different layers.
/// </param>
public sealed record GateStatistics(string Kind, int Tokens, IReadOnlyList<Spread> Gates, Spread Entropy, double EntropyOfMean)
{
    /// <summary>Of at least one token.</summary>
    internal static GateStatistics Of(string kind, IReadOnlyList<TokenGates> tokens)
    {
        Spread[] gates = [.. Enumerable.Range(0, tokens[0].Gates.Count)
            .Select(layer => Spread.Of(tokens.Select(token => (double)token.Gates[layer])))];
        return new GateStatistics(kind, tokens.Count, gates, Spread.Of(tokens.Select(token => token.Entropy)),
            0 - gates.Sum(gate => gate.Mean > 0 ? gate.Mean * Math.Log(gate.Mean) : 0));
    }
}

/// <summary>The gates over a data set.</summary>
/// <param name="Mode">The fusion mode.</param>
/// <param name="Layers">Numbers of the fused hidden states, in the order of the gates.</param>
/// <param name="Items">Inputs that were looked at.</param>
/// <param name="LargestEntropy">ln n of n layers: the entropy when all count alike.</param>
/// <param name="Kinds">Prompt, image and audio tokens as far as there are any, and all together.</param>
public sealed record GateReport(
    string Mode, IReadOnlyList<int> Layers, int Items, double LargestEntropy, IReadOnlyList<GateStatistics> Kinds);
