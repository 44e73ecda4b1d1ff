using System.Buffers.Binary;
using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Simultaneous;
using OmniFusion.Tests.Checkpoints;

namespace OmniFusion.Tests.Models;

public sealed class DamagedWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("translator/model.safetensors")]
    [InlineData("omni/model-00002-of-00002.safetensors")]
    public async Task WeightsThatAreNotNumbersEndInASentenceAndNotInAText(string file)
    {
        foreach (string part in new[] { "omni", "translator", "fusion" })
            foreach (string original in Directory.GetFiles(Golden.Tiny(part)))
            {
                Directory.CreateDirectory(_folder[part]);
                File.Copy(original, _folder[$"{part}/{Path.GetFileName(original)}"]);
            }
        byte[] weights = File.ReadAllBytes(_folder[file]);
        weights.AsSpan(8 + (int)BinaryPrimitives.ReadInt64LittleEndian(weights)).Fill(0xFF);
        File.WriteAllBytes(_folder[file], weights);
        OmniFusionModel model = OmniFusionModel.Load(_folder["omni"], _folder["translator"], _folder["fusion"]);
        TranslationRequest request = new() { Audio = Golden.Media("bat.wav"), TargetLanguage = "de" };
        foreach (int beams in new[] { 1, 3 })
            await Damaged(() => model.TranslateAsync(request, new TranslationOptions { Beams = beams, MaxNewTokens = 3 }));
        await Damaged(() => model.ScoreAsync(request, ["a"]));
        // Of a batch only what needs the damaged weights fails.
        List<TranslationResult> results = [];
        await foreach (TranslationResult result in model.TranslateBatchAsync(
            [request with { Audio = null, Text = "a word" }, request], new TranslationOptions { MaxNewTokens = 3, BatchSize = 2 }))
            results.Add(result);
        Assert.Equal(file.StartsWith("omni", StringComparison.Ordinal), results[0].Translation is not null);
        Assert.Contains("weights are damaged", results[1].Error!.Message);
        if (file.StartsWith("translator", StringComparison.Ordinal))
            await Damaged(() =>
            {
                using TextDecoder decoder = TextDecoder.Create(model, "en", "de");
                decoder.SetSource("a word", ended: true);
                return Task.FromResult(decoder.Write([], 3));
            });
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void OneScoreThatIsNoNumberIsEnough(float score)
    {
        Assert.Throws<OmniFusionException>(() => FiniteScores.Best([1, score, 2]));
        Assert.Throws<OmniFusionException>(() => FiniteScores.LogSumExp([1, score, 2], new float[3]));
        Assert.Equal(2, FiniteScores.Best([1, float.NegativeInfinity, 2]));
        Assert.Equal(0, FiniteScores.Best([float.NegativeInfinity, float.NegativeInfinity]));
    }

    private static async Task Damaged(Func<Task> work) =>
        Assert.Contains("weights are damaged", (await Assert.ThrowsAsync<OmniFusionException>(work)).Message);
}
