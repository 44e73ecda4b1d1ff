using System.Collections.Concurrent;

namespace OmniFusion.Checkpoints;

/// <summary>Writes a file whole or not at all.</summary>
public static class AtomicFile
{
    private const string Ending = ".tmp";

    // Files that are being written. A process that is told to end does not come to their finally blocks.
    private static readonly ConcurrentDictionary<string, bool> s_unfinished = new();

    static AtomicFile() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Abandon();

    /// <summary>
    /// Lets <paramref name="write"/> fill a file of a temporary name in the folder of <paramref name="path"/>, forces it to disk and
    /// only then gives it its name; whatever stood there stays until that moment.
    /// </summary>
    /// <exception cref="OmniFusionException">The disk is full, or the place cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string target = Path.GetFullPath(path);
        string temporary = $"{target}.{Path.GetRandomFileName()}{Ending}";
        s_unfinished[temporary] = true;
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new OmniFusionException($"{path} cannot be written: {e.Message}", e);
        }
        finally
        {
            // After the rename there is nothing left under this name; after a failure the partial file must go.
            TryDelete(temporary);
            s_unfinished.TryRemove(temporary, out _);
        }
    }

    /// <summary>Whether a file of this name is one that is being written, or was when its writer was killed.</summary>
    public static bool IsUnfinished(string name) => name.EndsWith(Ending, StringComparison.Ordinal);

    /// <summary>Removes what killed writers left in a folder and the folders within.</summary>
    /// <exception cref="IOException">A file cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    internal static void Sweep(string folder)
    {
        if (Directory.Exists(folder))
            foreach (string path in Directory.EnumerateFiles(folder, $"*.????????.???{Ending}", SearchOption.AllDirectories))
                File.Delete(path);
    }

    private static void Abandon()
    {
        foreach (string path in s_unfinished.Keys)
            TryDelete(path);
    }

    /// <summary>Writes text as UTF-8.</summary>
    /// <exception cref="OmniFusionException">The disk is full, or the place cannot be written.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>Makes a folder unless it is there.</summary>
    /// <exception cref="OmniFusionException">It cannot be made.</exception>
    public static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"the folder {folder} cannot be made: {e.Message}", e);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here is the one worth reporting.
        }
    }
}
