using System.CommandLine;

namespace OmniFusion.Cli;

/// <summary>Runs the command line: one sentence on stderr for whatever goes wrong, 2 for wrong usage, 1 for everything else.</summary>
internal static class CommandRunner
{
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
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
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
