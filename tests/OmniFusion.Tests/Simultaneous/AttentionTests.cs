using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Simultaneous;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Tests.Simultaneous;

public class AttentionTests
{
    private static readonly AttentionHead[] s_heads = [new(1, 2), new(2, 1), new(1, 3)];

    [Theory]
    [InlineData(nameof(Sounds.Tiny))]
    [InlineData(nameof(Sounds.Glossed))]
    [InlineData(nameof(Sounds.Pooled))]
    public void Attention_to_the_audio_is_that_of_a_naive_computation(string name)
    {
        OmniFusionModel model = Sounds.Model(name);
        float[] sound = Sounds.LoudAtFirst(2.6);
        using FusedSpeechDecoder decoder = FusedSpeechDecoder.Create(model, "de", new PartialDecoderOptions { Heads = s_heads });
        decoder.Append(sound.AsSpan(0, 30000));
        decoder.Write([], 6);
        decoder.Append(sound.AsSpan(30000));
        int[] kept = [300, 301];
        // The second time most tokens are those of a draft, which are looked at all at once.
        Hypothesis first = decoder.Write(kept, 6), again = decoder.Write(kept, 6);
        Compute c = new(new CpuKernels(1));
        OfflineRun offline = new(model, decoder, sound);
        Tensor prompt = offline.Embeddings;
        Tensor whole = Rows(c, prompt, c.Embedding(first.Tokens, Table(c)));
        Assert.Equal(model.Parts.Gloss is not null, decoder.GlossRows > 0);
        Assert.Equal(offline.Tokens.Length, decoder.FusedRows + decoder.GlossRows);
        foreach (Hypothesis found in (Hypothesis[])[first, again])
        {
            Assert.Equal(6, found.Attention!.Length);
            for (int token = 0; token < found.Attention.Length; token++)
            {
                int row = prompt.Rows + kept.Length + token - 1;
                // Every row stands for the token that it tells of.
                float[] all = Naive(c, whole, row, 0, row + 1), expected = new float[decoder.SourcePositions];
                foreach ((int at, int position) in offline.Tokens.Index().Select(own => (own.Index, own.Item - decoder.Thinker.HeadRows)))
                    if (position >= 0 && position < expected.Length)
                        expected[position] += all[at];
                // The states before it are rounded as the processor's vectors are wide.
                Models.TinyModels.AssertClose(expected, found.Attention[token], 3e-4f, $"token {token}");
            }
        }
        decoder.Heads = null;
        Assert.Null(decoder.Write([], 2).Attention);
    }

    [Fact]
    public void Attention_to_a_text_is_that_of_a_naive_computation()
    {
        using TextDecoder decoder = TextDecoder.Create(Sounds.Tiny, "en", "de", new PartialDecoderOptions { Heads = s_heads });
        decoder.SetSource("the weather", ended: false);
        decoder.Write([], 3);
        decoder.SetSource("the weather is fine", ended: true);
        Hypothesis found = decoder.Write([], 4);
        Compute c = new(new CpuKernels(1));
        int[] Prompt(string text) => Sounds.Tiny.Reader.ReadSentence(text, Languages.Find("en"), Languages.Find("de"));
        int[] ids = Prompt("the weather is fine");
        int start = ids.AsSpan().CommonPrefixLength(Prompt(""));
        Tensor whole = c.Embedding((int[])[.. ids, .. found.Tokens], Table(c));
        for (int token = 0; token < found.Attention!.Length; token++)
            Models.TinyModels.AssertClose(
                Naive(c, whole, ids.Length + token - 1, start, decoder.SourcePositions), found.Attention[token], 1e-4f, $"token {token}");
    }

    private static Tensor Table(Compute c) => Sounds.Tiny.Parts.Translator.EmbedTokens(c, Enumerable.Range(0, 701).ToArray());

    private static Tensor Rows(Compute c, Tensor above, Tensor below)
    {
        Tensor rows = c.Rent(new Shape(above.Rows + below.Rows, above.Columns));
        above.Span.CopyTo(rows.Span);
        below.Span.CopyTo(rows.Span[(int)above.Count..]);
        return rows;
    }

    // Softmax of q·k in double precision, with rotary positions written out; the rows before `row` and itself are seen.
    private static float[] Naive(Compute c, Tensor x, int row, int start, int length)
    {
        DecoderStack stack = Sounds.Tiny.Parts.Translator.Decoder;
        DecoderShape shape = stack.Shape;
        Segments one = new([x.Rows]);
        double[] mean = new double[length];
        // The adapter leaves the norms alone.
        Weights checkpoint = new(Checkpoint.Open(Golden.Tiny("translator")));
        foreach (AttentionHead head in s_heads)
        {
            Tensor input = stack.Forward(c, x, Sounds.Tiny.Parts.Translator.Angles(c, Positions.Of(one)), one, null, head.Layer)[0];
            float[] norm = checkpoint.Get($"model.layers.{head.Layer}.input_layernorm.weight", shape.HiddenSize).ToF32().Span.ToArray();
            double[] Project(LinearLayer layer, int of, int at)
            {
                double[] normed = new double[shape.HiddenSize], y = new double[shape.HeadDim];
                double square = 0;
                foreach (float value in input.Row(at))
                    square += (double)value * value / shape.HiddenSize;
                for (int d = 0; d < normed.Length; d++)
                    normed[d] = input.Row(at)[d] / Math.Sqrt(square + shape.RmsNormEps) * norm[d];
                float[] weight = layer.Weight.ToF32().Span.ToArray();
                for (int i = 0; i < y.Length; i++)
                    for (int d = 0; d < normed.Length; d++)
                        y[i] += normed[d] * weight[(of * shape.HeadDim + i) * shape.HiddenSize + d];
                int half = shape.HeadDim / 2;
                for (int i = 0; i < half; i++)
                {
                    (double sin, double cos) = Math.SinCos(at * Math.Pow(10000, -2.0 * i / shape.HeadDim));
                    (y[i], y[half + i]) = (y[i] * cos - y[half + i] * sin, y[half + i] * cos + y[i] * sin);
                }
                return y;
            }
            double[] q = Project(stack.Layers[head.Layer].QProj, head.Head, row);
            double[] weights = new double[row + 1];
            for (int at = 0; at <= row; at++)
            {
                double[] k = Project(stack.Layers[head.Layer].KProj, head.Head / (shape.Heads / shape.KvHeads), at);
                weights[at] = Math.Exp(q.Zip(k, (a, b) => a * b).Sum() / Math.Sqrt(shape.HeadDim));
            }
            double sum = weights.Sum();
            for (int i = 0; i < length; i++)
                mean[i] += weights[start + i] / sum / s_heads.Length;
        }
        return [.. mean.Select(value => (float)value)];
    }
}
