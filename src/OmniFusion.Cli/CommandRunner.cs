using System.CommandLine;

namespace OmniFusion.Cli;

/// <summary>Runs the command line: one sentence on stderr for whatever goes wrong, 2 for wrong usage, 1 for everything else.</summary>
internal static class CommandRunner
{
    // A training that is stopped finishes its step and writes a checkpoint.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    internal const int Failed = 1, WrongUsage = 2, Cancelled = 130;

    internal static async Task<int> Run(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            Console.Error.WriteLine($"omnifusion: {parsed.Errors[0].Message} (omnifusion --help tells more)");
            return WrongUsage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = s_patience });
        }
        catch (UsageException error)
        {
            Console.Error.WriteLine($"omnifusion: {error.Message}");
            return WrongUsage;
        }
        catch (OmniFusionException error)
        {
            Console.Error.WriteLine($"omnifusion: {error.Message}");
            return Failed;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("omnifusion: stopped.");
            return Cancelled;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"omnifusion: {error.Message}");
            return Failed;
        }
    }
}

/// <summary>The options do not go together; the message says which.</summary>
internal sealed class UsageException(string message) : Exception(message);
