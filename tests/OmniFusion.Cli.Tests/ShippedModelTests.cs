using OmniFusion.Models;

namespace OmniFusion.Cli.Tests;

/// <summary>The model that is used when no other is named, on the recordings of this repository.</summary>
public sealed class ShippedModelTests
{
    private const long LargestBundle = 40_000_000;

    private static string Repository => Path.GetFullPath(Path.Combine(TinyBundle.Goldens, "..", ".."));

    [Fact]
    public async Task Translates_a_spoken_sentence_that_it_was_not_trained_on()
    {
        Outcome outcome = await CommandLine.Run("translate", Path.Combine(Repository, "samples", "speech", "garage.wav"), "--to", "de");
        Assert.Equal(0, outcome.Code);
        // "Two boys are building a tall tower …"
        Assert.StartsWith("Zwei Jungen bauen", outcome.Output);
    }

    [Fact]
    public async Task Tells_what_its_prefix_says()
    {
        string audio = Path.Combine(Repository, "samples", "speech", "ducks.wav");
        Outcome outcome = await CommandLine.Run("translate", audio, "--to", "cs", "--json", "--chain-of-thought", "false");
        Assert.StartsWith("A woman in a purple", Assert.Single(outcome.Json).GetProperty("gloss").GetString());
    }

    [Fact]
    public async Task Translates_a_written_sentence()
    {
        Outcome outcome = await CommandLine.Run("translate", "--text", "A dog is running through the snow.", "--to", "German");
        Assert.Equal(0, outcome.Code);
        Assert.Matches("^Ein Hund (rennt|läuft) durch den Schnee.$", outcome.Output.Trim());
    }

    [Fact]
    public void Stays_small_and_every_key_has_its_place()
    {
        string folder = Path.Combine(Repository, "models", "nano");
        Assert.True(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) < LargestBundle);
        Assert.Empty(OmniFusionModel.Load(folder).UnplacedKeys);
    }
}
