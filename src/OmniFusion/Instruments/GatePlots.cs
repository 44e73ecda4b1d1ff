using OmniFusion.Evaluation;

namespace OmniFusion.Instruments;

/// <summary>Pictures of gates, as SVG texts.</summary>
public static class GatePlots
{
    /// <summary>Mean gate of each layer by kind of token with its standard deviation, and the entropies below.</summary>
    public static string Bars(GateReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        SvgBars chart = new SvgBars($"Gates of {report.Mode} fusion by kind of token").Panel("mean weight, and standard deviation");
        foreach (GateStatistics kind in report.Kinds)
            for (int i = 0; i < report.Layers.Count; i++)
                chart.Bar(kind.Kind, State(report.Layers[i]), kind.Gates[i].Mean, kind.Gates[i].Deviation);
        chart.Panel(FormattableString.Invariant($"entropy in nats (largest possible: {report.LargestEntropy:0.000})"));
        foreach (GateStatistics kind in report.Kinds)
            chart.Bar(kind.Kind, "of a token", kind.Entropy.Mean, kind.Entropy.Deviation).Bar(kind.Kind, "of the mean", kind.EntropyOfMean);
        return chart.ToSvg();
    }

    /// <summary>Audio tokens x layers.</summary>
    /// <returns>The picture, or null where there is no audio.</returns>
    public static string? Time(GateMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return map.Tokens.All(token => token.Kind != TokenKind.Audio) ? null : new SvgHeatMap("Gates over time")
            .Time("weight of each hidden state", [.. map.Layers.Select(State)], map.Over(TokenKind.Audio), "seconds", GateMap.AudioSeconds)
            .ToSvg();
    }

    /// <summary>The image as a grid of its tokens, once for each layer.</summary>
    /// <returns>The picture, or null where there is no image.</returns>
    public static string? Space(GateMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        if (map.ImageHeight * map.ImageWidth == 0)
            return null;
        SvgHeatMap picture = new("Gates over the image");
        for (int i = 0; i < map.Layers.Count; i++)
            picture.Space($"weight of {State(map.Layers[i])}", map.OverImage(i));
        return picture.ToSvg();
    }

    private static string State(int layer) => $"hidden state {layer}";
}
