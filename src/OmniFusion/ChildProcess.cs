using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace OmniFusion;

/// <summary>A program run for what it writes. It is killed, with all that it has started, when this object is disposed of or the caller asks to stop.</summary>
internal sealed partial class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task _complaining;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _stop;
    private volatile string _complaint = "";

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its name, looked for on the PATH.</param>
    /// <param name="arguments">As they are, without quotes.</param>
    /// <param name="missing">What to say when it is not there.</param>
    /// <param name="cancellation">Kills it.</param>
    /// <param name="folder">Where it works; null: here.</param>
    /// <param name="decisive">What the line says that tells what is wrong, whatever comes behind it; null: the last line tells.</param>
    /// <exception cref="OmniFusionException">It is not there.</exception>
    public ChildProcess(
        string program, IEnumerable<string> arguments, string missing, CancellationToken cancellation, string? folder = null, string? decisive = null)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            CreateNoWindow = true,
            WorkingDirectory = folder ?? "",
        };
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new OmniFusionException(missing, error);
        }
        _complaining = Listen(decisive);
        _cancellation = cancellation;
        _stop = cancellation.Register(Kill);
    }

    /// <summary>What it reads.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>What it writes, as text or, below, as bytes.</summary>
    public StreamReader Output => _process.StandardOutput;

    /// <summary>The line of what it complains about that says what is wrong, trimmed and without a full stop; empty when there is none.</summary>
    public string Complaint
    {
        get
        {
            // What it said last may still be under way when it has ended.
            if (_process.HasExited)
                _complaining.Wait(CancellationToken.None);
            return _complaint;
        }
    }

    /// <summary>Has it read something, beside what else happens, and then no more.</summary>
    public Task FeedAsync(Action<Stream> write) => Task.Run(() =>
    {
        try
        {
            using Stream input = Input.BaseStream;
            write(input);
        }
        catch (IOException)
        {
            // It stopped reading because it has what it needs, or has given up; its exit code tells which.
        }
    }, CancellationToken.None);

    /// <summary>Waits until it has ended, and tells with what exit code.</summary>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public int Wait()
    {
        _process.WaitForExit();
        _cancellation.ThrowIfCancellationRequested();
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Dispose();
        Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task Listen(string? decisive)
    {
        while (await _process.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
            if (!string.IsNullOrWhiteSpace(line) && (decisive is null || !_complaint.Contains(decisive, StringComparison.Ordinal)))
                _complaint = Speaker().Replace(line, "").Trim().TrimEnd('.');
    }

    // ffmpeg begins a line with the part that speaks, and where in memory that is.
    [GeneratedRegex(@"^\[[^\]]* @ 0x[0-9a-f]+\]")]
    private static partial Regex Speaker();

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }
}
