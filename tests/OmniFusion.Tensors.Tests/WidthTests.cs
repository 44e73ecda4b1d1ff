using System.Diagnostics;
using System.Runtime.Intrinsics;

namespace OmniFusion.Tensors.Tests;

/// <summary>
/// All operations but products and attention are written for vectors of 16 numbers, which the runtime splits where the processor has narrower
/// ones. It decides so for a whole process: their tests run again in processes that are told to do without AVX-512, or without any extension.
/// </summary>
public class WidthTests
{
    private static readonly string[] s_switches = ["DOTNET_EnableAVX512", "DOTNET_EnableHWIntrinsic"];

    public static TheoryData<string> Switches => [.. s_switches];

    [Theory]
    [MemberData(nameof(Switches))]
    public async Task Operations_are_right_without(string instructions)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "OmniFusion.Tensors.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        ProcessStartInfo start = new(program,
        [
            "--no-progress", "--filter-class",
            $"*{nameof(OpsGradientTests)}", $"*{nameof(OpsLossTests)}", $"*{nameof(OpsValueTests)}", $"*{nameof(NarrowTests)}",
        ]) { RedirectStandardOutput = true };
        start.Environment[instructions] = "0";
        // Threads would only wait for each other.
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
    }

    /// <summary>What the others in such a process rest on.</summary>
    public class NarrowTests
    {
        [Fact]
        public void Whoever_is_told_to_do_without_does_without() =>
            Assert.False(Vector512.IsHardwareAccelerated && s_switches.Any(name => Environment.GetEnvironmentVariable(name) == "0"));
    }
}
