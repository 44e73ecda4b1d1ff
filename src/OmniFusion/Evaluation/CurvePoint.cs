namespace OmniFusion.Evaluation;

/// <summary>What decides a point of a quality-latency curve; two points with equal settings are the same measurement.</summary>
/// <param name="Set">The test set with a digest, and its size.</param>
/// <param name="Language">Code of the target language.</param>
/// <param name="Model">The model's name with a digest.</param>
/// <param name="System">fused or cascade.</param>
/// <param name="Policy">As it is written on the command line.</param>
/// <param name="Chunk">Seconds of audio in a step.</param>
/// <param name="Threads">Threads that it computed on.</param>
public sealed record CurveSetting(string Set, string Language, string Model, string System, string Policy, double Chunk, int Threads)
{
    /// <summary>Seconds of silence that end a segment; null as the model says.</summary>
    public double? Pause { get; init; }

    /// <summary>Seconds of silence that end a segment whose sentence is complete; null as the model says.</summary>
    public double? SentencePause { get; init; }

    /// <summary>Which pictures were seen: none, given or unrelated; null where there could be none, or an older version did not say.</summary>
    public string? Images { get; init; }

    /// <summary>A digest of what was heard and seen; null in a point of an older version.</summary>
    public string? Media { get; init; }

    /// <summary>The program's version; null in a point of an older one.</summary>
    public string? Version { get; init; }

    /// <summary>The policy without its parameters, by which points make a line.</summary>
    [global::System.Text.Json.Serialization.JsonIgnore]
    public string Family => Policy.Split(':')[0];
}

/// <summary>A point of a quality-latency curve.</summary>
/// <param name="Setting">What was measured.</param>
/// <param name="Scores">What came out.</param>
public sealed record CurvePoint(CurveSetting Setting, SimultaneousScores Scores)
{
    /// <summary>The main latency, in seconds; null if the system put out nothing or its computation was not timed.</summary>
    public double? Latency(bool computationAware) =>
        computationAware ? Scores.MainLatency.ComputationAware : Scores.MainLatency.Plain;
}
