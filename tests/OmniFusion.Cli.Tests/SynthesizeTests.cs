namespace OmniFusion.Cli.Tests;

public sealed class SynthesizeTests : IDisposable
{
    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Theory]
    [InlineData("--workers", "0")]
    [InlineData("--copies", "0")]
    [InlineData("--copies", "70000")]
    [InlineData("--limit", "0")]
    [InlineData("--voices", "nosuch")]
    public async Task AValueThatCannotBeIsAUsageError(string option, string value) =>
        (await CommandLine.Run("synthesize", "--text", _bundle.Write("lines.txt", "One."), option, value)).AssertFailed(2, option, value);

    [Theory]
    [InlineData("--text t --output")]
    [InlineData("images --emoji e --output")]
    [InlineData("slides --names --output")]
    [InlineData("contrastive --pictograms p --to de --output")]
    [InlineData("recordings m --output")]
    [InlineData("names --output")]
    [InlineData("talks --pack p --source s --target de=t --out")]
    public async Task AnEmptyNameToWriteToIsAUsageError(string words) =>
        (await CommandLine.Run(["synthesize", .. words.Split(' '), ""])).AssertFailed(2, words.Split(' ')[^1], "empty");

    [Fact]
    public async Task NorDoesATrainingWorkInNoFolder() =>
        (await CommandLine.Run("train", "recipe.yaml", "--work", "")).AssertFailed(2, "--work", "empty");

    [Theory]
    [InlineData("one,two,one", "one twice")]
    [InlineData(",", "nobody")]
    public async Task MakersAreNamedOnceEach(string makers, string said) =>
        (await CommandLine.Run("synthesize", "images", "--emoji", "e", "--output", _bundle["p"], "--makers", makers)).AssertFailed(2, said);

    [Fact]
    public async Task ALanguageMayBeNamedInEnglish()
    {
        string[] command = ["synthesize", "contrastive", "--pictograms", _bundle["missing.pack"], "--output", _bundle["o"], "--to"];
        (await CommandLine.Run([.. command, "German"])).AssertFailed(1, "missing.pack");
        (await CommandLine.Run([.. command, "Klingon"])).AssertFailed(2, "--to", "Klingon");
    }

    [Theory]
    [InlineData("train")]
    [InlineData("synthesize")]
    [InlineData("synthesize images")]
    [InlineData("synthesize slides")]
    [InlineData("synthesize contrastive")]
    [InlineData("synthesize recordings")]
    [InlineData("synthesize names")]
    [InlineData("synthesize talks")]
    public async Task HelpSaysWhatAnOptionTakes(string words)
    {
        Outcome outcome = await CommandLine.Run([.. words.Split(' '), "--help"]);
        Assert.Equal(0, outcome.Code);
        // What has no name of its own is shown as the name of the option once more.
        Assert.DoesNotMatch("--[a-z]+ <[a-z]+>", outcome.Output);
    }
}
