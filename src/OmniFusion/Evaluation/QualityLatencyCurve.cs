namespace OmniFusion.Evaluation;

/// <summary>How far one system is ahead of another at one quality.</summary>
/// <param name="Quality">BLEU.</param>
/// <param name="Latency">Seconds that the system needs for it.</param>
/// <param name="OtherLatency">Seconds that the other system needs for it.</param>
public readonly record struct Lead(double Quality, double Latency, double OtherLatency)
{
    /// <summary>Positive where the system is faster than the other.</summary>
    public double Seconds => OtherLatency - Latency;
}

/// <summary>
/// The best that a system reaches: those of its points that no other point beats in both latency and quality, joined by straight lines.
/// </summary>
public sealed class QualityLatencyCurve
{
    /// <summary>Two systems within so many BLEU are taken as equally good.</summary>
    public const double EqualQuality = 0.5;

    private readonly (double Latency, double Quality)[] _points;

    /// <summary>Takes all points of a system; those that are not finite are left out.</summary>
    public QualityLatencyCurve(IEnumerable<(double Latency, double Quality)> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        List<(double Latency, double Quality)> best = [];
        foreach ((double Latency, double Quality) point in points
            .Where(p => double.IsFinite(p.Latency) && double.IsFinite(p.Quality)).OrderBy(p => p.Latency).ThenByDescending(p => p.Quality))
        {
            if (best.Count == 0 || point.Quality > best[^1].Quality)
                best.Add(point);
        }
        _points = [.. best];
    }

    /// <summary>The points that count, latency and quality both rising.</summary>
    public IReadOnlyList<(double Latency, double Quality)> Points => _points;

    /// <summary>
    /// Seconds that the system needs for a quality, between its points by interpolation; up to <see cref="EqualQuality"/> outside of them,
    /// that of the nearest point; null further out.
    /// </summary>
    public double? LatencyAt(double quality)
    {
        if (_points.Length == 0 || quality < _points[0].Quality - EqualQuality || quality > _points[^1].Quality + EqualQuality)
            return null;
        int next = Array.FindIndex(_points, point => point.Quality >= quality);
        if (next <= 0)
            return _points[next < 0 ? ^1 : 0].Latency;
        ((double l0, double q0), (double l1, double q1)) = (_points[next - 1], _points[next]);
        return l0 + (l1 - l0) * (quality - q0) / (q1 - q0);
    }

    /// <summary>How far this system is ahead of another, at the quality of each point of both that both reach.</summary>
    public IReadOnlyList<Lead> LeadOver(QualityLatencyCurve other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return [.. _points.Concat(other._points).Select(point => point.Quality).Distinct().Order()
            .Select(quality => (Quality: quality, Own: LatencyAt(quality), Other: other.LatencyAt(quality)))
            .Where(at => at.Own is not null && at.Other is not null)
            .Select(at => new Lead(at.Quality, at.Own!.Value, at.Other!.Value))];
    }
}
