using OmniFusion.Evaluation;

namespace OmniFusion.Cli;

/// <summary>A metric as <c>evaluate text</c> computes it.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Measure">From hypotheses and sets of references to a measurement.</param>
internal sealed record TextMetric(string Name, Func<string[], string[][], TextMeasurement> Measure)
{
    /// <summary>Names of the metrics, in the order of the table.</summary>
    internal static readonly string[] Names = ["bleu", "chrf", "chrf++", "ter", "wer", "cer"];

    private static readonly (string Name, BleuTokenizer Tokenizer)[] s_tokenizers =
    [
        ("13a", BleuTokenizer.V13a), ("intl", BleuTokenizer.International), ("char", BleuTokenizer.Character),
        ("zh", BleuTokenizer.Chinese), ("none", BleuTokenizer.None),
    ];

    /// <summary>The metrics that the options ask for.</summary>
    /// <exception cref="UsageException">There is no metric or tokenizer of a name.</exception>
    internal static IReadOnlyList<TextMetric> Create(string? names, string? tokenizers, bool lowercase, bool normalize)
    {
        string[] wanted = List("--metrics", names, Names) ?? Names;
        string[] splitters = List("--tokenize", tokenizers, s_tokenizers.Select(pair => pair.Name)) ?? ["13a"];
        return [.. Names.Where(wanted.Contains).SelectMany(name => name switch
        {
            "bleu" => splitters.Select(splitter => Bleu(splitter, lowercase)),
            "chrf" => [ChrF("chrF2", new ChrFOptions { Lowercase = lowercase })],
            "chrf++" => [ChrF("chrF2++", ChrFOptions.PlusPlus with { Lowercase = lowercase })],
            "ter" => [Ter()],
            "wer" => [ErrorRate("WER", "words", normalize, WordErrors.Statistics)],
            _ => (IEnumerable<TextMetric>)[ErrorRate("CER", "characters", normalize, WordErrors.CharacterStatistics)],
        })];
    }

    private static string[]? List(string option, string? names, IEnumerable<string> known)
    {
        string[]? all = names?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? wrong = all is [] ? names : all?.Except(known).FirstOrDefault();
        return wrong is null ? all?.Distinct().ToArray()
            : throw new UsageException($"{option} takes {string.Join(", ", known)}, not '{wrong}'.");
    }

    private static TextMetric Bleu(string splitter, bool lowercase)
    {
        BleuOptions options = new() { Tokenizer = s_tokenizers.First(pair => pair.Name == splitter).Tokenizer, Lowercase = lowercase };
        return new TextMetric($"BLEU {splitter}", (hypotheses, references) => new TextMeasurement(
            Evaluation.Bleu.Statistics(hypotheses, references, options),
            Evaluation.Bleu.Corpus([""], Blanks(references), options).Signature));
    }

    private static TextMetric ChrF(string name, ChrFOptions options) => new(name, (hypotheses, references) => new TextMeasurement(
        Evaluation.ChrF.Statistics(hypotheses, references, options),
        Evaluation.ChrF.Corpus([""], Blanks(references), options).Signature));

    private static TextMetric Ter() => new("TER", (hypotheses, references) => new TextMeasurement(
        Evaluation.Ter.Statistics(hypotheses, references),
        Evaluation.Ter.Corpus([""], Blanks(references)).Signature));

    // A signature depends on the number of references alone, so the texts themselves are compared only once.
    private static string[][] Blanks(string[][] references) => [.. references.Select(_ => new[] { "" })];

    // There is no agreed rate for several references: the first counts, and the signature says so.
    private static TextMetric ErrorRate(
        string name, string unit, bool normalize, Func<IReadOnlyList<string>, IReadOnlyList<string>, SegmentStatistics> statistics)
    {
        Func<string, string> prepare = normalize ? TextNormalizer.ForRecognition : text => text;
        return new TextMetric(name, (hypotheses, references) => new TextMeasurement(
            statistics([.. references[0].Select(prepare)], [.. hypotheses.Select(prepare)]),
            "nrefs:1|" + EvaluationSignature.Of(("unit", unit), ("case", normalize ? "lc" : "mixed"), ("punct", normalize ? "no" : "yes")),
            Scale: 100));
    }
}

/// <summary>The statistics of a system under a metric.</summary>
/// <param name="Statistics">Of each sentence.</param>
/// <param name="Signature">Settings of the metric.</param>
/// <param name="Scale">What scores are multiplied with to be percent.</param>
internal sealed record TextMeasurement(SegmentStatistics Statistics, string Signature, double Scale = 1);
