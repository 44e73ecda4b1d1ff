using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace OmniFusion.Cli;

/// <summary>
/// How far a command is, when there is more than one item: a bar where stderr is a terminal, a line now and then where it is not.
/// </summary>
internal sealed class BatchProgress
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(30);

    private readonly ProgressTask? _bar;
    private readonly string _what;
    private readonly int _count;
    private readonly TimeSpan _every;
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private int _done;

    private BatchProgress(string what, int count, TimeSpan every, ProgressTask? bar) => (_what, _count, _every, _bar) = (what, count, every, bar);

    /// <summary>Runs work that has so many items.</summary>
    /// <param name="what">What is done with the items.</param>
    /// <param name="count">Their number.</param>
    /// <param name="work">Does it, and tells of each item.</param>
    /// <param name="prints">
    /// Whether the work prints a line an item: on the terminal these lines are the progress, and a bar among them would break them.
    /// </param>
    /// <param name="every">The time between two lines.</param>
    internal static async Task Run(string what, int count, Func<BatchProgress, Task> work, bool prints = false, TimeSpan? every = null)
    {
        TimeSpan pause = count < 2 || (prints && !Console.IsOutputRedirected) ? Timeout.InfiniteTimeSpan : every ?? s_silence;
        if (Console.IsErrorRedirected || pause == Timeout.InfiniteTimeSpan)
        {
            await work(new BatchProgress(what, count, pause, null));
            return;
        }
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new BatchProgress(what, count, pause, context.AddTask(what, maxValue: count))));
    }

    internal void Advance(int items)
    {
        _bar?.Increment(items);
        lock (_since)
        {
            _done += items;
            if (_bar is not null || _every < TimeSpan.Zero || _since.Elapsed < _every || _done >= _count)
                return;
            _since.Restart();
            CommandRunner.Say(string.Create(CultureInfo.InvariantCulture, $"{_what}: {_done} of {_count}."));
        }
    }
}
