using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class ThinkerGoldenTests
{
    private const float Tolerance = 2e-4f;

    [Theory]
    [InlineData("thinker_audio")]
    [InlineData("thinker_audio_cot")]
    [InlineData("thinker_image_ocr")]
    [InlineData("thinker_image_text")]
    [InlineData("thinker_audio_image")]
    [InlineData("thinker_audio_image_full")]
    [InlineData("thinker_batch_audio")]
    [InlineData("thinker_batch_mixed")]
    public void Every_stage_agrees(string name)
    {
        Golden golden = Golden.Load(name);
        Thinker thinker = TinyModels.Thinker;
        ThinkerInput[] items = TinyModels.Inputs(name);
        ThinkerBatch batch = thinker.Prepare(items);

        int[] places = Unpadded(golden);
        Assert.Equal(places.Select(i => (int)golden.Longs("input_ids")[i]), batch.Ids);
        int tokens = (int)golden.Longs("attention_mask").LongLength;
        for (int axis = 0; axis < 3; axis++)
            Assert.Equal(places.Select(i => (int)golden.Longs("position_ids")[axis * tokens + i]),
                Enumerable.Range(0, batch.Ids.Length).Select(row => batch.Positions[axis, row]));

        Compute c = new();
        Tensor? audio = thinker.EncodeAudio(c, items)?.Embeddings, images = thinker.EncodeImages(c, items);
        if (golden.Has("audio_embeddings"))
            TinyModels.AssertClose(golden.Floats("audio_embeddings"), audio!.Span, Tolerance, "audio");
        if (golden.Has("image_embeddings"))
            TinyModels.AssertClose(golden.Floats("image_embeddings"), images!.Span, Tolerance, "image");
        Tensor[] hidden = thinker.Forward(c, thinker.Embed(c, batch, audio, images), batch, cache: null,
            0, (thinker.Layers + 1) / 2, thinker.Layers, golden.Json.GetProperty("mid").GetInt32());
        TinyModels.AssertClose(golden.Floats("hidden_first"), hidden[0].Span, Tolerance, "first");
        TinyModels.AssertClose(golden.Floats("hidden_mid"), hidden[3].Span, Tolerance, "mid");
        TinyModels.AssertClose(golden.Floats("hidden_last"), hidden[2].Span, Tolerance, "last");
        Tensor logits = thinker.Logits(c, c.Gather(hidden[2], LastRows(batch.Segments)));
        TinyModels.AssertClose(golden.Floats("logits_last"), logits.Span, Tolerance, "logits");
    }

    [Theory]
    [InlineData("thinker_generate_audio")]
    [InlineData("thinker_generate_batch_audio")]
    [InlineData("thinker_generate_image_text")]
    public void It_writes_the_same_text(string name)
    {
        Golden golden = Golden.Load(name);
        Thinker thinker = TinyModels.Thinker;
        ThinkerInput[] items = TinyModels.Inputs("thinker_" + golden.Json.GetProperty("case").GetString(), generationPrompt: true);
        ThinkerBatch batch = thinker.Prepare(items);
        int steps = golden.Json.GetProperty("max_new_tokens").GetInt32();
        int end = TinyModels.OmniTokenizer.TokenId(golden.Json.GetProperty("eos").GetString()!)!.Value;
        foreach (string beams in golden.Names.Where(key => key.StartsWith("beams", StringComparison.Ordinal) && !key.EndsWith("_scores", StringComparison.Ordinal)))
        {
            Compute c = new();
            KvCache cache = new(thinker.Decoder.Shape, batch.Segments.Rows);
            Tensor last = thinker.Forward(c, items, batch, cache, thinker.Layers)[0];
            Tensor logits = thinker.Logits(c, c.Gather(last, LastRows(batch.Segments)));
            DecoderSession session = new(thinker, cache, batch.Segments, batch.NextPositions, axes: 3);
            GenerationOptions options = new()
            {
                NumBeams = int.Parse(beams["beams".Length..], System.Globalization.CultureInfo.InvariantCulture),
                NoRepeatNgramSize = 0, MaxNewTokens = steps, EndOfText = [end],
            };
            Generated[] found = Search.Run(c, session, logits, [.. items.Select(_ => Array.Empty<int>())], options);
            GoldenSearch.AssertFound(golden, beams, found);
        }
    }

    internal static int[] LastRows(Segments segments) =>
        [.. Enumerable.Range(0, segments.Count).Select(i => segments.Start(i) + segments.Length(i) - 1)];

    private static int[] Unpadded(Golden golden) =>
        [.. Enumerable.Range(0, golden.Longs("attention_mask").Length).Where(i => golden.Longs("attention_mask")[i] == 1)];
}
