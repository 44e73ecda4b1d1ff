namespace OmniFusion.Training;

/// <summary>Text files, plain or gzipped, one sentence a line.</summary>
internal static class TextLines
{
    /// <summary>All lines, without blanks around them.</summary>
    /// <exception cref="OmniFusionException">The file cannot be read.</exception>
    internal static string[] Read(string path) => [.. ReadAsWritten(path).Select(line => line.Trim())];

    /// <summary>All lines.</summary>
    /// <exception cref="OmniFusionException">The file cannot be read.</exception>
    internal static string[] ReadAsWritten(string path)
    {
        if (path.Length == 0)
            throw new OmniFusionException("The recipe does not name every text file that its stage needs under 'data'.");
        try
        {
            using Stream file = File.OpenRead(path);
            using Stream text = path.EndsWith(".gz", StringComparison.Ordinal) ? GzipFile.Read(file) : file;
            using StreamReader reader = new(text);
            List<string> lines = [];
            while (reader.ReadLine() is { } line)
                lines.Add(line);
            return [.. lines];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new OmniFusionException($"{path} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Lines that belong together, one file beside the other.</summary>
    /// <exception cref="OmniFusionException">The files have different numbers of lines.</exception>
    internal static (string[] Source, string[] Target) ReadPair(string source, string target)
    {
        (string[] a, string[] b) = (Read(source), Read(target));
        return a.Length == b.Length ? (a, b)
            : throw new OmniFusionException($"{source} has {a.Length} lines and {target} has {b.Length}, so they do not belong together.");
    }

    /// <summary>Translations of the lines of a text, by language.</summary>
    /// <exception cref="OmniFusionException">The files have different numbers of lines.</exception>
    internal static Dictionary<string, string[]> ReadTargets(string source, IReadOnlyDictionary<string, string> targets) =>
        targets.ToDictionary(item => item.Key, item => ReadPair(source, item.Value).Target);
}
