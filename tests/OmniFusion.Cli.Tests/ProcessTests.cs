using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace OmniFusion.Cli.Tests;

/// <summary>The built command as users run it.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task TranslatesFromAnyFolder()
    {
        File.Copy(TinyBundle.Media("bat.wav"), _bundle["bat.wav"]);
        using Process process = Start("translate", "bat.wav", "--to", "German", "--model", ".");
        Outcome outcome = await Finish(process);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        Assert.Equal(TinyBundle.Expected("fused_audio"), outcome.Output.TrimEnd('\n', '\r'));
    }

    [Fact]
    public async Task WrongUsageIsTwo()
    {
        using Process process = Start("translate", "bat.wav");
        (await Finish(process)).AssertFailed(2, "--to");
    }

    [Fact]
    public async Task ABadBundleIsOne()
    {
        _bundle.Truncate("translator/model.safetensors");
        using Process process = Start("info", ".");
        (await Finish(process)).AssertFailed(1, "model.safetensors");
    }

    [Fact]
    public async Task AnInterruptStopsABatchWhoseResultsStreamOut()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent by kill.");
        const int items = 2000;
        _bundle.Write("batch.jsonl", string.Join('\n', Enumerable.Repeat("""{"text": "What is the weather like?", "to": "de"}""", items)));
        using Process process = Start("translate", "--batch", "batch.jsonl", "--model", ".", "--json");
        Assert.StartsWith("{\"audio\":null", await process.StandardOutput.ReadLineAsync());
        using (Process kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        Outcome outcome = await Finish(process);
        Assert.Equal(130, outcome.Code);
        Assert.Equal("omnifusion: stopped.", outcome.Errors.TrimEnd());
        Assert.InRange(outcome.Lines.Length, 0, items - 2);
    }

    private Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new(Command(), arguments)
        {
            WorkingDirectory = _bundle.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        return Process.Start(start)!;
    }

    private static async Task<Outcome> Finish(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Outcome(process.ExitCode, await output, await errors);
    }

    // Beside this project's own output: the configuration and the framework are the last two folders.
    private static string Command()
    {
        string[] folders = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar).Split(Path.DirectorySeparatorChar);
        string name = OperatingSystem.IsWindows() ? "omnifusion.exe" : "omnifusion";
        return Path.Combine(TinyBundle.Goldens, "..", "..", "src", "OmniFusion.Cli", "bin", folders[^2], folders[^1], name);
    }
}
