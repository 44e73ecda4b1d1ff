namespace OmniFusion.Cli.Tests;

public sealed class TrainTests : IDisposable
{
    private readonly TinyBundle _bundle = new();
    private readonly string _recipe;

    public TrainTests()
    {
        _recipe = _bundle.Write("recipe.yaml", $$"""
            stage: translator
            output: {{_bundle["out"]}}
            steps: 1
            data: { source: lines.en }
            model: { vocabulary_text: [missing.en] }
            """);
        Directory.CreateDirectory(_bundle["out"]);
        Directory.CreateDirectory(_bundle["out.work"]);
    }

    public void Dispose() => _bundle.Dispose();

    [Theory]
    [InlineData(100, "00:01:40 left")]
    [InlineData(100_000, "27:46:40 left")]
    public void TheTimeLeftMayBeMoreThanADay(int steps, string left) =>
        Assert.EndsWith(left, TrainCommand.Line(new Training.TrainingProgress(0, steps, 1, 1, null)));

    [Theory]
    [InlineData("out.work/training.safetensors")]
    [InlineData("out/model.safetensors")]
    [InlineData("out/omnifusion.json")]
    public async Task WhatIsTrainedIsNotLostToAForgottenOption(string existing)
    {
        string file = _bundle.Write(existing, "hours of work");
        (await CommandLine.Run("train", _recipe)).AssertFailed(1, existing, "--restart");
        Assert.Equal("hours of work", File.ReadAllText(file));
        // With it, the training goes as far as its data.
        (await CommandLine.Run("train", _recipe, "--restart")).AssertFailed(1, "missing.en");
    }

    [Fact]
    public async Task AModelWithoutACheckpointIsNotLostToResumingEither()
    {
        _bundle.Write("out/model.safetensors", "hours of work");
        Outcome outcome = await CommandLine.Run("train", _recipe, "--resume");
        outcome.AssertFailed(1, "--restart");
        Assert.DoesNotContain("--resume", outcome.Errors);
        (await CommandLine.Run("train", _recipe, "--resume", "--restart")).AssertFailed(2, "--resume", "--restart");
    }
}
