namespace OmniFusion.Cli.Tests;

public sealed class AverageTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task AMeanOfAModelWithItselfIsThatModel()
    {
        string translator = _bundle["translator"], output = _bundle["mean"];
        Outcome outcome = await CommandLine.Run("average", translator, translator, "--output", output, "--shares", "0.25", "0.75");
        Assert.Equal((0, "", ""), (outcome.Code, outcome.Output, outcome.Errors));
        foreach (string file in Directory.EnumerateFiles(translator))
            if (!file.EndsWith(".safetensors", StringComparison.Ordinal))
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(output, Path.GetFileName(file))));
        string before = (await _bundle.Translate("--text", "A bat.", "--to", "de")).Output;
        _bundle.EditJson("omnifusion.json", json => json["translator"] = "mean");
        Assert.Equal(before, (await _bundle.Translate("--text", "A bat.", "--to", "de")).Output);
    }

    [Fact]
    public async Task WhatDoesNotFitIsOneSentence()
    {
        string translator = _bundle["translator"];
        (await CommandLine.Run("average", translator, "--output", _bundle["mean"])).AssertFailed(2, "average");
        (await CommandLine.Run("average", translator, translator, "--output", _bundle["mean"], "--shares", "1")).AssertFailed(2, "--shares");
        (await CommandLine.Run("average", translator, _bundle["omni"], "--output", _bundle["mean"])).AssertFailed(1, "omni");
        Assert.False(Directory.Exists(_bundle["mean"]));
    }
}
