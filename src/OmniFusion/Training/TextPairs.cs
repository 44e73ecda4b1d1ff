using OmniFusion.Models.Mistral;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Data;

namespace OmniFusion.Training;

/// <summary>Sentences and their translations as token ids.</summary>
internal sealed class TextPairs
{
    /// <summary>A row that predicts nothing that is to be learnt.</summary>
    internal const int NoTarget = -1;

    /// <summary>Reads every target language of the data, and of its further texts: what is said in several voices, or in several recordings, is written once.</summary>
    internal TextPairs(RecipeData data, Tokenizer tokenizer)
    {
        List<Pair> pairs = [];
        foreach ((string english, string language, string file) in Texts(data).Distinct())
        {
            (string[] source, string[] target) = TextLines.ReadPair(english, file);
            IEnumerable<(string, string)> lines = source.Zip(target);
            foreach ((string sentence, string translation) in english == data.Source ? lines : lines.Distinct())
                pairs.Add(new Pair(Prompt(tokenizer, sentence, language), Target(tokenizer, translation)) { Sentence = sentence, Language = language });
        }
        if (data is { Ambiguity: { Told: > 0 } ambiguity, Pictures: { } pictures })
        {
            AmbiguityCorpus corpus = AmbiguityCorpus.Read(ambiguity.Corpus);
            using PictogramPack pack = PictogramPack.Open(pictures.Pictograms);
            for (int time = 0; time < ambiguity.Told; time++)
                pairs.AddRange(Told(corpus, pack, data.Targets.Keys, tokenizer, (Form)(time % 3)));
        }
        Items = pairs;
    }

    private static IEnumerable<(string Source, string Language, string Target)> Texts(RecipeData data) =>
        data.Targets.Select(target => (data.Source, target.Key, target.Value))
            .Concat(data.Further.Where(part => part.Source != data.Source).SelectMany(part => part.Targets.Select(target => (part.Source, target.Key, target.Value))));

    internal IReadOnlyList<Pair> Items { get; }

    /// <summary>Length of each item: what it costs in a batch.</summary>
    internal IEnumerable<double> Tokens => Items.Select(pair => (double)(pair.Prompt.Length + pair.Target.Length));

    /// <summary>What the translator reads before it writes.</summary>
    internal static int[] Prompt(Tokenizer tokenizer, string sentence, string language) =>
        tokenizer.Encode(PromptStyle.Compact.TextAlone(sentence, Languages.Find("en"), Languages.Find(language)), addSpecialTokens: true);

    /// <summary>What it should write: the translation and the end token.</summary>
    internal static int[] Target(Tokenizer tokenizer, string translation) =>
        [.. tokenizer.Encode(translation, addSpecialTokens: false), EndOf(tokenizer)];

    /// <summary>The end token.</summary>
    internal static int EndOf(Tokenizer tokenizer) =>
        tokenizer.EosId ?? throw new OmniFusionException("The translator's tokenizer has no end token.");

    /// <summary>
    /// Mean cross entropy of the targets of some pairs; what is told is to make one translation more probable than the other (<see cref="Preference"/>).
    /// </summary>
    internal static Tensor Loss(
        Compute c, MistralModel model, IReadOnlyList<Pair> items, float labelSmoothing, float preference, IDictionary<string, double> report)
    {
        int[] told = [.. Enumerable.Range(0, items.Count).Where(i => preference > 0 && items[i].Wrong is not null)];
        Pair[] all = [.. items, .. told.Select(i => items[i] with { Target = items[i].Wrong! })];
        Tensor logits = Logits(c, model, all, out int[] targets);
        targets.AsSpan(items.Sum(item => item.Target.Length)).Fill(NoTarget);
        Tensor loss = c.CrossEntropy(logits, targets, labelSmoothing);
        return Preference.Add(c, loss, preference, logits, [.. all.Select(pair => pair.Target)], told, report);
    }

    /// <summary>Scores of every target token of some pairs, and the tokens.</summary>
    internal static Tensor Logits(Compute c, MistralModel model, IReadOnlyList<Pair> pairs, out int[] targets)
    {
        // The last target token is predicted, never read.
        int[] ids = [.. pairs.SelectMany(pair => pair.Prompt.Concat(pair.Target.SkipLast(1)))];
        Segments segments = new([.. pairs.Select(pair => pair.Prompt.Length + pair.Target.Length - 1)]);
        Tensor last = model.Forward(c, model.EmbedTokens(c, ids), segments);
        (int[] rows, targets) = Targets(segments, [.. pairs.Select(pair => pair.Target)]);
        return model.Logits(c, c.Gather(last, rows));
    }

    /// <summary>Rows that predict the targets, which end each segment but for their last token.</summary>
    internal static (int[] Rows, int[] Targets) Targets(Segments segments, int[][] targets)
    {
        List<int> rows = [];
        for (int i = 0; i < targets.Length; i++)
            rows.AddRange(Enumerable.Range(segments.Start(i + 1) - targets[i].Length, targets[i].Length));
        return ([.. rows], [.. targets.SelectMany(target => target)]);
    }

    /// <summary>A sentence with the name of what is seen beside it, for a translator that reads only.</summary>
    internal static string Told(string name, string sentence) => $"{Told(name)} {sentence}";

    /// <summary>What is seen, for somebody who reads only.</summary>
    internal static string Told(string names) => $"({names})";

    /// <summary>The tokens of a text that stands where an image stands, each as often as the next.</summary>
    internal static IEnumerable<int> Spread(int[] tokens, int rows) => Enumerable.Range(0, rows).Select(row => tokens[row * tokens.Length / rows]);

    // Ambiguous sentences with every picture that decides.
    private static IEnumerable<Pair> Told(
        AmbiguityCorpus corpus, PictogramPack pack, IEnumerable<string> languages, Tokenizer tokenizer, Form form) =>
        from sentence in corpus.Sentences
        where sentence.Split == "train"
        from reading in new[] { 0, 1 }
        from picture in sentence.Word.Pictures[reading]
        from language in languages
        where sentence.Translations.ContainsKey(language)
        select new Pair(
            Prompt(tokenizer, form, pack.Find(picture, pack.Makers[0])!.Info.Name, sentence.English, language),
            Target(tokenizer, sentence.Translations[language][reading]),
            Target(tokenizer, sentence.Translations[language][1 - reading]));

    // What a fusion makes of an image, and of speech, comes to resemble the words for it: here it is those words.
    private static int[] Prompt(Tokenizer tokenizer, Form form, string name, string sentence, string language)
    {
        if (form == Form.Text)
            return Prompt(tokenizer, Told(name, sentence), language);
        bool spoken = form == Form.SpeechAndImage;
        string tower = PromptStyle.Compact.Tower(
            new PromptInput { Image = true, Audio = spoken, Text = spoken ? null : sentence }, Languages.Find(language));
        return
        [
            .. Spread(tokenizer.Encode(Told(name), addSpecialTokens: false), PictureBook.Tokens),
            .. spoken ? tokenizer.Encode(sentence, addSpecialTokens: false) : [],
            .. tokenizer.Encode(tower, addSpecialTokens: false),
        ];
    }

    // How somebody who reads only is told what is seen.
    private enum Form
    {
        Text,
        TextAndImage,
        SpeechAndImage,
    }

    /// <summary>Tokens of a sentence and its translation.</summary>
    /// <param name="Prompt">What is read.</param>
    /// <param name="Target">What is to be written.</param>
    /// <param name="Wrong">What is rather not to be written, because what is told speaks against it; null where nothing does.</param>
    internal sealed record Pair(int[] Prompt, int[] Target, int[]? Wrong = null)
    {
        /// <summary>The sentence, where nothing else is read.</summary>
        internal string? Sentence { get; init; }

        /// <summary>Code of the language that it is translated into.</summary>
        internal string? Language { get; init; }
    }
}
