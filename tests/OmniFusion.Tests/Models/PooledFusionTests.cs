using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Tests.Simultaneous;
using OmniFusion.Training;

namespace OmniFusion.Tests.Models;

public class PooledFusionTests
{
    // A token of text, an image, a sound, text, and another sound.
    private static readonly MediaStretch[] s_media = [new(1, 1, IsAudio: false), new(2, 5, IsAudio: true), new(8, 2, IsAudio: true)];

    private static FusionLayer Pooled => FusionLayer.Create("pooled", 2, Weights.FromScratch(new WeightInitializer(3, 0.5f)));

    [Fact]
    public void A_row_is_the_mean_of_three_tokens_of_one_sound()
    {
        Tensor states = Tensor.From([.. Enumerable.Range(0, 20).Select(i => (float)(i * i))], new Shape(10, 2));
        Compute c = new(new CpuKernels(1)) { Tape = new Tape() };
        FusedRows rows = Pooled.Rows(c, states.RequireGrad(), s_media);
        Assert.Equal([0, 1, 4, 6, 7, 9], rows.Tokens);
        int[][] groups = [[0], [1], [2, 3, 4], [5, 6], [7], [8, 9]];
        for (int row = 0; row < groups.Length; row++)
            for (int column = 0; column < 2; column++)
                Assert.Equal(groups[row].Average(token => states.Row(token)[column]), rows.States.Row(row)[column], 1e-3f);

        c.Backward(c.CrossEntropy(rows.States, new[] { 0, 0, 0, 0, 0, 0 }));
        foreach (int[] group in groups)
            Assert.All(group, token => Assert.Equal(states.Grad!.Row(group[0])[1], states.Grad!.Row(token)[1], 1e-6f));
        // Softmax of 0 and 1 is 0.731 for the wrong class; the mean of six rows.
        Assert.Equal(0.731 / 6, states.Grad!.Row(0)[1], 1e-3);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 2)]
    [InlineData(5, 5)]
    [InlineData(6, 5)]
    [InlineData(7, 7)]
    [InlineData(9, 8)]
    public void A_new_token_makes_the_row_anew_that_it_comes_into(int token, int first) => Assert.Equal(first, Pooled.From(token, s_media));

    [Fact]
    public void A_batch_is_its_items_with_fewer_rows_than_tokens()
    {
        Compute c = new(new CpuKernels(1));
        (FusedTranslator parts, ThinkerInput[] inputs, ThinkerBatch layout, Tensor[] hidden) = Mixed(c);
        FusedPrefix together = parts.Encode(c, hidden, layout);
        for (int item = 0; item < inputs.Length; item++)
        {
            FusedPrefix alone = parts.Encode(c, [inputs[item]]);
            int gloss = alone.Glosses![0].Length, first = layout.Segments.Start(item);
            Assert.Equal(together.IdsOf(item).ToArray(), alone.Ids);
            Assert.Equal(together.Glosses![item], alone.Glosses[0]);
            FusedPrefix own = together.Own(item, first);
            Assert.Equal(alone.Tokens, own.Tokens);
            TinyModels.AssertClose(alone.States.Span.ToArray(), own.States.Span, 1e-4f, $"item {item}");
            int audio = Enumerable.Range(first, layout.Segments.Length(item)).Count(token => layout.AudioRows[token] >= 0);
            Assert.Equal(layout.Segments.Length(item) - audio + (audio + 2) / 3, alone.Segments.Rows - gloss);
        }
    }

    [Fact]
    public void What_the_rows_say_is_read_as_ever()
    {
        Compute c = new(new CpuKernels(1));
        (FusedTranslator parts, ThinkerInput[] inputs, ThinkerBatch layout, Tensor[] hidden) = Mixed(c);
        FusedPrefix prefix = parts.Fuse(c, hidden, layout);
        StateReader reader = new(Sounds.Pooled.TranslatorTokenizer, Sounds.Pooled.EndOfTranslation[0], parts.Gloss!.Scores);
        string[] told = [.. reader.Tell(c, prefix, layout)];
        for (int item = 0; item < inputs.Length; item++)
        {
            int[] rows = [.. Enumerable.Range(prefix.Segments.Start(item), prefix.Segments.Length(item))
                .Where(row => layout.AudioRows[prefix.Tokens[row]] >= 0)];
            PrefixGloss.Said[] said = parts.Gloss.Read(c, prefix.States, rows);
            int[] left = [.. parts.Gloss.Left(said).Select(row => said[row].Token)];
            Assert.Equal(Sounds.Pooled.TranslatorTokenizer.Decode(left, skipSpecialTokens: true).Trim(), told[item]);
            Assert.Equal(inputs[item].Mel is not null, rows.Length > 0);
        }
    }

    // A batch with and without speech and images, and its hidden states that are fused.
    private static (FusedTranslator Parts, ThinkerInput[] Inputs, ThinkerBatch Layout, Tensor[] Hidden) Mixed(Compute c)
    {
        ThinkerInput[] inputs = TinyModels.Inputs("thinker_batch_mixed");
        FusedTranslator parts = Sounds.Pooled.Parts;
        ThinkerBatch layout = parts.Thinker.Prepare(inputs);
        return (parts, inputs, layout, [.. parts.Thinker.Forward(c, inputs, layout, cache: null, [.. parts.Layers])]);
    }
}
