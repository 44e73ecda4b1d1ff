using System.Runtime.Intrinsics;
using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Tests.Models;

public class TrainGoldenTests
{
    [Fact]
    public void Losses_gradients_and_weights_are_those_of_the_published_training()
    {
        Golden golden = Golden.Load("train_fused");
        PeftAdapter untrained = PeftAdapter.Load(Golden.Tiny("fusion")), adapter = untrained.Trainable();
        FusedTranslator parts = Parts(adapter);
        ThinkerInput[] inputs = Inputs(golden.Json);
        Compute frozen = new(), c = new() { Tape = new Tape() };
        ThinkerBatch batch = parts.Thinker.Prepare(inputs);
        Tensor[] hidden = parts.Thinker.Forward(frozen, inputs, batch, cache: null, parts.Fusion.Selected(parts.Thinker.Layers));
        Dictionary<string, (Tensor Weight, Tensor First, Tensor Second)> moments = adapter.Tensors.ToDictionary(
            item => item.Key, item => (item.Value, Tensor.Zeros(item.Value.Shape), Tensor.Zeros(item.Value.Shape)));
        const string Clipped = "grad_clipped.";
        Dictionary<string, string> names = golden.Names.Where(name => name.StartsWith(Clipped, StringComparison.Ordinal))
            .ToDictionary(name => name[Clipped.Length..], name => NameInFile(name[Clipped.Length..]));
        Assert.Equal(adapter.Tensors.Keys.Order(StringComparer.Ordinal), names.Values.Order(StringComparer.Ordinal));

        float[] losses = [.. golden.Json.GetProperty("losses").EnumerateArray().Select(loss => loss.GetSingle())];
        float[] norms = [.. golden.Json.GetProperty("grad_norms").EnumerateArray().Select(norm => norm.GetSingle())];
        AdamWOptions adamW = new(LearningRate: 0.01f, Beta1: 0.9f, Beta2: 0.98f, Epsilon: 1e-8f, WeightDecay: 0.01f);
        for (int step = 0; step < losses.Length; step++)
        {
            Tensor loss = Loss(c, parts, hidden, batch, golden);
            // The rate is so high that rounding, which hangs on the width of the vectors, grows from step to step; the norm shows it first.
            Assert.Equal(losses[step], loss.Span[0], step < 3 ? 1e-3f : 2e-2f);
            c.Backward(loss);
            float norm = (float)Math.Sqrt(adapter.Tensors.Values.Sum(tensor => c.Kernels.SumOfSquares(tensor.Grad!)));
            Assert.Equal(norms[step], norm, (step < 2 ? 1e-3f : step < 3 ? 2e-2f : 0.2f) * norms[step]);
            float clip = Math.Min(1, 1 / (norm + 1e-6f));
            foreach (var (goldenName, name) in names)
            {
                (Tensor weight, Tensor first, Tensor second) = moments[name];
                if (step == 0)
                    TinyModels.AssertClose(golden.Floats(Clipped + goldenName),
                        weight.Grad!.Span.ToArray().Select(g => g * clip).ToArray(), 1e-3f, "gradient of " + name);
                c.Kernels.AdamW(weight, weight.Grad!, first, second, step + 1, adamW, clip);
                weight.Grad!.Span.Clear();
            }
            c.Tape!.Clear();
            c.Arena.Reset();
        }
        foreach (var (goldenName, name) in names.Where(item => golden.Has("after4." + item.Key)))
            AssertTrained(golden.Floats("after4." + goldenName), moments[name].Weight.Span, untrained.Tensors[name].ToF32().Span, name);
    }

    // Cross entropy of the label tokens, given prefix, tower text and the labels before them.
    private static Tensor Loss(Compute c, FusedTranslator parts, Tensor[] hidden, ThinkerBatch batch, Golden golden)
    {
        int width = golden.Shape("labels")[^1];
        int[][] labels = [.. golden.Longs("labels").Zip(golden.Longs("labels_mask")).Chunk(width)
            .Select(row => row.Where(pair => pair.Second == 1).Select(pair => (int)pair.First).ToArray())];
        int[] tower = TinyModels.Model.TranslatorTokenizer.Encode(" <de> ", addSpecialTokens: false);
        FusedPrefix prefix = parts.Encode(c, hidden, batch);
        (Tensor embeddings, Segments segments) =
            parts.Join(c, prefix, [.. labels.Select(label => tower.Concat(label.SkipLast(1)).ToArray())]);
        Tensor last = parts.Translator.Forward(c, embeddings, segments);
        // The published batch pads targets on the left: the place before the first token of a shorter one is padding, from which nothing
        // is predicted, so that token does not count.
        int[] counted = [.. labels.Select(label => label.Length < width ? label.Length - 1 : label.Length)];
        // The last row of a segment has read all labels but the end, which it is to predict.
        int[] rows = [.. labels.SelectMany((_, item) => Enumerable.Range(segments.Start(item + 1) - counted[item], counted[item]))];
        return c.CrossEntropy(parts.Translator.Logits(c, c.Gather(last, rows)),
            labels.SelectMany((label, item) => label[^counted[item]..]).ToArray());
    }

    private static FusedTranslator Parts(PeftAdapter adapter)
    {
        Thinker thinker = TinyModels.Thinker;
        MistralModel translator = new(TinyModels.TranslatorConfig,
            new Weights(Checkpoint.Open(Golden.Tiny("translator"))).Beside(adapter.Translator), addedTokens: 1);
        Weights fusion = new(adapter.Fusion);
        return new FusedTranslator(thinker, FusionLayer.Create("gated", thinker.HiddenSize, fusion.Under("omni_fusion")),
            new Projection(thinker.HiddenSize, translator.HiddenSize, 2, fusion.Under("omni_projection")), translator);
    }

    private static ThinkerInput[] Inputs(JsonElement json) => [.. json.GetProperty("inputs").EnumerateArray().Select(input =>
    {
        PromptInput prompt = new() { Audio = true, Image = input.GetProperty("image").GetString() is not null };
        return TinyModels.Input(PromptStyle.Published.Chat(prompt, Languages.Find("de")), input, json.GetProperty("image_size"));
    })];

    private static string NameInFile(string name) => name.Replace(".modules_to_save", "", StringComparison.Ordinal)
        .Replace(".default", "", StringComparison.Ordinal);

    // AdamW's step is almost a sign: where a gradient is nearly nothing, its rounding decides the direction. So not each weight is
    // compared: on average the weights must have come where the published ones are, within 15 % of the way they went.
    private static void AssertTrained(float[] expected, ReadOnlySpan<float> actual, ReadOnlySpan<float> before, string name)
    {
        double way = 0, off = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            way += Math.Abs(expected[i] - before[i]);
            off += Math.Abs(expected[i] - actual[i]);
        }
        Assert.True(off < 0.15 * way, $"{name} is {off / way:P1} off its way");
    }
}
