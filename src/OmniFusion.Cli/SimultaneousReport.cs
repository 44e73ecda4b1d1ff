using System.Globalization;
using OmniFusion.Evaluation;

namespace OmniFusion.Cli;

/// <summary>The result of an evaluation, with what makes it reproducible.</summary>
/// <param name="Signature">System, set and conventions.</param>
/// <param name="Scores">What came out; seconds.</param>
internal sealed record SimultaneousReport(string Signature, SimultaneousScores Scores)
{
    /// <summary>The table for people.</summary>
    internal string Show()
    {
        SimultaneousScores s = Scores;
        List<string> lines =
        [
            Invariant($"recordings    {s.Recordings} ({s.Sentences} sentences, {s.AudioSeconds:0.0} s)"),
            Invariant($"BLEU          {s.Bleu,8:0.00}            {s.BleuSignature}"),
            Invariant($"chrF          {s.ChrF,8:0.00}            {s.ChrFSignature}"),
            "latency (s)      plain  with computation",
        ];
        if (s.StreamLaal is { } laal)
            lines.Add(Row("StreamLAAL", laal));
        if (s.LongYaal is { } yaal)
            lines.Add(Row("LongYAAL", yaal));
        lines.AddRange(
        [
            Row("AL", s.AL), Row("LAAL", s.LAAL), Row("DAL", s.DAL), Row("ATD", s.ATD), Row("YAAL", s.YAAL), Row("AP (no unit)", s.AP),
            Row("start offset", s.StartOffset), Row("end offset", s.EndOffset),
            Row("word median", new LatencyPair(s.Words?.Median, s.WordsComputationAware?.Median)),
            Row("word 90 %", new LatencyPair(s.Words?.P90, s.WordsComputationAware?.P90)),
            Row("word 99 %", new LatencyPair(s.Words?.P99, s.WordsComputationAware?.P99)),
            Invariant($"chunks        {Number(s.NumChunks),8}  pieces of output, {Number(s.Steps).Trim()} steps a recording"),
            Invariant($"flicker       {Number(s.NormalizedErasure),8}  taken back for each that stays"),
            Invariant($"real time     {Number(s.RealTimeFactor),8}  seconds of computation for one of audio"),
            Signature,
        ]);
        return string.Join(Environment.NewLine, lines);
    }

    private static string Row(string name, LatencyPair latency) =>
        $"{name,-13} {Number(latency.Plain),8}  {Number(latency.ComputationAware),8}";

    private static string Number(double? value) => value is { } number ? number.ToString("0.000", CultureInfo.InvariantCulture) : "-";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
