using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Text;

namespace OmniFusion.Cli;

/// <summary>Runs the command line: one sentence on stderr for whatever goes wrong, 2 for wrong usage, 1 for everything else.</summary>
internal static class CommandRunner
{
    internal const int Failed = 1, WrongUsage = 2, Cancelled = 130;

    // What is stopped may end its step first, a training writes a checkpoint, and a stream the rest of its text.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2), s_trainingPatience = TimeSpan.FromMinutes(5),
        s_streamPatience = TimeSpan.FromSeconds(30);

    // Nothing is read from response files: a text to translate may begin with an at sign.
    private static readonly ParserConfiguration s_parser = new() { ResponseFileTokenReplacer = null };

    // A plain command, because a root command takes its name from the assembly's file.
    internal static Command CreateRoot() => new(
        "omnifusion", "Translates speech, speech with an image, and text with an image (OmniFusion, arXiv 2512.00234).")
    {
        new HelpOption(),
        new VersionOption(),
        TranslateCommand.Create(),
        InfoCommand.Create(),
        EvaluateCommand.Create(),
        SynthesizeCommand.Create(),
        StreamCommand.Create(),
        CalibrateCommand.Create(),
        TrainCommand.Create(),
        AverageCommand.Create(),
        AnalyzeCommand.Create(),
    };

    internal static async Task<int> Run(Command root, string[] args)
    {
        ParseResult parsed = root.Parse(args, s_parser);
        if (Misuse(parsed) is { } misuse)
        {
            Say($"{misuse} (omnifusion --help tells more).");
            return WrongUsage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = parsed.CommandResult.Command.Name switch
                {
                    "train" or "layers" => s_trainingPatience,
                    "stream" => s_streamPatience,
                    _ => s_patience,
                },
            });
        }
        catch (OperationCanceledException)
        {
            Say("stopped.");
            return Cancelled;
        }
        catch (Exception error)
        {
            Say(Sentence(error));
            if (Environment.GetEnvironmentVariable("OMNIFUSION_DEBUG") == "1")
                WriteError(error.ToString());
            return error is UsageException ? WrongUsage : Failed;
        }
    }

    private static string? Misuse(ParseResult parsed)
    {
        // A script's variable that was never set.
        if (parsed.CommandResult.Children.FirstOrDefault(part => part.Tokens.Any(token => token.Value.Length == 0)) is { } empty)
            return $"{(empty is OptionResult named ? named.Option.Name : ((ArgumentResult)empty).Argument.Name)} is empty";
        // A misspelt option would pass for the name of a file; a file called so is given as ./-NAME, or behind two dashes.
        IEnumerable<Token> values = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens);
        Token? option = values.FirstOrDefault(token => token.Value.Length > 1 && token.Value[0] == '-');
        string? unknown = parsed.UnmatchedTokens.FirstOrDefault()
            ?? (parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash) ? null : option?.Value);
        return unknown is not null ? $"'{unknown}' is no command, argument or option here"
            : parsed.Errors.Count > 0 ? parsed.Errors[0].Message.TrimEnd('.')
            : null;
    }

    private static string Sentence(Exception error) => error switch
    {
        UsageException or OmniFusionException or IOException or UnauthorizedAccessException => error.Message,
        AggregateException { InnerException: { } inner } => Sentence(inner),
        OutOfMemoryException => "there is not enough memory.",
        _ => $"an unexpected fault, {error.GetType().Name}: {error.Message} (OMNIFUSION_DEBUG=1 tells where).",
    };

    /// <summary>
    /// A sentence on stderr. Messages quote what files and options hold: whatever that is, it stays on one line and does not steer the terminal.
    /// </summary>
    internal static void Say(string sentence)
    {
        StringBuilder line = new("omnifusion: ");
        foreach (char c in sentence.ReplaceLineEndings(" "))
            line.Append(char.IsControl(c) ? '\uFFFD' : c);
        WriteError(line.ToString());
    }

    private static void WriteError(string text)
    {
        try
        {
            Console.Error.WriteLine(text);
        }
        catch (IOException)
        {
            // Nobody can be told; the exit code still says it.
        }
    }
}

/// <summary>The options do not go together; the message says which.</summary>
internal sealed class UsageException(string message) : Exception(message);
