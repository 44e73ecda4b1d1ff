namespace OmniFusion.Evaluation;

/// <summary>What a latency metric counts as one piece of output.</summary>
public enum LatencyUnit
{
    /// <summary>Words, separated by spaces.</summary>
    Word,

    /// <summary>Characters (code points), for languages without spaces.</summary>
    Character,
}

/// <summary>A measure of latency; the names are SimulEval's and OmniSTEval's.</summary>
public enum LatencyMetric
{
    /// <summary>Average Lagging (Ma et al., ACL 2019).</summary>
    AL,

    /// <summary>Length-Adaptive Average Lagging (Polák et al., IWSLT 2022; Papi et al., AutoSimTrans 2022).</summary>
    LAAL,

    /// <summary>Average Proportion (Cho and Esipova, 2016); without a unit.</summary>
    AP,

    /// <summary>Differentiable Average Lagging (Arivazhagan et al., ACL 2019).</summary>
    DAL,

    /// <summary>Average Token Delay (Kano et al., Interspeech 2023); milliseconds only.</summary>
    ATD,

    /// <summary>YAAL (arXiv 2509.17349): LAAL of the words before the end of the source; a sentence without any is skipped.</summary>
    YAAL,

    /// <summary>YAAL without the cut at the end of a segment, for segments of a longer recording.</summary>
    LongYAAL,

    /// <summary>The delay of the first word.</summary>
    StartOffset,

    /// <summary>The delay of the last word less the length of the source.</summary>
    EndOffset,

    /// <summary>Pieces of output.</summary>
    NumChunks,

    /// <summary>Real-time factor: the delay of the last word for the length of the source; without a unit.</summary>
    RTF,
}

/// <summary>One sentence's output with the time of each piece; all times in one unit, milliseconds in SimulEval.</summary>
public sealed record LatencyInstance
{
    /// <summary>The sentence's number.</summary>
    public int Index { get; init; }

    /// <summary>The name of the recording; null if unknown.</summary>
    public string? Source { get; init; }

    /// <summary>The translation.</summary>
    public string Prediction { get; init; } = "";

    /// <summary>The reference translation; null: the length of the output takes the place of its length.</summary>
    public string? Reference { get; init; }

    /// <summary>The length of the source, positive.</summary>
    public required double SourceLength { get; init; }

    /// <summary>For each word, how much of the source had been read when it was put out.</summary>
    public required IReadOnlyList<double> Delays { get; init; }

    /// <summary>The same with the time of computation, as long as <see cref="Delays"/>; null if not measured.</summary>
    public IReadOnlyList<double>? Elapsed { get; init; }
}

/// <summary>A latency of a test set.</summary>
/// <param name="Mean">The mean over the sentences that count; NaN if there is none.</param>
/// <param name="PerInstance">Each sentence's latency; null where the sentence is skipped.</param>
public sealed record LatencyScore(double Mean, IReadOnlyList<double?> PerInstance);
