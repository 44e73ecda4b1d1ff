using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Simultaneous;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Simultaneous;

/// <summary>The offline computation of a whole sound, with everything that an incremental one is compared with.</summary>
internal sealed class OfflineRun
{
    private readonly OmniFusionModel _model;
    private readonly Compute _c = new(new CpuKernels(1));
    private readonly int _thinkerRows;

    public OfflineRun(OmniFusionModel model, FusedSpeechDecoder decoder, ReadOnlySpan<float> samples)
    {
        _model = model;
        SpeechPrompt prompt = decoder.Prompt;
        ThinkerInput input = new()
        {
            Ids = [.. prompt.Head.Ids, prompt.AudioToken, .. prompt.Tail],
            Mel = new LogMel().Compute(samples),
            Patches = prompt.Head.Patches,
            Grid = prompt.Head.Grid,
        };
        Thinker thinker = model.Parts.Thinker;
        ThinkerBatch batch = thinker.Prepare([input]);
        Audio = thinker.EncodeAudio(_c, [input])!.Value.Embeddings;
        ThinkerCache = new KvCache(thinker.Decoder.Shape, 1);
        Tensor[] states = thinker.Forward(_c, thinker.Embed(_c, batch, Audio, thinker.EncodeImages(_c, [input])), batch, ThinkerCache,
            model.Parts.Fusion.Selected(thinker.Layers));
        FusedPrefix prefix = model.Parts.Encode(_c, states, batch);
        (_thinkerRows, Tokens) = (batch.Ids.Length, prefix.Tokens);
        (Embeddings, Segments rows) = model.Parts.Join(_c, prefix, [prompt.Tower]);
        TranslatorCache = new KvCache(model.Parts.Translator.Decoder.Shape, 1);
        Tensor last = model.Parts.Translator.Forward(_c, Embeddings, rows, TranslatorCache);
        Logits = model.Parts.Translator.Logits(_c, _c.Gather(last, new[] { rows.Rows - 1 }));
    }

    public Tensor Audio { get; }

    /// <summary>The token of each row of the prefix.</summary>
    public int[] Tokens { get; }

    public KvCache ThinkerCache { get; }

    public Tensor Embeddings { get; }

    public KvCache TranslatorCache { get; }

    public Tensor Logits { get; }

    /// <summary>Asserts that a decoder that has just written holds the same, and would give the same scores for the first token.</summary>
    public void AssertEquals(FusedSpeechDecoder decoder)
    {
        Compute c = _model.CreateCompute();
        Close(Audio.Span, decoder.Audio.TokensFrom(c, 0).Span, "audio tokens");
        // Keys and values of a layer are what its input makes of itself: equal ones mean equal hidden states.
        Close(ThinkerCache, decoder.Thinker.Run.Cache, _thinkerRows, "thinker");
        Close(TranslatorCache, decoder.Translator.Cache, TranslatorCache.Count, "translator");
        decoder.Translator.Truncate(TranslatorCache.Count - 1);
        Tensor last = decoder.Translator.Append(c, _model.Parts.Translator.EmbedTokens(c, new[] { decoder.Prompt.Tower[^1] }));
        Close(Logits.Span, _model.Parts.Translator.Logits(c, last).Span, "logits");
    }

    private static void Close(KvCache expected, KvCache actual, int rows, string what)
    {
        for (int layer = 0; layer < expected.LayerCount; layer++)
        {
            KvCache.LayerCache e = expected.Layer(layer), a = actual.Layer(layer);
            int count = rows * e.Keys.Columns;
            Close(e.Keys.Span[..count], a.Keys.Span[..count], $"keys of layer {layer} of the {what}");
            Close(e.Values.Span[..count], a.Values.Span[..count], $"values of layer {layer} of the {what}");
        }
    }

    // A few rows at once are summed in another order than many, and what random weights say is sensitive to that.
    private static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what) =>
        Models.TinyModels.AssertClose(expected.ToArray(), actual, 2e-4f, what);
}
