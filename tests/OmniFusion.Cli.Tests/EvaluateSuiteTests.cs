using System.Text.Json;

namespace OmniFusion.Cli.Tests;

/// <summary><c>evaluate suite</c> with evaluations of texts, which need no model.</summary>
public sealed class EvaluateSuiteTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-suite-").FullName;

    public EvaluateSuiteTests()
    {
        File.WriteAllText(At("right.txt"), "Ein Hund rennt über die Wiese.\n");
        File.WriteAllText(At("wrong.txt"), "Zwei Katzen.\n");
        File.WriteAllText(At("suite.yaml"), """
            runs:
              - name: right
                command: evaluate text --hypothesis ${dir}/right.txt --reference ${dir}/right.txt --resamples 0
              - name: wrong
                command: evaluate text --hypothesis ${dir}/wrong.txt --reference ${dir}/right.txt --resamples 0
            """);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task AllRunsHaveResultsAndOneTable()
    {
        Outcome outcome = await Suite();
        Assert.Equal(0, outcome.Code);
        Assert.Equal(outcome.Output, File.ReadAllText(At("out/figures.md")));
        Assert.Contains(outcome.Lines, line => line.StartsWith("| right | ", StringComparison.Ordinal) && line.EndsWith(" | 100 |", StringComparison.Ordinal));
        JsonElement kept = JsonDocument.Parse(File.ReadAllText(At("out/wrong.json"))).RootElement;
        Assert.StartsWith("evaluate text ", kept.GetProperty("command").GetString());
    }

    [Fact]
    public async Task WhatHasAResultIsLeftOutUnlessItsCommandChanged()
    {
        await Suite();
        Assert.Equal("", (await Suite("--resume")).Errors);
        File.WriteAllText(At("suite.yaml"), File.ReadAllText(At("suite.yaml")).Replace("${dir}/wrong.txt", "${dir}/right.txt", StringComparison.Ordinal));
        Outcome again = await Suite("--resume");
        Assert.DoesNotContain("right:", again.Errors);
        Assert.Contains("wrong:", again.Errors);
    }

    [Fact]
    public async Task TheResultOfOtherDataIsNotKept()
    {
        await Suite();
        File.WriteAllText(At("wrong.txt"), "Drei Katzen.\n");
        Outcome again = await Suite("--resume");
        Assert.DoesNotContain("right:", again.Errors);
        Assert.Contains("wrong.json is of other data", again.Errors);
        Assert.Equal("", (await Suite("--resume")).Errors);
    }

    [Fact]
    public async Task AValueStaysOneWord()
    {
        Directory.CreateDirectory(At("two words: # one"));
        foreach (string file in new[] { "right.txt", "wrong.txt" })
            File.Copy(At(file), Path.Combine(At("two words: # one"), file));
        Outcome outcome = await CommandLine.Run(
            "evaluate", "suite", At("suite.yaml"), "--output", At("out"), "--set", $"dir={At("two words: # one")}");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("| wrong |", outcome.Output);
    }

    [Fact]
    public async Task TheResultOfAnotherModelIsNotKept()
    {
        using TinyBundle bundle = new();
        File.WriteAllText(At("suite.yaml"), $"runs: [ {{ name: one, command: 'evaluate contrastive ${{dir}}/set --to de --no-image --model {bundle.Folder}' }} ]");
        Directory.CreateDirectory(At("set"));
        foreach ((string name, string lines) in new[] { ("src.en", "A bat.\nA bat."), ("correct.de", "Eine Fledermaus.\nEin Schläger."),
            ("incorrect.de", "Ein Schläger.\nEine Fledermaus.") })
            File.WriteAllText(At($"set/{name}"), lines);
        Assert.Contains("one: evaluate", (await Suite()).Errors);
        Assert.Equal("", (await Suite("--resume")).Errors);
        bundle.Write("fusion/more.txt", "trained again");
        Outcome again = await Suite("--resume");
        Assert.Contains("another model", again.Errors);
        Assert.Contains("one: evaluate", again.Errors);
        Assert.Equal("", (await Suite("--resume")).Errors);
    }

    [Fact]
    public async Task SomeRunsCanBeChosen()
    {
        Outcome outcome = await Suite("--only", "wrong");
        Assert.DoesNotContain("| right |", outcome.Output);
        Assert.Contains("| wrong |", outcome.Output);
        (await Suite("--only", "other")).AssertFailed(2, "no run 'other'");
    }

    [Fact]
    public async Task AFailedRunEndsTheSuiteAndKeepsWhatIsDone()
    {
        File.AppendAllText(At("suite.yaml"), "\n  - { name: bad, command: evaluate text --hypothesis nothing.txt --reference nothing.txt }\n");
        Outcome outcome = await Suite();
        Assert.Equal(1, outcome.Code);
        Assert.Contains("nothing.txt", outcome.Errors);
        Assert.Contains("the run 'bad' failed", outcome.Errors);
        Assert.True(File.Exists(At("out/wrong.json")));
        Assert.False(File.Exists(At("out/bad.json")));
    }

    [Theory]
    [InlineData("runs: []", "names no runs")]
    [InlineData("runs: [ { name: a } ]", "a command")]
    [InlineData("runs: [ { name: a/b, command: info } ]", "a file's")]
    [InlineData("runs: [ { name: .., command: info } ]", "a file's")]
    [InlineData("runs: [ ~ ]", "a file's")]
    [InlineData("runs: all", "line 1: a value of another kind")]
    [InlineData("runs: [ { name: a, command: info, model: b } ]", "line 1: there is no 'model' here")]
    [InlineData("runs: [ { name: a, command: 'info --model ${model}' } ]", "${model}")]
    [InlineData("runs: [ { name: a, command: info }, { name: a, command: info } ]", "same name")]
    [InlineData("walks: []", "walks")]
    public async Task ASuiteThatIsWrongIsRefused(string yaml, string word)
    {
        File.WriteAllText(At("suite.yaml"), yaml);
        (await Suite()).AssertFailed(1, word);
    }

    private Task<Outcome> Suite(params string[] more) =>
        CommandLine.Run(["evaluate", "suite", At("suite.yaml"), "--output", At("out"), "--set", $"dir={_folder}", .. more]);

    private string At(string name) => Path.Combine(_folder, name);
}
