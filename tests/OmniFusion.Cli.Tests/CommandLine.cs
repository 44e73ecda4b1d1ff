using System.CommandLine;
using System.Text.Json;

// The command writes to the console, of which a process has one.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace OmniFusion.Cli.Tests;

/// <summary>What a command did.</summary>
internal sealed record Outcome(int Code, string Output, string Errors)
{
    public string[] Lines => Output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

    public JsonElement[] Json => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>Asserts that it failed as it should: one sentence on stderr with these words, and nothing on stdout.</summary>
    public void AssertFailed(int code, params string[] words)
    {
        Assert.Equal("", Output);
        Assert.StartsWith("omnifusion: ", Errors);
        Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("   at ", Errors);
        Assert.DoesNotContain("unexpected fault", Errors);
        Assert.All(words, word => Assert.Contains(word, Errors));
        Assert.Equal(code, Code);
    }
}

/// <summary>Runs the command in this process.</summary>
internal static class CommandLine
{
    public static Task<Outcome> Run(params string[] arguments) => Run(CommandRunner.CreateRoot(), arguments);

    public static async Task<Outcome> Run(Command root, params string[] arguments)
    {
        (TextWriter output, TextWriter errors) = (Console.Out, Console.Error);
        using StringWriter newOutput = new(), newErrors = new();
        Console.SetOut(newOutput);
        Console.SetError(newErrors);
        try
        {
            int code = await CommandRunner.Run(root, arguments);
            return new Outcome(code, newOutput.ToString(), newErrors.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(errors);
        }
    }
}
