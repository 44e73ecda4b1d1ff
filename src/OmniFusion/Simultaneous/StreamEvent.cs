namespace OmniFusion.Simultaneous;

/// <summary>
/// What a step of a simultaneous translation brought to one segment of speech: where a step ends one and begins the next, it is two events.
/// </summary>
/// <param name="AudioSeconds">Audio taken so far, from the start of the stream.</param>
/// <param name="WallSeconds">Time since the start of the stream, or the time computed so far where it is not played in real time.</param>
/// <param name="Committed">New text that will not change; texts of all events one after the other are the translation.</param>
/// <param name="Tentative">What would follow now, and may change.</param>
/// <param name="Deleted">
/// Characters at the end of what was committed that this event takes back, before it adds: only where the policy revises.
/// </param>
/// <param name="EndsSegment">Whether the segment ended here; what follows belongs to the next one.</param>
public sealed record StreamEvent(
    double AudioSeconds, double WallSeconds, string Committed, string Tentative, int Deleted, bool EndsSegment)
{
    /// <summary>
    /// Seconds from the start of the stream at which the segment began; where nobody speaks, the last one.
    /// </summary>
    public double SegmentStart { get; init; }

    /// <summary>Seconds from the start of the stream at which the last speech of that segment was heard.</summary>
    public double SpeechEnd { get; init; }

    /// <summary>
    /// What the thinker hears in this segment so far, which may still change: in a cascade and in a chain of thought; null otherwise, and
    /// before it has heard a word.
    /// </summary>
    public string? Transcript { get; init; }

    /// <summary>As <see cref="SpeechDecoder.LogMelDeviation"/> says.</summary>
    public float LogMelDeviation { get; init; }
}
