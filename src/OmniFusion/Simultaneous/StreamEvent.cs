namespace OmniFusion.Simultaneous;

/// <summary>What a step of a simultaneous translation brought.</summary>
/// <param name="AudioSeconds">Audio taken so far, from the start of the stream.</param>
/// <param name="WallSeconds">Time since the start of the stream, or the time computed so far where it is not played in real time.</param>
/// <param name="Committed">New text that will not change; texts of all events one after the other are the translation.</param>
/// <param name="Tentative">What would follow now, and may change.</param>
/// <param name="Deleted">
/// Characters at the end of what was committed that this event takes back, before it adds: only where the policy revises.
/// </param>
/// <param name="EndsSegment">Whether a segment ended here.</param>
public sealed record StreamEvent(
    double AudioSeconds, double WallSeconds, string Committed, string Tentative, int Deleted, bool EndsSegment)
{
    /// <summary>
    /// Seconds from the start of the stream at which a segment of speech began: the one that ended here, otherwise the present one,
    /// otherwise the last.
    /// </summary>
    public double SegmentStart { get; init; }

    /// <summary>Seconds from the start of the stream at which the last speech of that segment was heard.</summary>
    public double SpeechEnd { get; init; }
}
