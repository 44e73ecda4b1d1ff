using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace OmniFusion.Cli;

/// <summary>
/// How far a command is, when there is more than one item: a bar where stderr is a terminal, a line now and then where it is not.
/// </summary>
internal sealed class BatchProgress
{
    private const int LongestFooter = 40, ShortestFooter = 10;

    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(30);

    private readonly ProgressTask? _bar;
    private readonly string _what;
    private readonly int _count;
    private readonly TimeSpan _every;
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private int _done;

    // Characters of the bar that stands below the lines that are printed; 0: there is none.
    private int _footer;

    private BatchProgress(string what, int count, TimeSpan every, ProgressTask? bar) => (_what, _count, _every, _bar) = (what, count, every, bar);

    /// <summary>Runs work that has so many items.</summary>
    /// <param name="what">What is done with the items.</param>
    /// <param name="count">Their number.</param>
    /// <param name="work">Does it, and tells of each item.</param>
    /// <param name="prints">Whether the work prints a line an item (<see cref="Print"/>).</param>
    /// <param name="every">The time between two lines.</param>
    internal static async Task Run(string what, int count, Func<BatchProgress, Task> work, bool prints = false, TimeSpan? every = null)
    {
        TimeSpan pause = count < 2 ? Timeout.InfiniteTimeSpan : every ?? s_silence;
        bool onTerminal = count > 1 && !Console.IsErrorRedirected;
        if (prints && onTerminal && !Console.IsOutputRedirected)
        {
            BatchProgress progress = new(what, count, Timeout.InfiniteTimeSpan, null);
            progress._footer = progress.RoomForFooter();
            progress.DrawFooter();
            try
            {
                await work(progress);
            }
            finally
            {
                progress.EraseFooter();
            }
            return;
        }
        // Lines that another program shows on the same terminal come when they will: a bar that is drawn anew would go over them.
        if (!onTerminal || (prints && StandardStreams.IsPipe))
        {
            await work(new BatchProgress(what, count, pause, null));
            return;
        }
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new BatchProgress(what, count, pause, context.AddTask(what, maxValue: count))));
    }

    /// <summary>Prints a line of the result.</summary>
    internal void Print(string line)
    {
        EraseFooter();
        Console.Out.WriteLine(line);
        DrawFooter();
    }

    internal void Advance(int items)
    {
        _bar?.Increment(items);
        lock (_since)
        {
            _done += items;
            DrawFooter();
            if (_bar is not null || _every < TimeSpan.Zero || _since.Elapsed < _every || _done >= _count)
                return;
            _since.Restart();
            CommandRunner.Say(string.Create(CultureInfo.InvariantCulture, $"{_what}: {_done} of {_count}."));
        }
    }

    // A bar that does not fit into a line of the terminal could not be erased.
    private int RoomForFooter()
    {
        int room = Environment.GetEnvironmentVariable("TERM") == "dumb" ? 0 : Console.WindowWidth - $"{_what}  {_count} of {_count} ".Length;
        return room < ShortestFooter ? 0 : Math.Min(room, LongestFooter);
    }

    private void DrawFooter()
    {
        int full = (int)((long)_footer * _done / _count);
        if (_footer > 0)
            Console.Error.Write($"\r\e[K{_what} {new string('━', full)}{new string('─', _footer - full)} {_done} of {_count}");
    }

    private void EraseFooter()
    {
        if (_footer > 0)
            Console.Error.Write("\r\e[K");
    }
}
