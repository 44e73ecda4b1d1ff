using System.Globalization;
using OmniFusion.Evaluation;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;

namespace OmniFusion.Cli;

/// <summary>What is taken away from a model.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Image">Which picture it sees.</param>
/// <param name="Part">What is left of the model.</param>
internal sealed record AblationCondition(string Name, ContrastiveImage Image, Func<OmniFusionModel, OmniFusionModel> Part)
{
    /// <summary>Nothing is taken away.</summary>
    internal static readonly AblationCondition Whole = new("whole", ContrastiveImage.Own, model => model);

    /// <summary>All that can be taken away from a model, the whole of it first.</summary>
    internal static IEnumerable<AblationCondition> Of(OmniFusionModel model)
    {
        int[] states = model.Parts.Fusion.Selected(model.Parts.Thinker.Layers);
        return
        [
            Whole, Whole with { Name = "no image", Image = ContrastiveImage.None },
            Whole with { Name = "wrong image", Image = ContrastiveImage.Mismatched },
            .. states.Length < 2 ? []
                : states.Select((state, i) => new AblationCondition(
                    $"without state {state}", ContrastiveImage.Own, whole => whole.With(new AblatedFusion(whole.Parts.Fusion, i)))),
            .. model.Parts.Gloss is null ? []
                : (AblationCondition[])[new("without gloss", ContrastiveImage.Own, whole => whole.WithoutGloss())],
        ];
    }
}

/// <summary>The test sets of an ablation; at least one of the first two.</summary>
/// <param name="Contrastive">Pairs of translations, or null.</param>
/// <param name="Speech">Spoken sentences, or null.</param>
/// <param name="Images">Folder of unrelated pictures for them, or null.</param>
/// <param name="Language">Into which both are translated.</param>
/// <param name="Options">The search, and how many items are computed together.</param>
internal sealed record AblationData(
    ContrastiveSet? Contrastive, SpeechTestSet? Speech, string? Images, string Language, TranslationOptions Options)
{
    private bool Speaks => Contrastive?.Items.All(item => item.Audio is not null) == true;

    /// <summary>How many items are computed under a condition.</summary>
    internal int Steps(AblationCondition condition) =>
        (Contrastive?.Items.Count ?? 0) * (Speaks ? 2 : 1) + (Translates(condition) ? Speech!.Items.Count : 0);

    /// <summary>Measures a model under a condition.</summary>
    internal async Task<AblationRow> Measure(
        OmniFusionModel model, string name, AblationCondition condition, Action<int> advance, CancellationToken cancellation)
    {
        OmniFusionModel part = condition.Part(model);
        double? written = await Accuracy(speech: false), spoken = Speaks ? await Accuracy(speech: true) : null, bleu = null;
        if (Translates(condition))
        {
            IReadOnlyList<string> texts =
                await SpeechEvaluation.RunFused(part, Speech!, ImagesOf(condition), Options, advance, cancellation);
            bleu = Bleu.Corpus(texts, [.. Speech!.Items.Select(item => item.Translations[0])]).Score;
        }
        return new AblationRow(name, model.Parts.Fusion.Mode, condition.Name, written, spoken, bleu);

        async Task<double?> Accuracy(bool speech) => Contrastive is null ? null
            : ContrastiveEvaluation.Score(
                Contrastive,
                await ContrastiveEvaluation.RunAsync(
                    part, Contrastive, Language, new ContrastiveCondition(speech, condition.Image), Options, () => advance(1),
                    cancellation),
                resamples: 1).Accuracy.Score;
    }

    /// <summary>Which pictures the spoken sentences are seen with, and which wrong ones, for signatures; null where there are none.</summary>
    internal string? Pictures => Speech is null || !Translates(Wrong) ? null
        : $"{ImagesOf(AblationCondition.Whole).Signature},{ImagesOf(Wrong).Signature}";

    private static AblationCondition Wrong => AblationCondition.Whole with { Image = ContrastiveImage.Mismatched };

    // Without pictures there is nothing to take away or to exchange.
    private bool Translates(AblationCondition condition) => Speech is not null && condition.Image switch
    {
        ContrastiveImage.None => Speech.HasImages,
        ContrastiveImage.Mismatched => Speech.HasImages || Images is not null,
        _ => true,
    };

    private SpeechImages ImagesOf(AblationCondition condition) => condition.Image switch
    {
        ContrastiveImage.None => SpeechImages.Choose(Speech!, SpeechImages.None, null),
        ContrastiveImage.Mismatched => SpeechImages.Choose(Speech!, SpeechImages.Unrelated, Images),
        _ => SpeechImages.Choose(Speech!, null, null),
    };
}

/// <summary>A model under a condition.</summary>
/// <param name="Model">The bundle's folder.</param>
/// <param name="Fusion">Its fusion mode.</param>
/// <param name="Condition">What was taken away.</param>
/// <param name="TextAccuracy">Contrastive accuracy in percent, from written sentences.</param>
/// <param name="SpeechAccuracy">The same from recordings.</param>
/// <param name="SpeechBleu">BLEU of the fused model on spoken sentences.</param>
internal sealed record AblationRow(
    string Model, string Fusion, string Condition, double? TextAccuracy, double? SpeechAccuracy, double? SpeechBleu);

/// <summary>The table.</summary>
internal sealed record AblationReport(IReadOnlyList<AblationRow> Rows, string Signature)
{
    internal string Show()
    {
        (string Title, Func<AblationRow, double?> Value, string Format)[] columns = [.. new (string, Func<AblationRow, double?>, string)[]
        {
            ("text accuracy", row => row.TextAccuracy, "0.0"), ("speech accuracy", row => row.SpeechAccuracy, "0.0"),
            ("speech BLEU", row => row.SpeechBleu, "0.00"),
        }.Where(column => Rows.Any(row => column.Item2(row) is not null))];
        return string.Join(Environment.NewLine,
        [
            .. TextTable.Lines(
                [
                    ["model", "fusion", "condition", .. columns.Select(column => column.Title)],
                    .. Rows.Select(row => (string[])
                    [
                        row.Model, row.Fusion, row.Condition,
                        .. columns.Select(column => column.Value(row)?.ToString(column.Format, CultureInfo.InvariantCulture) ?? "-"),
                    ]),
                ],
                1, 2),
            Signature,
        ]);
    }
}
