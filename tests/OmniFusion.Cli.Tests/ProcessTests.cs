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

    [Theory]
    [InlineData(2, "translate", "bat.wav")]
    [InlineData(1, "info", "nowhere")]
    public async Task TheExitCodeStaysWhereNobodyCanBeTold(int code, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no full device.");
        using Process process = Start("/bin/sh", ["-c", "exec \"$0\" \"$@\" 2>/dev/full", Command(), .. arguments]);
        Assert.Equal(code, (await Finish(process)).Code);
    }

    [Fact]
    public async Task ARecordingMayComeThroughAPipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes are made by a shell.");
        string audio = TinyBundle.Media("bat.wav");
        using Process process = Start("/bin/sh",
            ["-c", "mkfifo named.wav; cat \"$1\" > named.wav & cat \"$1\" | \"$0\" translate - named.wav --to German --model . --json",
                Command(), audio]);
        Outcome outcome = await Finish(process);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        Assert.Equal(["-", "named.wav"], outcome.Json.Select(result => result.GetProperty("audio").GetString()));
        Assert.All(outcome.Json, result => Assert.Equal(TinyBundle.Expected("fused_audio"), result.GetProperty("translation").GetString()));
    }

    [Fact]
    public async Task ABatchMayComeThroughAPipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes are made by a shell.");
        File.Copy(TinyBundle.Media("bat.wav"), _bundle["bat.wav"]);
        using Process process = Start("/bin/sh",
            ["-c", "echo '{\"audio\": \"bat.wav\"}' | \"$0\" translate --batch - --to German --model .", Command()]);
        Outcome outcome = await Finish(process);
        Assert.Equal((0, TinyBundle.Expected("fused_audio")), (outcome.Code, outcome.Output.TrimEnd('\n')));
    }

    [Fact]
    public async Task LinesStayWholeOnANarrowTerminal()
    {
        Assert.All((await OnTerminal("stty cols 40; TERM=dumb", tokens: 8)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Equal("de", System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("language").GetString()));
    }

    [Fact]
    public async Task OnATerminalABarStandsBelowTheLines()
    {
        string output = await OnTerminal("stty cols 100; TERM=xterm", tokens: 2);
        Assert.Contains("Translating ━━━━━━━━━━━━━━━━━━━━──────────────────── 1 of 2", output);
        // What is erased is gone: of each line the part behind the last erasure stays.
        string[] lines = [.. output.Split("\r\n").Select(line => line.Split("\e[K")[^1])];
        Assert.Equal("", lines[^1]);
        Assert.Equal(2, lines.Length - 1);
        Assert.All(lines[..^1], line => Assert.StartsWith("{\"audio\"", line));
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
        await SkipWithoutSignal("INT");
        const int items = 2000;
        _bundle.Write("batch.jsonl", string.Join('\n', Enumerable.Repeat("""{"text": "What is the weather like?", "to": "de"}""", items)));
        using Process process = Start("translate", "--batch", "batch.jsonl", "--model", ".", "--json");
        Assert.StartsWith("{\"audio\":null", await process.StandardOutput.ReadLineAsync());
        await Run("kill", "-INT", process.Id.ToString(CultureInfo.InvariantCulture));
        Outcome outcome = await Finish(process);
        Assert.Equal(130, outcome.Code);
        Assert.Equal("omnifusion: stopped.", outcome.Errors.TrimEnd());
        Assert.InRange(outcome.Lines.Length, 0, items - 2);
    }

    [Fact]
    public async Task ABatchThatNobodyReadsEnds()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes are made by a shell.");
        _bundle.Write("batch.jsonl", string.Join('\n', Enumerable.Repeat("""{"text": "What is the weather like?", "to": "de"}""", 2000)));
        using Process process = Start("bash",
            ["-c", "\"$0\" translate --batch batch.jsonl --model . --json | head -1; exit ${PIPESTATUS[0]}", Command()]);
        Outcome outcome = await Finish(process);
        Assert.Equal(1, outcome.Code);
        Assert.Single(outcome.Json);
    }

    [Theory]
    [InlineData("stream -")]
    [InlineData("translate -")]
    [InlineData("translate --batch -")]
    public async Task AClosedInputIsNotWaitedFor(string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere it is not known which input is closed.");
        using Process process = Start("bash", ["-c", $"exec \"$0\" {command} --to de --model . <&-", Command()]);
        (await Finish(process)).AssertFailed(1, "Standard input is closed");
    }

    [Fact]
    public async Task AStreamWhoseTerminalIsClosedEndsItsSegment()
    {
        await SkipWithoutSignal("HUP");
        File.Copy(TinyBundle.Media("bat.wav"), _bundle["bat.wav"]);
        using Process process = Start("bash", ["-c",
            "exec \"$0\" stream - --to de --model . --json --save events.jsonl < <(exec 2>/dev/null; tail -c +45 bat.wav; exec sleep 30)", Command()]);
        Assert.StartsWith("{\"time_audio\"", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await Run("kill", "-HUP", process.Id.ToString(CultureInfo.InvariantCulture));
        Outcome outcome = await Finish(process);
        Assert.Equal((0, ""), (outcome.Code, outcome.Errors));
        Assert.True(outcome.Json[^1].GetProperty("ends_segment").GetBoolean());
        Assert.Equal(outcome.Lines[^1], File.ReadLines(_bundle["events.jsonl"]).Last());
    }

    [Fact]
    public async Task AStreamThatNobodyReadsEnds()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There a pipe that nobody reads says nothing.");
        File.Copy(TinyBundle.Media("bat.wav"), _bundle["bat.wav"]);
        using Process process = Start("stream", "bat.wav", "--to", "de", "--model", ".", "--json");
        process.StandardOutput.Close();
        string errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("omnifusion: The output cannot be written: ", errors);
        Assert.Equal(1, process.ExitCode);
    }

    [Fact]
    public async Task AProcessThatIsToldToEndLeavesNoHalfWrittenFile()
    {
        await SkipWithoutSignal("TERM");
        string drawings = Directory.CreateDirectory(_bundle["emoji-datasource-one/img/one/64"]).FullName;
        _bundle.Write("emoji-datasource-one/emoji.json", """
            [{"name": "BAT", "short_name": "bat", "image": "1f987.png", "category": "Animals", "subcategory": "bats", "has_img_one": true}]
            """);
        // A drawing that never comes keeps the pack open.
        await Run("mkfifo", Path.Combine(drawings, "1f987.png"));
        Directory.CreateDirectory(_bundle["packs"]);
        using Process process = Start("synthesize", "images", "--emoji", ".", "--makers", "one", "--output", "packs/a.pack");
        while (Directory.GetFiles(_bundle["packs"]).Length == 0 && !process.HasExited)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.EndsWith(".tmp", Assert.Single(Directory.GetFiles(_bundle["packs"])));
        await Run("kill", "-TERM", process.Id.ToString(CultureInfo.InvariantCulture));
        Assert.NotEqual(0, (await Finish(process)).Code);
        Assert.Empty(Directory.GetFiles(_bundle["packs"]));
    }

    // What a terminal gets to show of a batch of two.
    private async Task<string> OnTerminal(string terminal, int tokens)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no terminal to be had.");
        _bundle.Write("batch.jsonl", "{\"text\": \"What is the weather like?\"}\n{\"text\": \"It rains.\"}\n");
        using Process process = Start("/usr/bin/script",
            ["-qec", $"{terminal} '{Command()}' translate --batch batch.jsonl --to de --model . --json --max-new-tokens {tokens}", "/dev/null"]);
        return (await Finish(process)).Output;
    }

    /// <summary>A signal that this process ignores, its children ignore, too: a shell's background has no SIGINT, nohup no SIGHUP.</summary>
    private static async Task SkipWithoutSignal(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent by kill.");
        Assert.SkipWhen(await Run("sh", "-c", $"kill -{name} $$") == 0, $"SIG{name} is ignored here.");
    }

    private static async Task<int> Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private Process Start(params string[] arguments) => Start(Command(), arguments);

    private Process Start(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
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
