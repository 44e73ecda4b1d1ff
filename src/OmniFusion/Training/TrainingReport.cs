using OmniFusion.Tensors;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>
/// Figures that a training sums up between two lines of its log, by name. The log gets the mean over all steps; of names that start with #
/// the total; and of those given to <see cref="Sample"/> the mean over the steps that gave one.
/// </summary>
internal static class TrainingReport
{
    private const char Total = '#', Sampled = '~';

    /// <summary>Adds to the sum of a figure, which starts at zero.</summary>
    internal static void Tally(this IDictionary<string, double> report, string name, double value) =>
        report[name] = (report.TryGetValue(name, out double sum) ? sum : 0) + value;

    /// <summary>Adds a value of a figure that not every step has.</summary>
    internal static void Sample(this IDictionary<string, double> report, string name, double value)
    {
        report.Tally($"{Sampled}{name}", value);
        report.Tally($"{Total}{Sampled}{name}", 1);
    }

    /// <summary>Adds a loss that not every step has to its total, and counts the step.</summary>
    internal static void TallyLoss(this IDictionary<string, double> report, string name, Tensor loss)
    {
        report.Tally($"{Total}{name}_loss", loss.Span[0]);
        report.Tally($"{Total}{name}_steps", 1);
    }

    /// <summary>Adds what each kind of example lost: the sum over its tokens, and their number.</summary>
    /// <param name="report">Where to add.</param>
    /// <param name="batch">The examples.</param>
    /// <param name="targets">Their targets.</param>
    /// <param name="rowLosses">The loss of each target, one example after the other.</param>
    internal static void TallyKinds(this IDictionary<string, double> report, Example[] batch, int[][] targets, Tensor rowLosses)
    {
        int row = 0;
        for (int i = 0; i < batch.Length; i++)
        {
            double sum = 0;
            foreach (float loss in rowLosses.Span.Slice(row, targets[i].Length))
                sum += loss;
            row += targets[i].Length;
            report.Tally($"#{batch[i].Kind}_loss", sum);
            report.Tally($"#{batch[i].Kind}_tokens", targets[i].Length);
        }
    }

    /// <summary>Adds the mean of each gate over the rows, and their entropy, and counts the step; nothing where the fusion has no gates.</summary>
    internal static void TallyGates(this IDictionary<string, double> report, Tensor? gates)
    {
        if (gates is null)
            return;
        double[] means = new double[gates.Columns];
        double entropy = 0;
        for (int row = 0; row < gates.Rows; row++)
            for (int column = 0; column < gates.Columns; column++)
            {
                double gate = gates.Row(row)[column];
                means[column] += gate / gates.Rows;
                entropy -= gate > 0 ? gate * Math.Log(gate) / gates.Rows : 0;
            }
        for (int column = 0; column < means.Length; column++)
            report.Tally($"{Total}gate_{column}", means[column]);
        report.Tally($"{Total}gate_entropy", entropy);
        report.Tally($"{Total}gate_steps", 1);
    }

    /// <summary>What the log gets: figures that are numbers, because JSON knows no others.</summary>
    /// <param name="report">The sums.</param>
    /// <param name="steps">Steps that they are of.</param>
    internal static IEnumerable<(string Name, double Value)> Figures(IReadOnlyDictionary<string, double> report, int steps) =>
        from item in report
        where !item.Key.StartsWith($"{Total}{Sampled}", StringComparison.Ordinal) && double.IsFinite(item.Value)
        select item.Key[0] switch
        {
            Total => (item.Key[1..], item.Value),
            Sampled => (item.Key[1..], item.Value / report[Total + item.Key]),
            _ => (item.Key, item.Value / steps),
        };
}
