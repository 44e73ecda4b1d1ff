using System.Globalization;

namespace OmniFusion.Evaluation;

/// <summary>A BLEU score with the figures it is made of.</summary>
/// <param name="Score">The score, 0 to 100.</param>
/// <param name="Precisions">Precision of each n-gram order in percent, shortest first.</param>
/// <param name="Counts">Matched n-grams of each order.</param>
/// <param name="Totals">N-grams of the hypotheses of each order.</param>
/// <param name="BrevityPenalty">The factor for hypotheses shorter than their references, 0 to 1.</param>
/// <param name="SysLen">Words of the hypotheses.</param>
/// <param name="RefLen">Words of the references closest in length.</param>
/// <param name="Signature">The settings that make the score reproducible, in sacrebleu's notation.</param>
public sealed record BleuScore(double Score, IReadOnlyList<double> Precisions, IReadOnlyList<long> Counts, IReadOnlyList<long> Totals,
    double BrevityPenalty, long SysLen, long RefLen, string Signature)
{
    /// <summary>The score line as sacrebleu prints it.</summary>
    public override string ToString()
    {
        string precisions = string.Join('/', Precisions.Select(p => p.ToString("F1", CultureInfo.InvariantCulture)));
        double ratio = RefLen > 0 ? (double)SysLen / RefLen : 0;
        return string.Create(CultureInfo.InvariantCulture,
            $"BLEU = {Score:F2} {precisions} (BP = {BrevityPenalty:F3} ratio = {ratio:F3} hyp_len = {SysLen} ref_len = {RefLen})");
    }
}
