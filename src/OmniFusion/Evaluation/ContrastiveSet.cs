using OmniFusion.Training;

namespace OmniFusion.Evaluation;

/// <summary>A sentence with a translation that its picture makes right, and one that it makes wrong.</summary>
/// <param name="Source">The English sentence.</param>
/// <param name="Correct">The translation that the picture asks for.</param>
/// <param name="Incorrect">The translation of the other reading.</param>
/// <param name="Image">Path of the picture, or null in a set without.</param>
/// <param name="Audio">Path of a recording of the sentence, or null in a set without.</param>
/// <param name="Word">The ambiguous word, or null where it is not told.</param>
public sealed record ContrastiveItem(string Source, string Correct, string Incorrect, string? Image, string? Audio, string? Word);

/// <summary>
/// A contrastive test set in the layout of CoMMuTE (Futeral et al., ACL 2023): <c>src.en</c>, <c>correct.LL</c>, <c>incorrect.LL</c> and
/// <c>img.order</c> (names of pictures), line by line about the same item. Two neighbouring lines share a sentence and differ in
/// its reading. Beyond CoMMuTE there may be <c>audio.order</c>, names of recordings, and <c>words</c>, the ambiguous word of each line.
/// </summary>
public sealed class ContrastiveSet
{
    private ContrastiveSet(string folder, IReadOnlyList<ContrastiveItem> items) => (Folder, Items) = (folder, items);

    /// <summary>Where it was read from.</summary>
    public string Folder { get; }

    /// <summary>The lines: an even number, two a sentence.</summary>
    public IReadOnlyList<ContrastiveItem> Items { get; }

    /// <summary>Reads a set.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="language">Code of the language of the translations.</param>
    /// <param name="images">Folder of the pictures; null: <c>images</c> in the folder or, as in CoMMuTE, beside it.</param>
    /// <param name="recordings">Folder of the recordings; null: <c>audio</c> in the folder or beside it.</param>
    /// <param name="sentences">The first sentences only; null for all.</param>
    /// <exception cref="OmniFusionException">A file is missing, or the files do not belong together.</exception>
    public static ContrastiveSet Read(
        string folder, string language, string? images = null, string? recordings = null, int? sentences = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(language);
        string first = Path.Combine(folder, "src.en");
        string[] source = Lines(first);
        if (source.Length == 0 || source.Length % 2 != 0)
            throw new OmniFusionException($"{first} has {source.Length} lines, but a contrastive set has two for each sentence.");
        string[] correct = Beside($"correct.{language}"), incorrect = Beside($"incorrect.{language}");
        string?[] pictures = Files("img.order", images, "images"), speech = Files("audio.order", recordings, "audio");
        string?[] words = Optional("words");
        int count = (int)Math.Min(2L * (sentences ?? source.Length), source.Length);
        for (int i = 0; i < count; i += 2)
            if (source[i].Trim() != source[i + 1].Trim())
                throw new OmniFusionException(
                    $"{first}: lines {i + 1} and {i + 2} should be the two readings of one sentence, but they differ.");
        return new ContrastiveSet(folder, [.. Enumerable.Range(0, count).Select(i => new ContrastiveItem(
            source[i].Trim(), correct[i].Trim(), incorrect[i].Trim(), pictures[i], speech[i], words[i]?.Trim()))]);

        string[] Beside(string name)
        {
            string[] lines = Lines(Path.Combine(folder, name));
            return lines.Length == source.Length ? lines : throw new OmniFusionException(
                $"{Path.Combine(folder, name)} has {lines.Length} lines and {first} has {source.Length}, so they do not belong together.");
        }

        string?[] Optional(string name) => File.Exists(Path.Combine(folder, name)) ? Beside(name) : new string?[source.Length];

        string?[] Files(string name, string? given, string usual)
        {
            string inside = Path.Combine(folder, usual), beside = Path.Combine(folder, "..", usual);
            string place = given ?? (Directory.Exists(inside) || !Directory.Exists(beside) ? inside : beside);
            return [.. Optional(name).Select(file => file is null ? null : Path.Combine(place, file.Trim()))];
        }
    }

    /// <summary>The item with the other reading of the same sentence.</summary>
    public ContrastiveItem Other(int item) => Items[item ^ 1];

    private static string[] Lines(string path)
    {
        string[] lines = TextLines.ReadAsWritten(path);
        int count = lines.Length;
        while (count > 0 && string.IsNullOrWhiteSpace(lines[count - 1]))
            count--;
        return lines[..count];
    }
}
