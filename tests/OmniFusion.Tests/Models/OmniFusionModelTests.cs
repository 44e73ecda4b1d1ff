using System.Text.Json.Nodes;
using OmniFusion.Checkpoints;
using OmniFusion.Generation;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class OmniFusionModelTests
{
    private static readonly TranslationOptions s_quick = new() { Beams = 2, MaxNewTokens = 8, ImageSize = new ImageSize(112, 84) };

    private static readonly string s_bat = Golden.Media("bat.wav"), s_speaker = Golden.Media("speaker.wav"), s_gray = Golden.Media("gray.png");

    private static OmniFusionModel Model => TinyModels.Model;

    [Fact]
    public async Task A_file_is_translated_as_published()
    {
        Golden golden = Golden.Load("fused_audio");
        TranslationRequest request = new() { Audio = s_bat, TargetLanguage = golden.Json.GetProperty("target_language").GetString()! };
        Translation found = await Model.TranslateAsync(request, new TranslationOptions { MaxNewTokens = 24 });
        const string Search = "beam5_ngram5_lp1.0";
        Assert.Equal(golden.Longs(Search).Select(id => (int)id), found.Ids);
        Assert.Equal(golden.Floats(Search + "_scores")[0], found.Score!.Value, 1e-3f);
        Assert.Equal(golden.Json.GetProperty("text").GetProperty(Search)[0].GetString(), found.Text);
    }

    [Fact]
    public void Every_key_of_the_checkpoints_finds_its_place() => Assert.Empty(Model.UnplacedKeys);

    [Fact]
    public async Task The_result_of_an_item_does_not_depend_on_its_neighbours()
    {
        TranslationRequest[] requests =
        [
            new() { Audio = s_bat, TargetLanguage = "de" },
            new() { Text = "What is the weather like?", TargetLanguage = "fr" },
            new() { Audio = s_speaker, Image = s_gray, TargetLanguage = "Czech" },
            new() { Image = s_gray, TargetLanguage = "it" },
            new() { Image = s_gray, Text = "A word.", TargetLanguage = "ja" },
            new() { Audio = s_bat, Transcript = "The bat flew.", TargetLanguage = "nb" },
        ];
        List<TranslationResult> together = [];
        await foreach (TranslationResult result in Model.TranslateBatchAsync(requests, s_quick with { BatchSize = 4 }))
            together.Add(result);
        for (int i = 0; i < requests.Length; i++)
        {
            Translation alone = await Model.TranslateAsync(requests[i], s_quick);
            Assert.Equal(alone.Ids, together[i].Translation!.Ids);
            Assert.Equal(alone.Language, together[i].Translation!.Language);
            Assert.Equal(alone.Score!.Value, together[i].Translation!.Score!.Value, 1e-4f);
        }
    }

    [Fact]
    public async Task Calls_may_run_at_the_same_time()
    {
        TranslationRequest request = new() { Audio = s_bat, TargetLanguage = "de" };
        Translation[] found = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Model.TranslateAsync(request, s_quick)));
        Assert.All(found, one => Assert.Equal(found[0].Ids, one.Ids));
    }

    [Fact]
    public async Task A_bad_item_yields_its_error_and_the_rest_goes_on()
    {
        TranslationRequest[] requests =
        [
            new() { Audio = "missing.wav", TargetLanguage = "de" },
            new() { Audio = s_bat, TargetLanguage = "de" },
            new() { Audio = s_bat, TargetLanguage = "Klingon" },
        ];
        List<TranslationResult> results = [];
        await foreach (TranslationResult result in Model.TranslateBatchAsync(requests, s_quick with { BatchSize = 3 }))
            results.Add(result);
        Assert.Contains("missing.wav", results[0].Error!.Message, StringComparison.Ordinal);
        Assert.NotNull(results[1].Translation);
        Assert.Contains("Klingon", results[2].Error!.Message, StringComparison.Ordinal);
    }

    public static TheoryData<TranslationRequest, string> BadRequests => new()
    {
        { new() { TargetLanguage = "de" }, "nothing to translate" },
        { new() { Text = " ", TargetLanguage = "de" }, "nothing to translate" },
        { new() { Text = "a", Transcript = "b", TargetLanguage = "de" }, "transcript" },
        { new() { Samples = [], TargetLanguage = "de" }, "too short" },
        { new() { Samples = new float[320], TargetLanguage = "de" }, "too short" },
        { new() { Samples = [float.NaN, .. new float[16000]], TargetLanguage = "de" }, "not numbers" },
        { new() { Samples = new float[1400 * 16000], TargetLanguage = "de" }, "too long" },
        { new() { Audio = "x", Samples = new float[16000], TargetLanguage = "de" }, "not as both" },
        { new() { Samples = new float[16000], Text = "a", TargetLanguage = "de" }, "cannot go together" },
        { new() { Image = "x", Text = "a <|AUDIO|> b", TargetLanguage = "de" }, "<|AUDIO|>" },
        { new() { Text = "a", TargetLanguage = "xx" }, "xx" },
        { new() { Text = "a", SourceLanguage = "yy", TargetLanguage = "de" }, "yy" },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task A_bad_request_is_told_in_a_sentence(TranslationRequest request, string part)
    {
        OmniFusionException error = await Assert.ThrowsAsync<OmniFusionException>(() => Model.TranslateAsync(request, s_quick));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_shortest_sound_is_translated() =>
        Assert.NotEmpty((await Model.TranslateAsync(new() { Samples = [.. Enumerable.Repeat(0.1f, 640)], TargetLanguage = "de" }, s_quick)).Ids);

    [Fact]
    public async Task Nothing_is_heard_in_silence()
    {
        TranslationRequest silence = new() { Samples = new float[16000], TargetLanguage = "de" }, bat = new() { Audio = s_bat, TargetLanguage = "de" };
        Assert.Equal("", (await Model.TranslateAsync(silence, s_quick)).Text);
        IReadOnlyList<string> heard = await Model.TranscribeBatchAsync([silence, bat, silence], maxNewTokens: 4);
        Assert.Equal(["", await Model.TranscribeAsync(bat, maxNewTokens: 4), ""], heard);
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(2, 0)]
    public async Task A_search_without_sense_is_refused(int beams, int tokens) =>
        await Assert.ThrowsAsync<OmniFusionException>(() => Model.TranslateAsync(
            new() { Text = "a", TargetLanguage = "de" }, new TranslationOptions { Beams = beams, MaxNewTokens = tokens }));

    [Fact]
    public async Task A_call_can_be_cancelled()
    {
        using CancellationTokenSource stop = new();
        Task<Translation> call = Model.TranslateAsync(
            new() { Audio = s_bat, TargetLanguage = "de" }, new TranslationOptions { MaxNewTokens = 100000, NoRepeatNgramSize = 1 }, stop.Token);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task The_thinker_writes_its_own_text()
    {
        Golden golden = Golden.Load("thinker_generate_audio");
        string text = await Model.TranscribeAsync(new TranslationRequest { Audio = s_bat, TargetLanguage = "de" }, maxNewTokens: 20);
        Assert.Equal(Model.ThinkerTokenizer.Decode([.. golden.Longs("beams1").Select(id => (int)id)], skipSpecialTokens: true), text);
    }

    [Fact]
    public async Task A_bundle_gives_the_defaults()
    {
        using TemporaryCopy copy = new();
        new Bundle
        {
            Mmfm = Path.Combine(copy.Folder, "omni"), Translator = Path.Combine(copy.Folder, "translator"),
            Adapter = Path.Combine(copy.Folder, "fusion"), Languages = ["de"],
            Generation = new BundleGeneration { NumBeams = 1, MaxNewTokens = 3 },
        }.Save(copy.Folder);
        OmniFusionModel model = OmniFusionModel.Load(copy.Folder, new LoadOptions { Threads = 1 });
        Translation found = await model.TranslateAsync(new() { Text = "a", TargetLanguage = "de" });
        Assert.InRange(found.Ids.Length, 1, 3);
        Assert.Null(found.Score);
        OmniFusionException error = await Assert.ThrowsAsync<OmniFusionException>(() =>
            model.TranslateAsync(new() { Text = "a", TargetLanguage = "fr" }));
        Assert.Contains("French", error.Message, StringComparison.Ordinal);
        Assert.Contains("projection.4", Assert.Throws<OmniFusionException>(() =>
            OmniFusionModel.Load(copy.Folder, new LoadOptions { ProjectionDepth = 3 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sliding_window_without_room_is_named()
    {
        using TemporaryCopy copy = new();
        string file = Path.Combine(copy.Folder, "translator", "config.json");
        JsonNode json = JsonNode.Parse(File.ReadAllText(file))!;
        json["sliding_window"] = 12;
        File.WriteAllText(file, json.ToJsonString());
        OmniFusionModel model = OmniFusionModel.Load(
            Path.Combine(copy.Folder, "omni"), Path.Combine(copy.Folder, "translator"), Path.Combine(copy.Folder, "fusion"));
        OmniFusionException error = await Assert.ThrowsAsync<OmniFusionException>(() =>
            model.TranslateAsync(new() { Text = "a", TargetLanguage = "de" }, s_quick with { MaxNewTokens = 40 }));
        Assert.Contains("sliding window of 12 there is room for 0 beside 40", error.Message);
    }

    [Fact]
    public void A_warm_decoding_step_allocates_nothing()
    {
        // One thread, so that everything happens on the thread that is measured.
        Compute c = new(new CpuKernels(1));
        int[][] texts = [[5, 6, 7], [8, 9]];
        DecoderSession session = Model.Parts.Start(c, null, texts).Session;
        int[] items = [0, 0, 1, 1], tokens = [10, 11, 12, 13], first = [-1, -1, -1, -1], parents = [0, 0, 2, 3];
        session.Step(c, tokens, items, first);
        // Lists grow to twice their size, so after so many steps there is room for some more.
        for (int step = 0; step < 40; step++)
            session.Step(c, tokens, items, parents);
        long[] bytes = new long[10];
        for (int step = 0; step < bytes.Length; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            session.Step(c, tokens, items, parents);
            bytes[step] = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Array.Sort(bytes);
        Assert.Equal(0, bytes[bytes.Length / 2]);
    }

    [Fact]
    public void The_steps_of_a_long_sentence_need_no_more_room_than_its_start()
    {
        Compute c = new(new CpuKernels(1));
        const int Beams = 5, Steps = 64;
        int[] items = new int[Beams], tokens = [10, 11, 12, 13, 14], parents = [0, 1, 2, 3, 4];
        DecoderSession session = Model.Parts.Start(c, null, [[5, 6, 7]]).Session;
        session.Prepare(Beams, 256);
        session.Step(c, tokens, items, [-1, -1, -1, -1, -1]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 1; step < Steps; step++)
            session.Step(c, tokens, items, parents);
        // The lists of what each row sees, which double; keys and values would be many times that.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16_000);
    }

    private sealed class TemporaryCopy : IDisposable
    {
        public TemporaryCopy()
        {
            foreach (string part in new[] { "omni", "translator", "fusion" })
            {
                Directory.CreateDirectory(Path.Combine(Folder, part));
                foreach (string file in Directory.GetFiles(Golden.Tiny(part)))
                    File.Copy(file, Path.Combine(Folder, part, Path.GetFileName(file)));
            }
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("omnifusion-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
