namespace OmniFusion.Checkpoints;

/// <summary>Copies of the files of a model.</summary>
internal static class ModelFolder
{
    /// <summary>
    /// Copies files of a folder, each whole or not at all; folders within and unfinished files are left out, and so is a copy that is there already, of the same
    /// length and age.
    /// </summary>
    /// <param name="from">The folder.</param>
    /// <param name="to">Where to; it is made when it is missing. Nothing is done where it is the same folder.</param>
    /// <param name="wanted">Tells by its name whether a file is copied.</param>
    /// <exception cref="OmniFusionException">A file cannot be read or written.</exception>
    internal static void Copy(string from, string to, Predicate<string> wanted)
    {
        if (Path.GetFullPath(from) == Path.GetFullPath(to))
            return;
        AtomicFile.MakeFolder(to);
        try
        {
            foreach (FileInfo file in new DirectoryInfo(from).EnumerateFiles().Where(file => wanted(file.Name) && !AtomicFile.IsUnfinished(file.Name)))
                Copy(file, new FileInfo(Path.Combine(to, file.Name)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"The model in {from} cannot be copied to {to}: {error.Message}", error);
        }
    }

    /// <summary>Whether two folders agree on a file: both have the same content, or neither has any.</summary>
    /// <exception cref="OmniFusionException">A file cannot be read.</exception>
    internal static bool Agree(string first, string second, string name)
    {
        (string a, string b) = (Path.Combine(first, name), Path.Combine(second, name));
        try
        {
            return File.Exists(a) == File.Exists(b) && (!File.Exists(a) || File.ReadAllBytes(a).AsSpan().SequenceEqual(File.ReadAllBytes(b)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{a} and {b} cannot be compared: {error.Message}", error);
        }
    }

    private static void Copy(FileInfo file, FileInfo copy)
    {
        if (copy.Exists && copy.Length == file.Length && copy.LastWriteTimeUtc == file.LastWriteTimeUtc)
            return;
        using FileStream content = file.OpenRead();
        AtomicFile.Write(copy.FullName, content.CopyTo);
        File.SetLastWriteTimeUtc(copy.FullName, file.LastWriteTimeUtc);
    }
}
