using System.Globalization;
using System.Text.Json.Serialization;

namespace OmniFusion.Cli;

/// <summary>A score with what makes it reproducible.</summary>
/// <param name="Name">WER or BLEU.</param>
/// <param name="Value">In percent, and BLEU's points.</param>
/// <param name="Lower">Lower end of the 95 % confidence interval.</param>
/// <param name="Upper">Its upper end.</param>
/// <param name="Seconds">What computing the texts took; null where they come with others.</param>
/// <param name="Signature">Settings of the metric.</param>
internal sealed record SpeechScore(string Name, double Value, double? Lower, double? Upper, double? Seconds, string Signature);

/// <summary>Word error rate of one voice in percent.</summary>
internal sealed record VoiceScore(string Voice, int Items, double Wer);

/// <summary>The figures of one language.</summary>
/// <param name="Language">Its code.</param>
/// <param name="Text">BLEU of the translator on what was really said.</param>
/// <param name="Cascade">BLEU of the translator on what the thinker wrote; its seconds are those of both.</param>
/// <param name="Fused">BLEU of the whole system on the speech.</param>
/// <param name="ChainOfThought">BLEU of the whole system on the speech and what the thinker wrote; its seconds are those of both.</param>
/// <param name="FusedChrF">chrF of the whole system.</param>
/// <param name="PValue">How probable a difference of fused and cascade as large is if both are equally good.</param>
/// <param name="ChainOfThoughtPValue">The same of chain of thought and cascade.</param>
internal sealed record LanguageScores(string Language, SpeechScore Text, SpeechScore Cascade, SpeechScore Fused, SpeechScore ChainOfThought,
    double FusedChrF, double? PValue, double? ChainOfThoughtPValue)
{
    /// <summary>chrF of each system.</summary>
    public required SystemFigures ChrF { get; init; }

    /// <summary>Settings of chrF.</summary>
    public required string ChrFSignature { get; init; }

    /// <summary>Share of translations that are equal to their reference, in percent.</summary>
    public required SystemFigures Exact { get; init; }

    /// <summary>Whether the references are single words, of which BLEU says nothing: they have no sequence of four.</summary>
    [JsonIgnore]
    public bool OfWords { get; init; }

    /// <summary>Share of terms that come out as they are written, in percent; null where the set has none.</summary>
    public SystemFigures? Terms { get; init; }
}

/// <summary>A figure of each system.</summary>
internal sealed record SystemFigures(double Text, double Cascade, double Fused, double ChainOfThought)
{
    internal string Show(string format, string unit = "") => string.Join(", ",
        new[] { (Fused, "fused"), (ChainOfThought, "chain of thought"), (Cascade, "cascade"), (Text, "text") }
            .Select(figure => figure.Item1.ToString(format, CultureInfo.InvariantCulture) + $"{unit} {figure.Item2}"));
}

/// <summary>The tables of a model card.</summary>
/// <param name="Items">Number of recordings.</param>
/// <param name="Recognizer">Word error rate of what the thinker writes.</param>
/// <param name="Voices">The same by voice, where voices are known.</param>
/// <param name="Languages">The translations.</param>
/// <param name="Signature">Model, set and search.</param>
internal sealed record SpeechReport(
    int Items, SpeechScore Recognizer, IReadOnlyList<VoiceScore> Voices, IReadOnlyList<LanguageScores> Languages, string Signature)
{
    /// <summary>Word error rate of what the fused states say by themselves, without pictures; null where there is no gloss.</summary>
    public SpeechScore? Gloss { get; init; }

    /// <summary>Word error rate by synthesiser, where the names of voices tell it before a colon.</summary>
    public IReadOnlyList<VoiceScore> Synthesizers { get; init; } = [];

    /// <summary>Share of terms that the recogniser writes as they are written, in percent; null where the set has none.</summary>
    public double? Terms { get; init; }

    internal string Show() => string.Join(Environment.NewLine,
    [
        $"items  {Items}",
        .. TextTable.Lines(
            [
                ["system", "to", "", "score", "95 % interval", "seconds", "signature"],
                Row("recogniser", "", Recognizer),
                .. Gloss is null ? [] : (string[][])[Row("gloss", "", Gloss)],
                .. Languages.SelectMany(language => (string[][])
                [
                    Row("text", language.Language, language.Text),
                    Row("cascade", language.Language, language.Cascade),
                    Row("fused", language.Language, language.Fused),
                    Row("chain of thought", language.Language, language.ChainOfThought),
                ]),
            ],
            1, 2, 6),
        .. Languages.SelectMany(language => (string[])
        [
            Against("fused", language, language.Fused, language.PValue),
            Against("chain of thought", language, language.ChainOfThought, language.ChainOfThoughtPValue),
            $"chrF, {language.Language}: {language.ChrF.Show("0.00")}",
            .. language.OfWords ? [$"as the reference, {language.Language}: {language.Exact.Show("0.0", " %")}"] : (string[])[],
        ]),
        .. Languages.Where(language => language.Terms is not null).Select(language => Invariant(
            $"terms, {language.Language}: as written in {language.Terms!.Show("0.0", " %")}; {Terms:0.0} % of the transcripts")),
        .. Table("synthesiser", Synthesizers),
        .. Table("voice", Voices),
        Signature,
    ]);

    private static IEnumerable<string> Table(string title, IReadOnlyList<VoiceScore> voices) => voices.Count < 2 ? [] : TextTable.Lines(
        [
            [title, "items", "WER"],
            .. voices.Select(voice => (string[])[voice.Voice, $"{voice.Items}", Invariant($"{voice.Wer:0.00}")]),
        ]);

    private static string Against(string system, LanguageScores language, SpeechScore score, double? pValue) =>
        Invariant($"{system}, {language.Language}: {score.Value - language.Cascade.Value:+0.00;-0.00} BLEU against the cascade")
        + (pValue is { } p ? Invariant($" (p = {p:0.0000})") : "");

    private static string[] Row(string system, string language, SpeechScore score) =>
    [
        system, language, score.Name, Invariant($"{score.Value:0.00}"),
        score.Lower is null ? "-" : Invariant($"{score.Lower:0.00} to {score.Upper:0.00}"),
        score.Seconds is null ? "-" : Invariant($"{score.Seconds:0}"), score.Signature,
    ];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
