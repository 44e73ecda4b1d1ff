using OmniFusion.Checkpoints;

namespace OmniFusion.Training.Data;

/// <summary>
/// Sentences about people with names, which a recogniser can hear but not spell: what a slide with the name is good for. Names for testing are
/// never in a sentence for training.
/// </summary>
public static class NameSentences
{
    // Every so manieth name is for testing.
    private const int TestEvery = 8;

    private static readonly string[] s_languages = ["en", "de", "fr", "cs"];

    /// <summary>
    /// Writes <c>names_train.LL</c> and <c>names_test.LL</c>, a sentence a line in English, German, French and Czech, and <c>names_train.terms</c>
    /// and <c>names_test.terms</c> with the name in each.
    /// </summary>
    /// <param name="folder">Where; files of the same names are replaced.</param>
    /// <param name="sentences">Sentences of each name.</param>
    /// <param name="seed">Draws them.</param>
    /// <returns>Lines for training and for testing.</returns>
    /// <exception cref="OmniFusionException">A file cannot be written.</exception>
    public static (int Train, int Test) Write(string folder, int sentences, int seed)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string[][] patterns = [.. EmbeddedLines.Read("NameSentences.tsv").Select(line => line.Split('\t'))];
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sentences);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sentences, patterns.Length);
        Random random = new(seed);
        (string Name, string[] Pattern, bool Test)[] lines = [.. EmbeddedLines.Read("SlidePeople.txt")
            .SelectMany((name, i) => Drawn(patterns, sentences, random).Select(pattern => (name, pattern, i % TestEvery == TestEvery - 1)))];
        AtomicFile.MakeFolder(folder);
        foreach (bool test in new[] { false, true })
        {
            (string Name, string[] Pattern, bool Test)[] part = [.. lines.Where(line => line.Test == test)];
            string path = Path.Combine(folder, test ? "names_test." : "names_train.");
            for (int language = 0; language < s_languages.Length; language++)
                WriteLines(path + s_languages[language], part.Select(line => line.Pattern[language].Replace("{name}", line.Name, StringComparison.Ordinal)));
            WriteLines(path + "terms", part.Select(line => line.Name));
        }
        return (lines.Count(line => !line.Test), lines.Count(line => line.Test));
    }

    private static string[][] Drawn(string[][] patterns, int count, Random random)
    {
        string[][] order = [.. patterns];
        random.Shuffle(order);
        return order[..count];
    }

    private static void WriteLines(string path, IEnumerable<string> lines) => AtomicFile.WriteText(path, string.Join('\n', lines) + "\n");
}
