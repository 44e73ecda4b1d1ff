namespace OmniFusion.Training.Data;

/// <summary>
/// Sentences whose translation only a picture decides: a folder of <c>words-*.jsonl</c>, one word a line
/// (<c>{"word", "kind", "split", "readings": [2], "pictures": [[hexcodes], [hexcodes]]}</c>), and <c>sentences-*.jsonl</c>, one sentence a line
/// (<c>{"word", "split", "en", "de": [2], "fr": [2], "cs": [2]}</c>). Everything is checked when it is read.
/// </summary>
public sealed class AmbiguityCorpus
{
    /// <summary>The fewest sentences that a word must have.</summary>
    public const int LeastSentences = 6;

    private static readonly string[] s_kinds = ["noun", "verb", "role"];
    private static readonly string[] s_wordSplits = ["mixed", "heldout"];

    private AmbiguityCorpus(IReadOnlyList<AmbiguousWord> words, IReadOnlyList<AmbiguousSentence> sentences) =>
        (Words, Sentences) = (words, sentences);

    /// <summary>The languages of the translations.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["de", "fr", "cs"];

    /// <summary>What a sentence may be for: <c>train</c>, <c>test</c> and <c>heldout</c>.</summary>
    public static IReadOnlyList<string> Splits { get; } = ["train", "test", "heldout"];

    /// <summary>All words, in the order of the files.</summary>
    public IReadOnlyList<AmbiguousWord> Words { get; }

    /// <summary>All sentences, in the order of the files.</summary>
    public IReadOnlyList<AmbiguousSentence> Sentences { get; }

    /// <summary>Reads and checks a corpus.</summary>
    /// <param name="folder">The folder with its files.</param>
    /// <param name="pictograms">When given, every picture that decides must be in it.</param>
    /// <exception cref="OmniFusionException">Something is missing or wrong; the sentence names file and line.</exception>
    public static AmbiguityCorpus Read(string folder, PictogramPack? pictograms = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        Dictionary<string, (AmbiguousWord Word, JsonLine Line)> words = [];
        List<AmbiguousWord> wordsInOrder = [];
        foreach (JsonLine line in JsonLine.ReadAll(folder, "words-*.jsonl"))
        {
            AmbiguousWord word = ReadWord(line, pictograms);
            if (!words.TryAdd(word.Word, (word, line)))
                throw line.Bad($"the word '{word.Word}' stands in {words[word.Word].Line.Place} already");
            wordsInOrder.Add(word);
        }

        List<AmbiguousSentence> sentences = [];
        Dictionary<string, JsonLine> seen = [];
        foreach (JsonLine line in JsonLine.ReadAll(folder, "sentences-*.jsonl"))
        {
            string word = line.Text("word");
            if (!words.TryGetValue(word, out (AmbiguousWord Word, JsonLine Line) known))
                throw line.Bad($"no file of words has '{word}'");
            AmbiguousSentence sentence = ReadSentence(line, known.Word);
            if (!seen.TryAdd(sentence.English, line))
                throw line.Bad($"the same sentence stands in {seen[sentence.English].Place} already");
            sentences.Add(sentence);
        }

        ILookup<string, AmbiguousSentence> byWord = sentences.ToLookup(sentence => sentence.Word.Word);
        foreach (AmbiguousWord word in wordsInOrder)
        {
            if (byWord[word.Word].Count() is var count and < LeastSentences)
                throw words[word.Word].Line.Bad($"the word '{word.Word}' has {count} sentences; it needs at least {LeastSentences}");
        }
        return new AmbiguityCorpus(wordsInOrder, sentences);
    }

    private static AmbiguousWord ReadWord(JsonLine line, PictogramPack? pictograms)
    {
        string[][] pictures = line.TextLists("pictures");
        if (pictures.Any(list => list.Length == 0))
            throw line.Bad("a reading has no picture");
        string[] both = [.. pictures[0].Intersect(pictures[1])];
        if (both.Length > 0)
            throw line.Bad($"the picture {both[0]} is given for both readings");
        if (pictograms is not null && pictures.SelectMany(list => list).FirstOrDefault(code => !pictograms.Contains(code)) is { } unknown)
            throw line.Bad($"the picture {unknown} is not in the pictograms");
        return new AmbiguousWord(
            line.Text("word"), line.OneOf("kind", s_kinds), line.OneOf("split", s_wordSplits), line.Pair("readings"), pictures);
    }

    private static AmbiguousSentence ReadSentence(JsonLine line, AmbiguousWord word)
    {
        string split = line.OneOf("split", Splits);
        if ((split == "heldout") != (word.Split == "heldout"))
            throw line.Bad($"the split is '{split}', but that of the word '{word.Word}' is '{word.Split}'");
        Dictionary<string, IReadOnlyList<string>> translations = Languages.ToDictionary(
            language => language, language => (IReadOnlyList<string>)line.Pair(language));
        return new AmbiguousSentence(word, split, line.Text("en"), translations);
    }
}
