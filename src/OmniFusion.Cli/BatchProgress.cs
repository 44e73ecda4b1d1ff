using Spectre.Console;

namespace OmniFusion.Cli;

/// <summary>A bar on stderr, when that is a terminal and there is more than one item.</summary>
internal sealed class BatchProgress
{
    private readonly IAnsiConsole? _console;
    private readonly ProgressTask? _bar;

    private BatchProgress(IAnsiConsole? console, ProgressTask? bar) => (_console, _bar) = (console, bar);

    internal static async Task Run(string what, int count, Func<BatchProgress, Task> work)
    {
        if (count < 2 || Console.IsErrorRedirected)
        {
            await work(new BatchProgress(null, null));
            return;
        }
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new BatchProgress(console, context.AddTask(what, maxValue: count))));
    }

    /// <summary>Writes a line of the command's output.</summary>
    internal void WriteLine(string line)
    {
        // The bar owns the screen that it is drawn on: a line that would appear there too has to go through it.
        if (_console is not null && !Console.IsOutputRedirected)
            _console.Write(new Spectre.Console.Text(line + "\n"));
        else
            Console.Out.WriteLine(line);
    }

    internal void Advance(int items) => _bar?.Increment(items);
}
