using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Tests.Checkpoints;
using OmniFusion.Tests.Simultaneous;

namespace OmniFusion.Tests.Models;

public class PrefixGlossTests
{
    private const int Blank = 2;

    private static readonly OmniFusionModel s_model = Sounds.Glossed;

    private static PrefixGloss Gloss => s_model.Parts.Gloss!;

    [Theory]
    [InlineData("", "")]
    [InlineData("2 2 2", "")]
    [InlineData("7", "0")]
    [InlineData("2 7 7 7 2", "2")]
    [InlineData("7 7 2 7", "1 3")]
    [InlineData("7 8 8 7", "0 2 3")]
    public void Of_each_run_the_surest_state_is_left(string tokens, string left)
    {
        // Certainty rises and then falls: the surest of a run is its second or its only state.
        float[] certainty = [0.5f, 0.6f, 0.9f, 0.7f, 0.1f];
        PrefixGloss.Said[] said = [.. Numbers(tokens).Select((token, i) => new PrefixGloss.Said(token, certainty[i]))];
        Assert.Equal(Numbers(left), Gloss.Left(said));
    }

    [Fact]
    public void Behind_the_states_stand_the_expected_embeddings_of_what_is_heard_and_the_surest_of_what_is_seen()
    {
        Compute c = new(new CpuKernels(1));
        (FusedPrefix plain, FusedPrefix glossed, ThinkerBatch layout) = Prefixes(c, TinyModels.Inputs("thinker_batch_mixed"));
        Tensor table = s_model.Parts.Translator.EmbedTokens(c, Enumerable.Range(0, s_model.Parts.Translator.VocabularySize).ToArray());
        int row = 0;
        for (int item = 0; item < plain.Segments.Count; item++)
        {
            List<int> ids = [.. plain.IdsOf(item)], tokens = [];
            for (int i = plain.Segments.Start(item); i < plain.Segments.Start(item + 1); i++, row++)
                Assert.Equal(plain.States.Row(i), glossed.States.Row(row));
            int said = Blank;
            List<float[]> expected = [];
            double surest = 0;
            bool inMedium = false;
            for (int i = plain.Segments.Start(item); i < plain.Segments.Start(item + 1); i++)
            {
                bool medium = layout.AudioRows[i] >= 0 || layout.ImageRows[i] >= 0;
                if (!medium || !inMedium)
                    said = Blank;
                inMedium = medium;
                if (!medium)
                    continue;
                double[] p = Probabilities(c, plain.States.Row(i).ToArray());
                int best = Array.IndexOf(p, p.Max());
                if (best == Blank)
                {
                    said = Blank;
                    continue;
                }
                if (best != said)
                {
                    ids.Add(best);
                    tokens.Add(i);
                    expected.Add([]);
                    surest = 0;
                }
                if (p[best] > surest)
                    (surest, tokens[^1], expected[^1]) = (p[best], i, layout.AudioRows[i] >= 0 ? Expected(p, table) : table.Row(best).ToArray());
                said = best;
            }
            Assert.NotEmpty(expected);
            Assert.Equal(ids, glossed.IdsOf(item).ToArray());
            Assert.Equal(ids[^expected.Count..], glossed.Glosses![item]);
            Assert.Equal(tokens, glossed.Tokens[row..(row + tokens.Count)]);
            foreach (float[] word in expected)
                TinyModels.AssertClose(word, glossed.States.Row(row++), 1e-4f, $"a word of item {item}");
        }
        Assert.Equal(row, glossed.States.Rows);
    }

    [Fact]
    public void Neighbours_in_a_batch_change_nothing()
    {
        Compute c = new(new CpuKernels(1));
        ThinkerInput[] inputs = TinyModels.Inputs("thinker_batch_mixed");
        FusedPrefix together = Prefixes(c, inputs).Glossed;
        for (int item = 0; item < inputs.Length; item++)
            Assert.Equal(Prefixes(c, [inputs[item]]).Glossed.Ids, together.IdsOf(item).ToArray());
    }

    [Fact]
    public void Speech_that_is_transcribed_has_none()
    {
        Compute c = new(new CpuKernels(1));
        ThinkerInput input = Assert.Single(TinyModels.Inputs("thinker_audio_image"));
        ThinkerInput written = new() { Ids = input.Ids, Mel = input.Mel, Patches = input.Patches, Grid = input.Grid, Transcribed = true };
        (FusedPrefix plain, FusedPrefix whole, ThinkerBatch layout) = Prefixes(c, [input]);
        int[] image = [.. Enumerable.Range(0, layout.Ids.Length).Where(row => layout.ImageRows[row] >= 0)];
        PrefixGloss.Said[] said = Gloss.Read(c, plain.States, image);
        int[] seen = [.. Gloss.Left(said).Select(row => said[row].Token)];
        Assert.Equal(seen, Prefixes(c, [written]).Glossed.Glosses![0]);
        Assert.Equal(seen, whole.Glosses![0][..seen.Length]);
        Assert.True(whole.Glosses[0].Length > seen.Length);
    }

    [Fact]
    public void Of_what_says_nothing_the_gloss_is_empty()
    {
        Compute c = new(new CpuKernels(1));
        (FusedPrefix plain, _, ThinkerBatch layout) = Prefixes(c, TinyModels.Inputs("thinker_audio"));
        // Whatever the audio says is the blank of this gloss when it says one thing alone.
        Tensor same = c.Gather(plain.States, Enumerable.Repeat(layout.AudioRows.IndexOf(0), plain.States.Rows).ToArray());
        PrefixGloss silent = new(s_model.Parts.Translator, Gloss.Read(c, same, [0])[0].Token);
        FusedPrefix prefix = silent.Append(c, plain with { States = same }, layout);
        Assert.Equal(plain.Ids, prefix.Ids);
        Assert.Empty(Assert.Single(prefix.Glosses!));
        Assert.Equal(same.Span.ToArray(), prefix.States.Span.ToArray());
    }

    [Fact]
    public void Only_some_scores_exist_at_once()
    {
        const int Rows = 9000;
        Compute c = new(new CpuKernels(1));
        int columns = s_model.Parts.Translator.HiddenSize;
        Tensor many = Tensor.From([.. Enumerable.Range(0, Rows * columns).Select(i => MathF.Sin(i))], new Shape(Rows, columns));
        int[] odd = [.. Enumerable.Range(0, Rows / 2).Select(i => 2 * i + 1)];
        PrefixGloss.Said[] said = Gloss.Read(c, many, odd);
        Assert.Equal(odd.Length, said.Length);
        foreach (int i in new[] { 0, 127, 128, odd.Length - 1 })
            Assert.Equal(Gloss.Read(c, many, [odd[i]])[0].Token, said[i].Token);
        Tensor words = Gloss.Words(c, many);
        TinyModels.AssertClose(
            Gloss.Words(c, c.Gather(many, new[] { Rows - 1 })).Span.ToArray(), words.Row(Rows - 1), 1e-4f, "the last word");
        Assert.InRange(c.Arena.Bytes, 1, (long)Rows * s_model.Parts.Translator.VocabularySize * sizeof(float) - 1);
    }

    [Fact]
    public void A_model_without_it_takes_longer_inputs()
    {
        Assert.Equal(20, s_model.Parts.MostRows(10));
        Assert.Equal(10, s_model.WithoutGloss().Parts.MostRows(10));
    }

    [Fact]
    public async Task A_model_may_do_without()
    {
        TranslationRequest request = new() { Audio = Golden.Media("bat.wav"), TargetLanguage = "de" };
        TranslationOptions quick = new() { Beams = 1, MaxNewTokens = 6 };
        Translation plain = await TinyModels.Model.TranslateAsync(request, quick), glossed = await s_model.TranslateAsync(request, quick);
        Assert.NotEqual(plain.Ids, glossed.Ids);
        Assert.Null(plain.Gloss);
        Assert.NotEmpty(glossed.Gloss!);
        Translation without = await s_model.WithoutGloss().TranslateAsync(request, quick);
        Assert.Equal(plain.Ids, without.Ids);
        Assert.Null(without.Gloss);
    }

    [Fact]
    public void A_bundle_says_whether_it_has_one()
    {
        using TemporaryFolder folder = new();
        foreach (string part in new[] { "omni", "translator", "fusion" })
            Directory.CreateDirectory(folder[part]);
        Bundle bundle = new() { Mmfm = folder["omni"], Translator = folder["translator"], Adapter = folder["fusion"] };
        foreach (bool gloss in new[] { true, false })
        {
            (bundle with { Gloss = gloss }).Save(folder.Path);
            Assert.Equal(gloss, Bundle.Load(folder.Path).Gloss);
        }
        folder.Write("omnifusion.json", """{"fusion":{"gloss":"yes"}}""");
        Assert.Contains("'fusion.gloss'", Assert.Throws<OmniFusionException>(() => Bundle.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static (FusedPrefix Plain, FusedPrefix Glossed, ThinkerBatch Layout) Prefixes(Compute c, ThinkerInput[] inputs)
    {
        FusedTranslator parts = s_model.Parts;
        ThinkerBatch layout = parts.Thinker.Prepare(inputs);
        FusedPrefix plain = parts.Fuse(c, parts.Thinker.Forward(c, inputs, layout, cache: null, [.. parts.Layers]), layout);
        return (plain, parts.Glossed(c, plain, layout), layout);
    }

    // The softmax of the output matrix behind a norm without weights.
    private static double[] Probabilities(Compute c, float[] state)
    {
        double root = Math.Sqrt(state.Average(value => (double)value * value) + s_model.Parts.Translator.Decoder.Shape.RmsNormEps);
        Tensor normed = Tensor.From([.. state.Select(value => (float)(value / root))], new Shape(1, state.Length));
        float[] scores = s_model.Parts.Translator.Logits(c, normed).Span.ToArray();
        double[] p = [.. scores.Select(score => Math.Exp(score - (double)scores.Max()))];
        return [.. p.Select(value => value / p.Sum())];
    }

    private static float[] Expected(double[] p, Tensor table)
    {
        double[] sum = new double[table.Columns];
        for (int token = 0; token < p.Length; token++)
            for (int d = 0; d < sum.Length; d++)
                sum[d] += token == Blank ? 0 : p[token] / (1 - p[Blank]) * table.Row(token)[d];
        return [.. sum.Select(value => (float)value)];
    }

    private static int[] Numbers(string list) => [.. list.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
}
