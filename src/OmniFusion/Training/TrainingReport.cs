namespace OmniFusion.Training;

/// <summary>Figures that a training sums up between two lines of its log, by name.</summary>
internal static class TrainingReport
{
    /// <summary>Adds to the sum of a figure, which starts at zero.</summary>
    internal static void Tally(this IDictionary<string, double> report, string name, double value) =>
        report[name] = (report.TryGetValue(name, out double sum) ? sum : 0) + value;
}
