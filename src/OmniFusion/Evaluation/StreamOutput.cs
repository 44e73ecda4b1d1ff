namespace OmniFusion.Evaluation;

/// <summary>A segment of a reference translation of a longer recording.</summary>
/// <param name="Text">The translation.</param>
/// <param name="Start">Seconds from the start of the recording.</param>
/// <param name="Duration">Seconds, positive.</param>
public sealed record ReferenceSegment(string Text, double Start, double Duration);

/// <summary>What a system put out for a whole recording, with the time of each word (or character).</summary>
public sealed record StreamOutput
{
    /// <summary>The name of the recording.</summary>
    public string Name { get; init; } = "";

    /// <summary>The final text.</summary>
    public required string Text { get; init; }

    /// <summary>For each unit of the text, seconds of audio that had been heard when it took its final form.</summary>
    public required IReadOnlyList<double> IdealDelays { get; init; }

    /// <summary>The same with the time of computation.</summary>
    public required IReadOnlyList<double> ComputationAwareDelays { get; init; }

    /// <summary>Units that were shown and taken back.</summary>
    public int DeletedUnits { get; init; }

    /// <summary>Seconds of audio processed.</summary>
    public double AudioSeconds { get; init; }

    /// <summary>Seconds of computation.</summary>
    public double ComputationSeconds { get; init; }

    /// <summary>Steps that the system took, those that put out nothing included; 0 if unknown.</summary>
    public int Steps { get; init; }

    /// <summary>Normalized erasure (Arivazhagan et al., IWSLT 2020): units taken back for each unit of the final text.</summary>
    public double NormalizedErasure => IdealDelays.Count > 0 ? (double)DeletedUnits / IdealDelays.Count : 0;

    /// <summary>Seconds of computation for a second of audio.</summary>
    public double RealTimeFactor => AudioSeconds > 0 ? ComputationSeconds / AudioSeconds : 0;

    /// <summary>The units of a text: words between spaces, or code points.</summary>
    internal static string[] Units(string text, LatencyUnit unit) => unit == LatencyUnit.Word
        ? text.Split([' ', '\t', '\n', '\r', '\v', '\f'], StringSplitOptions.RemoveEmptyEntries)
        : [.. PythonText.CodePoints(text).Select(c => c < 0x10000 ? ((char)c).ToString() : char.ConvertFromUtf32(c))];
}
