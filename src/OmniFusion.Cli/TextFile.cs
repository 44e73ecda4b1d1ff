using OmniFusion.Training;

namespace OmniFusion.Cli;

/// <summary>Text files named by options, plain or gzipped, one sentence a line.</summary>
internal static class TextFile
{
    /// <summary>The lines as they stand, at least one.</summary>
    /// <param name="option">The option that names the file, for messages.</param>
    /// <param name="path">The file, or - for the standard input.</param>
    /// <param name="limit">The first lines only, at least 1; null for all.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or has no lines.</exception>
    internal static string[] ReadLines(string option, string path, int? limit = null)
    {
        try
        {
            if (Directory.Exists(path))
                throw new OmniFusionException($"{option} {path} is a folder, not a file.");
            using Stream file = path == "-" ? StandardStreams.Input() : File.OpenRead(path);
            using Stream content = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? GzipFile.Read(file) : file;
            using StreamReader reader = new(content);
            List<string> lines = [];
            while (lines.Count < (limit ?? int.MaxValue) && reader.ReadLine() is { } line)
                lines.Add(line);
            return lines.Count > 0 ? [.. lines] : throw new OmniFusionException($"{option} {path} has no lines.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            throw new OmniFusionException($"Cannot read {option} {path}: {error.Message}", error);
        }
    }
}
