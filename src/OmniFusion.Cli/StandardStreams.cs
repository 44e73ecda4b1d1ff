using Microsoft.Win32.SafeHandles;

namespace OmniFusion.Cli;

/// <summary>Standard input and output, where the runtime would wait or be silent for ever.</summary>
internal static class StandardStreams
{
    /// <summary>Standard input.</summary>
    /// <exception cref="OmniFusionException">It is closed.</exception>
    internal static Stream Input() =>
        IsClosed() ? throw new OmniFusionException("Standard input is closed: there is nothing to read.") : Console.OpenStandardInput();

    /// <summary>
    /// Where standard output is a pipe, a writer that fails when nobody reads it any more: the console's own would say nothing. Null: the
    /// console's own serves.
    /// </summary>
    internal static TextWriter? Pipe() => IsPipe && !OperatingSystem.IsWindows()
        ? new StreamWriter(Handle(), Console.OutputEncoding) { AutoFlush = true } : null;

    /// <summary>Whether standard output goes to another program rather than to a terminal or a file.</summary>
    internal static bool IsPipe => Console.IsOutputRedirected && (OperatingSystem.IsWindows() || !Handle().CanSeek);

    private static FileStream Handle() => new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    // The runtime opens a pipe to itself, which gets the number of standard input where that is free; nobody will write into it.
    private static bool IsClosed()
    {
        const string own = "/proc/self/fd";
        return OperatingSystem.IsLinux()
            && new FileInfo(own + "/0").LinkTarget is { } input && input.StartsWith("pipe:", StringComparison.Ordinal)
            && Directory.EnumerateFiles(own).Any(file => new FileInfo(file).LinkTarget == input && IsForWriting(Path.GetFileName(file)));
    }

    // The last octal digit of the flags: 0 to read, 1 to write.
    private static bool IsForWriting(string descriptor) => File.ReadLines("/proc/self/fdinfo/" + descriptor)
        .Any(line => line.StartsWith("flags:", StringComparison.Ordinal) && line.EndsWith('1'));
}
