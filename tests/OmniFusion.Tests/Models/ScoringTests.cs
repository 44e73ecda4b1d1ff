using OmniFusion.Generation;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class ScoringTests
{
    private const int End = 2;

    private static readonly TranslationOptions s_small = new() { ImageSize = new ImageSize(112, 84), BatchSize = 3 };

    public static TheoryData<string> Cases => FusedGoldenTests.Cases;

    private static OmniFusionModel Model => TinyModels.Model;

    // What an arena lends lives as long as the arena.
    private static readonly Compute s_encoder = TinyModels.Model.CreateCompute(), s_decoder = TinyModels.Model.CreateCompute();

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_beam_search_found_scores_as_published(string name)
    {
        Golden golden = Golden.Load(name);
        const string Search = "beam5_ngram5_lp1.0";
        int width = golden.Shape(Search)[^1];
        int[][] found = [.. golden.Longs(Search).Chunk(width).Select(row => row.Select(id => (int)id).ToArray())
            .Select(row => row.Contains(End) ? row[..(Array.IndexOf(row, End) + 1)] : row)];
        (FusedPrefix prefix, int[][] towers) = Prepared(name);

        float[][][] scores = Model.Parts.Start(s_decoder, prefix, towers)
            .Score(s_decoder, [.. found.Select(ids => (IReadOnlyList<int[]>)[ids])]);

        for (int i = 0; i < found.Length; i++)
            Assert.Equal(golden.Floats(Search + "_scores")[i], scores[i][0].Average(), 1e-3f);
    }

    [Fact]
    public void Candidates_score_as_each_would_alone_in_a_full_pass()
    {
        (FusedPrefix prefix, int[][] towers) = Prepared("fused_batch_mixed");
        IReadOnlyList<int[]>[] candidates =
            [[[5, 6, 7, 8, End], [9], [5, 6, 11]], [[20, End]], [[30, 31, 32, 33, 34, 35], [End], [30, 40, End]]];
        float[][][] scores = Model.Parts.Start(s_decoder, prefix, towers).Score(s_decoder, candidates);
        for (int item = 0; item < candidates.Length; item++)
            for (int text = 0; text < candidates[item].Count; text++)
                Assert.All(Naive(prefix, towers, item, candidates[item][text]).Zip(scores[item][text]),
                    pair => Assert.Equal(pair.First, pair.Second, 2e-4f));
    }

    [Fact]
    public void Writing_may_go_on_behind_a_text_that_was_read()
    {
        (FusedPrefix prefix, int[][] towers) = Prepared("fused_batch_mixed");
        DecoderSession session = Model.Parts.Start(s_decoder, prefix, towers).Session;
        session.Read(s_decoder, [[5, 6], [30, 31, 32]], [0, 2]);
        Tensor logits = session.Step(s_decoder, [7, 33], [0, 2], [1, 4]);
        Assert.Equal(Naive(prefix, towers, 0, [5, 6, 7, 8])[3], LogProbability(logits.Row(0), 8), 2e-4f);
        Assert.Equal(Naive(prefix, towers, 2, [30, 31, 32, 33, 34])[4], LogProbability(logits.Row(1), 34), 2e-4f);
    }

    [Fact]
    public async Task Items_of_a_batch_score_as_alone_and_a_bad_one_stops_nobody()
    {
        TranslationRequest speech = new() { Audio = Golden.Media("bat.wav"), TargetLanguage = "de" };
        (TranslationRequest Request, IReadOnlyList<string> Candidates)[] items =
        [
            (speech, ["Die Fledermaus flog.", "Der Schläger"]),
            (new() { Text = "A bat.", TargetLanguage = "de" }, ["Eine Fledermaus.", "Ein Schläger.", ""]),
            (new() { Image = Golden.Media("gray.png"), Text = "A bat.", TargetLanguage = "de" }, ["Eine Fledermaus."]),
            (speech, []),
            (speech with { TargetLanguage = "xx" }, ["a"]),
            (speech with { Image = Golden.Media("gray.png") }, ["Die Fledermaus flog."]),
        ];
        List<ScoringResult> together = [];
        await foreach (ScoringResult result in Model.ScoreBatchAsync(items, s_small))
            together.Add(result);
        Assert.Equal(items.Length, together.Count);
        Assert.Contains("no candidate", together[3].Error!.Message, StringComparison.Ordinal);
        Assert.Contains("xx", together[4].Error!.Message, StringComparison.Ordinal);
        foreach (int i in new[] { 0, 1, 2, 5 })
        {
            IReadOnlyList<CandidateScore> alone = await Model.ScoreAsync(items[i].Request, items[i].Candidates, s_small);
            Assert.Equal(items[i].Candidates, together[i].Scores!.Select(score => score.Text));
            foreach ((CandidateScore one, CandidateScore other) in alone.Zip(together[i].Scores!))
            {
                Assert.Equal(one.LogProbability, other.LogProbability, 1e-3);
                Assert.Equal(Model.TranslatorTokenizer.Encode(one.Text, addSpecialTokens: false).Length + 1, one.Tokens);
                Assert.Equal(one.LogProbability / one.Tokens, one.Mean, 1e-12);
                Assert.True(one.LogProbability < 0 && one.Perplexity > 1);
            }
        }
        // A picture matters.
        Assert.NotEqual(together[0].Scores![0].LogProbability, together[5].Scores![0].LogProbability, 1e-4);
        await Assert.ThrowsAsync<OmniFusionException>(() => Model.ScoreAsync(speech, []));
        await Assert.ThrowsAsync<OmniFusionException>(async () =>
        {
            await foreach (ScoringResult _ in Model.ScoreBatchAsync(items, s_small with { BatchSize = 0 }))
            {
            }
        });
    }

    [Fact]
    public async Task A_chain_of_thought_scores_as_with_its_transcript_given()
    {
        // One pass of the thinker writes the transcript and makes the prefix.
        TranslationRequest speech = new() { Audio = Golden.Media("bat.wav"), TargetLanguage = "de" };
        TranslationRequest[] requests = [speech, speech with { Image = Golden.Media("gray.png") }, new() { Text = "A bat.", TargetLanguage = "de" }];
        TranslationOptions thinking = s_small with { ChainOfThought = true };
        string[] candidates = ["Die Fledermaus flog.", "Ein Schläger."];
        List<ScoringResult> thought = [], given = [];
        await foreach (ScoringResult result in Model.ScoreBatchAsync([.. requests.Select(request => (request, (IReadOnlyList<string>)candidates))], thinking))
            thought.Add(result);
        foreach (TranslationRequest request in requests)
        {
            string? transcript = request.HasAudio ? (await Model.TranslateAsync(request, thinking)).Transcript : null;
            Assert.NotEqual("", transcript);
            given.Add(new ScoringResult(await Model.ScoreAsync(request with { Transcript = transcript }, candidates, s_small), null));
        }
        Assert.All(given.Zip(thought).SelectMany(pair => pair.First.Scores!.Zip(pair.Second.Scores!)),
            pair => Assert.Equal(pair.First.LogProbability, pair.Second.LogProbability, 1e-3));
        // The picture matters on both ways.
        Assert.NotEqual(thought[0].Scores![0].LogProbability, thought[1].Scores![0].LogProbability, 1e-2);
    }

    private static (FusedPrefix Prefix, int[][] Towers) Prepared(string name)
    {
        ThinkerInput[] inputs = TinyModels.Inputs(name.Replace("fused", "thinker", StringComparison.Ordinal));
        s_encoder.Arena.Reset();
        return (Model.Parts.Encode(s_encoder, inputs), FusedGoldenTests.Towers(Golden.Load(name)));
    }

    // Teacher forcing by hand: prefix, tower and text in one sequence of a single item, without a cache.
    private static float[] Naive(FusedPrefix prefix, int[][] towers, int item, int[] text)
    {
        Compute c = Model.CreateCompute();
        int[] rows = [.. Enumerable.Range(prefix.Segments.Start(item), prefix.Segments.Length(item))];
        FusedPrefix one = new(c.Gather(prefix.States, rows), new Segments(rows.Length), prefix.IdsOf(item).ToArray(), rows, null);
        (Tensor embeddings, Segments segments) = Model.Parts.Join(c, one, [[.. towers[item], .. text]]);
        Tensor logits = Model.Parts.Translator.Logits(c, Model.Parts.Translator.Forward(c, embeddings, segments));
        int first = segments.Rows - text.Length - 1;
        float[] scores = [.. text.Select((id, i) => LogProbability(logits.Row(first + i), id))];
        GC.KeepAlive(c);
        return scores;
    }

    private static float LogProbability(Span<float> logits, int id)
    {
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp(logit);
        return (float)(logits[id] - Math.Log(sum));
    }
}
