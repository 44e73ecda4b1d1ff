using System.Globalization;
using OmniFusion.Evaluation;

namespace OmniFusion.Cli;

/// <summary>The points of a sweep as a table, and how far each fused system is ahead of each cascade.</summary>
internal static class CurveTable
{
    internal static string Show(IReadOnlyList<CurvePoint> points)
    {
        List<string> lines =
            ["system                policy                 chunk threads    BLEU  latency  with computation  word 50 %  word 90 %  word 99 %    RTF"];
        lines.AddRange(points.OrderBy(point => point.Setting.System, StringComparer.Ordinal).ThenBy(point => point.Setting.Threads)
            .ThenBy(point => point.Latency(true) ?? double.MaxValue).Select(Row));
        foreach (int threads in points.Select(point => point.Setting.Threads).Distinct().Order())
        {
            CurvePoint[] same = [.. points.Where(point => point.Setting.Threads == threads)];
            string[] systems = [.. same.Select(point => point.Setting.System).Distinct()];
            foreach (string cascade in systems.Where(SimultaneousSystem.IsCascade))
                foreach (string own in systems.Where(system => !SimultaneousSystem.IsCascade(system)))
                {
                    lines.Add("");
                    lines.AddRange(Leads(same, own, cascade, threads, computationAware: false));
                    lines.AddRange(Leads(same, own, cascade, threads, computationAware: true));
                }
        }
        return string.Join(Environment.NewLine, lines);
    }

    internal static string Row(CurvePoint point)
    {
        CurveSetting setting = point.Setting;
        WordLatencies? words = point.Scores.WordsComputationAware;
        return string.Create(CultureInfo.InvariantCulture,
            $"{setting.System,-21} {setting.Policy,-22} {setting.Chunk,5} {setting.Threads,7} {point.Scores.Bleu,7:0.00} "
            + $"{point.Latency(false),8:0.000} {point.Latency(true),17:0.000} {words?.Median,10:0.000} {words?.P90,10:0.000} "
            + $"{words?.P99,10:0.000} {point.Scores.RealTimeFactor,6:0.000}");
    }

    private static IEnumerable<string> Leads(CurvePoint[] points, string own, string cascade, int threads, bool computationAware)
    {
        string what = $"at equal BLEU, {threads} thread{(threads == 1 ? "" : "s")}, {(computationAware ? "with" : "without")} computation:";
        IReadOnlyList<Lead> leads = Curve(points, own, computationAware).LeadOver(Curve(points, cascade, computationAware));
        if (leads.Count == 0)
        {
            yield return $"{what} {own} and {cascade} have no quality in common";
            yield break;
        }
        double[] seconds = [.. leads.Select(lead => lead.Seconds)];
        yield return string.Create(CultureInfo.InvariantCulture,
            $"{what} {own} is ahead of {cascade} by {seconds.Average():0.000} s on the mean ({seconds.Min():0.000} to {seconds.Max():0.000})");
        foreach (Lead lead in leads)
            yield return string.Create(CultureInfo.InvariantCulture, $"  BLEU {lead.Quality,6:0.00}: {own} {lead.Latency,7:0.000} s, "
                + $"{cascade} {lead.OtherLatency,7:0.000} s, lead {lead.Seconds,7:0.000} s");
    }

    private static QualityLatencyCurve Curve(CurvePoint[] points, string system, bool computationAware) => new(points
        .Where(point => point.Setting.System == system && point.Latency(computationAware) is not null)
        .Select(point => (point.Latency(computationAware)!.Value, point.Scores.Bleu)));
}
