using System.CommandLine;
using OmniFusion.Evaluation;

namespace OmniFusion.Cli;

/// <summary>How confidence intervals and paired tests are drawn.</summary>
/// <param name="Resamples">Test sets drawn; 0 for no intervals and no tests.</param>
/// <param name="Seed">Fixes what is drawn.</param>
internal sealed record BootstrapOptions(int Resamples, ulong Seed)
{
    private const int Usual = 1000, UsualSeed = 12345, Most = 1_000_000;

    internal static (Option<int?> Resamples, Option<int?> Seed) Create() =>
        (Options.Whole("--resamples", $"Bootstrap resamples for confidence intervals and tests; 0 for none (default: {Usual})", 0, Most),
            Options.Whole("--seed", $"Seed of the bootstrap (default: {UsualSeed})", 0, int.MaxValue));

    internal static BootstrapOptions Read(ParseResult arguments, (Option<int?> Resamples, Option<int?> Seed) options) =>
        new(arguments.GetValue(options.Resamples) ?? Usual, (ulong)(arguments.GetValue(options.Seed) ?? UsualSeed));

    /// <summary>The interval of a score, or null where none is wanted.</summary>
    internal BootstrapInterval? Interval(SegmentStatistics statistics) =>
        Resamples == 0 ? null : Bootstrap.Confidence(statistics, Resamples, Seed);

    /// <summary>The comparison of two systems, or null where none is wanted.</summary>
    internal PairedBootstrap? Compare(SegmentStatistics baseline, SegmentStatistics system) =>
        Resamples == 0 ? null : Bootstrap.Paired(baseline, system, Resamples, Seed);
}
