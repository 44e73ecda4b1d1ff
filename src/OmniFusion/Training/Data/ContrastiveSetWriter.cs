using OmniFusion.Checkpoints;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>
/// Writes sentences of an <see cref="AmbiguityCorpus"/> in the layout of CoMMuTE (Futeral et al., ACL 2023): <c>src.en</c>,
/// <c>correct.LL</c>, <c>incorrect.LL</c> and <c>img.order</c>, line by line about the same item, and the pictures in <c>images/</c>. Each
/// sentence stands on two neighbouring lines, once for either reading; what is correct on the one is incorrect on the other.
/// </summary>
public static class ContrastiveSetWriter
{
    /// <summary>Writes a set.</summary>
    /// <param name="corpus">The sentences.</param>
    /// <param name="split">Which of them: one of <see cref="AmbiguityCorpus.Splits"/>.</param>
    /// <param name="language">One of <see cref="AmbiguityCorpus.Languages"/>.</param>
    /// <param name="pictograms">The drawings.</param>
    /// <param name="maker">Whose drawings; in the fixed look of <see cref="SceneComposer.ComposeFixed"/>.</param>
    /// <param name="folder">Where to write; files of the same names are replaced.</param>
    /// <param name="composer">Draws the pictures; by default of 112 x 112 pixels.</param>
    /// <returns>Number of lines, two a sentence.</returns>
    /// <exception cref="OmniFusionException">
    /// There is no such split, language, maker, sentence or drawing, or the set cannot be written.
    /// </exception>
    public static int Write(
        AmbiguityCorpus corpus,
        string split,
        string language,
        PictogramPack pictograms,
        string maker,
        string folder,
        SceneComposer? composer = null)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(pictograms);
        if (!AmbiguityCorpus.Splits.Contains(split))
            throw new OmniFusionException($"There is no split '{split}', only {string.Join(", ", AmbiguityCorpus.Splits)}.");
        if (!AmbiguityCorpus.Languages.Contains(language))
            throw new OmniFusionException($"There is no language '{language}', only {string.Join(", ", AmbiguityCorpus.Languages)}.");
        if (!pictograms.Makers.Contains(maker))
            throw new OmniFusionException($"There are no pictograms of '{maker}', only of {string.Join(", ", pictograms.Makers)}.");
        AmbiguousSentence[] sentences = [.. corpus.Sentences.Where(sentence => sentence.Split == split)];
        if (sentences.Length == 0)
            throw new OmniFusionException($"The corpus has no sentence of the split '{split}'.");

        composer ??= new SceneComposer();
        string images = Path.Combine(folder, "images");
        AtomicFile.MakeFolder(images);
        List<string> source = [], correct = [], incorrect = [], order = [];
        HashSet<string> drawn = [];
        // Sentences of one word take turns among the pictures of a reading.
        Dictionary<string, int> turns = [];
        foreach (AmbiguousSentence sentence in sentences)
        {
            int turn = turns[sentence.Word.Word] = turns.GetValueOrDefault(sentence.Word.Word, -1) + 1;
            for (int reading = 0; reading < 2; reading++)
            {
                IReadOnlyList<string> pictures = sentence.Word.Pictures[reading];
                string hexcode = pictures[turn % pictures.Count];
                Pictogram pictogram = pictograms.Find(hexcode, maker)
                    ?? throw new OmniFusionException($"The picture {hexcode} of the word '{sentence.Word.Word}' is not in the pictograms.");
                string file = $"{maker}-{pictogram.Info.Hexcode}.png";
                if (drawn.Add(file))
                    PngWriter.Write(Path.Combine(images, file), composer.ComposeFixed([pictogram]));
                source.Add(sentence.English);
                correct.Add(sentence.Translations[language][reading]);
                incorrect.Add(sentence.Translations[language][1 - reading]);
                order.Add(file);
            }
        }
        foreach ((string name, List<string> lines) in
            new[] { ("src.en", source), ($"correct.{language}", correct), ($"incorrect.{language}", incorrect), ("img.order", order) })
            AtomicFile.WriteText(Path.Combine(folder, name), string.Join('\n', lines) + "\n");
        return source.Count;
    }
}
