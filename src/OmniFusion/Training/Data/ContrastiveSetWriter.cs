using OmniFusion.Checkpoints;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>
/// Writes sentences of an <see cref="AmbiguityCorpus"/> in the layout of CoMMuTE (Futeral et al., ACL 2023): <c>src.en</c>,
/// <c>correct.LL</c>, <c>incorrect.LL</c> and <c>img.order</c>, line by line about the same item, and the pictures in <c>images/</c>. Each
/// sentence stands on two neighbouring lines, once for either reading; what is correct on the one is incorrect on the other. Beyond CoMMuTE,
/// <c>words</c> names the ambiguous words and, where speech is given, <c>audio.order</c> the recordings in <c>audio/</c>.
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
    /// <param name="speech">Speaks all sentences of the corpus, or null. Sentences take turns among its copies.</param>
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
        SpeechPack? speech = null,
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

        if (speech is not null && !speech.IsMadeFrom([.. corpus.Sentences.Select(sentence => sentence.English)]))
            throw new OmniFusionException("The speech pack does not speak the sentences of the corpus.");

        composer ??= new SceneComposer();
        string images = Path.Combine(folder, "images");
        AtomicFile.MakeFolder(images);
        List<string> source = [], correct = [], incorrect = [], order = [], words = [], recordings = [];
        HashSet<string> drawn = [];
        // Sentences of one word take turns among the pictures of a reading.
        Dictionary<string, int> turns = [];
        foreach (AmbiguousSentence sentence in sentences)
        {
            int turn = turns[sentence.Word.Word] = turns.GetValueOrDefault(sentence.Word.Word, -1) + 1;
            string? recording = speech is null ? null : Record(corpus, sentence, turn, speech, folder);
            for (int reading = 0; reading < 2; reading++)
            {
                if (recording is not null)
                    recordings.Add(recording);
                words.Add(sentence.Word.Word);
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
        List<(string Name, List<string> Lines)> files =
        [
            ("src.en", source), ($"correct.{language}", correct), ($"incorrect.{language}", incorrect), ("img.order", order), ("words", words),
        ];
        if (speech is not null)
            files.Add(("audio.order", recordings));
        foreach ((string name, List<string> lines) in files)
            AtomicFile.WriteText(Path.Combine(folder, name), string.Join('\n', lines) + "\n");
        return source.Count;
    }

    // Writes a copy of a sentence that could be spoken.
    private static string Record(AmbiguityCorpus corpus, AmbiguousSentence sentence, int turn, SpeechPack speech, string folder)
    {
        int line = corpus.Sentences.Index().First(item => ReferenceEquals(item.Item, sentence)).Index;
        int[] copies = [.. Enumerable.Range(0, speech.Count).Where(i => speech.Items[i].TextIndex == line && speech.Items[i].SampleCount > 0)];
        if (copies.Length == 0)
            throw new OmniFusionException($"The speech pack has no recording of '{sentence.English}'");
        float[] samples = speech.ReadSamples(copies[turn % copies.Length]);
        AtomicFile.MakeFolder(Path.Combine(folder, "audio"));
        string name = $"{line:0000}.wav";
        WavWriter.WritePcm16(Path.Combine(folder, "audio", name), samples, SpeechPack.SampleRate);
        return name;
    }
}
