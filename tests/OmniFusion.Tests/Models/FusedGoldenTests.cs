using System.Globalization;
using System.Text.Json;
using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class FusedGoldenTests
{
    public static TheoryData<string> Cases => [.. Directory.GetFiles(Path.Combine(Golden.Root, "cases"), "fused_*.json")
        .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_whole_system_agrees(string name)
    {
        Golden golden = Golden.Load(name);
        OmniFusionModel model = TinyModels.Model;
        ThinkerInput[] inputs = TinyModels.Inputs(name.Replace("fused", "thinker", StringComparison.Ordinal));
        int[][] towers = Towers(golden);
        Compute c = model.CreateCompute();

        FusedPrefix prefix = model.Parts.Encode(c, inputs);
        TinyModels.AssertClose(golden.Floats("gates"), prefix.Gates!.Span, 1e-4f, "gates");
        TinyModels.AssertClose(golden.Floats("projected"), prefix.States.Span, 2e-4f, "projected");
        DecoderStart start = model.Parts.Start(c, prefix, towers);
        TinyModels.AssertClose(golden.Floats("first_logits"), start.Logits.Span, 2e-4f, "first logits");
        AssertHistories(golden, start.Histories);

        int width = golden.Shape("greedy")[^1], items = inputs.Length;
        int[] everyItem = [.. Enumerable.Range(0, items)];
        Tensor logits = start.Logits;
        for (int step = 0; step < 3; step++)
            logits = start.Session.Step(c, [.. everyItem.Select(i => (int)golden.Longs("greedy")[i * width + step])], everyItem,
                step == 0 ? [.. everyItem.Select(_ => -1)] : everyItem);
        TinyModels.AssertClose(golden.Floats("greedy_logits_step3"), logits.Span, 2e-4f, "step 3");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_search_finds_the_published_text(string name)
    {
        Golden golden = Golden.Load(name);
        OmniFusionModel model = TinyModels.Model;
        ThinkerInput[] inputs = TinyModels.Inputs(name.Replace("fused", "thinker", StringComparison.Ordinal));
        int[][] towers = Towers(golden);
        // A search takes back its own arena; the prefix lives in another and serves them all.
        Compute c = model.CreateCompute();
        Compute encoder = model.CreateCompute();
        FusedPrefix prefix = model.Parts.Encode(encoder, inputs);
        string[] searches = [.. golden.Names.Where(key =>
            key == "greedy" || (key.StartsWith("beam", StringComparison.Ordinal) && !key.EndsWith("_scores", StringComparison.Ordinal)))];
        Assert.Equal(5, searches.Length);
        foreach (string search in searches)
        {
            Generated[] found = model.Parts.Start(c, prefix, towers).Search(c, Options(search, golden.Json));
            GoldenSearch.AssertFound(golden, search, found);
            if (golden.Json.GetProperty("text").TryGetProperty(search, out JsonElement texts))
                Assert.Equal(texts.EnumerateArray().Select(text => text.GetString()),
                    found.Select(item => model.TranslatorTokenizer.Decode(item.Ids, skipSpecialTokens: true)));
        }
        GC.KeepAlive(encoder);
    }

    // Names are greedy, or beamB_ngramN_lpP.
    private static GenerationOptions Options(string name, JsonElement json)
    {
        JsonElement most = json.GetProperty("max_new_tokens");
        if (name == "greedy")
            return new GenerationOptions { NumBeams = 1, NoRepeatNgramSize = 0, MaxNewTokens = most.GetProperty("greedy").GetInt32() };
        string[] parts = name.Split('_');
        return new GenerationOptions
        {
            NumBeams = int.Parse(parts[0]["beam".Length..], CultureInfo.InvariantCulture),
            NoRepeatNgramSize = int.Parse(parts[1]["ngram".Length..], CultureInfo.InvariantCulture),
            LengthPenalty = float.Parse(parts[2]["lp".Length..], CultureInfo.InvariantCulture),
            MaxNewTokens = most.GetProperty("beam").GetInt32(),
        };
    }

    internal static int[][] Towers(Golden golden)
    {
        int width = golden.Shape("text_input_ids")[^1];
        return [.. golden.Longs("text_input_ids").Zip(golden.Longs("text_attention_mask")).Chunk(width)
            .Select(row => row.Where(pair => pair.Second == 1).Select(pair => (int)pair.First).ToArray())];
    }

    // The published list is padded on the left to the longest of the batch; ours is not padded.
    private static void AssertHistories(Golden golden, IReadOnlyList<int[]> histories)
    {
        int width = golden.Shape("input_ids")[^1];
        int item = 0;
        foreach (long[] row in golden.Longs("input_ids").Chunk(width))
        {
            int[] history = histories[item++];
            Assert.Equal(row[^history.Length..].Select(id => (int)id), history);
            Assert.All(row[..^history.Length], id => Assert.Equal(700, id));
        }
    }
}
