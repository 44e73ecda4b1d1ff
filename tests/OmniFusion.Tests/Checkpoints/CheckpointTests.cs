using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ShardsAreOneCheckpointAndUnusedKeysAreKnown()
    {
        Checkpoint checkpoint = Checkpoint.Open(Golden.Tiny("omni"));
        Weights thinker = checkpoint.Under("thinker.");
        Assert.Equal(new Shape(32, 128, 3), thinker.Under("audio_tower").Get("conv1.weight", 32, 128, 3).Shape);
        Assert.Equal(new Shape(24), thinker.Under("model.layers", 3).Get("self_attn.k_proj.bias", 24).Shape);
        Assert.Equal(["talker.codec_head.weight", "token2wav.dummy.weight"], checkpoint.UnusedKeys("thinker."));
        IReadOnlyList<string> unused = checkpoint.UnusedKeys("talker.", "token2wav.");
        Assert.Equal(checkpoint.Keys.Count() - 4, unused.Count);
        Assert.DoesNotContain("thinker.audio_tower.conv1.weight", unused);
        Assert.Contains("thinker.lm_head.weight", unused);
    }

    [Fact]
    public void AMissingWeightOrAnotherShapeIsOneSentence()
    {
        Weights layer = Checkpoint.Open(Golden.Tiny("translator")).Under("model.layers.0");
        string file = Path.Combine(Golden.Tiny("translator"), "model.safetensors");
        Assert.Equal($"{Golden.Tiny("translator")} has no tensor 'model.layers.0.self_attn.q_proj.bias' [64]",
            Assert.Throws<OmniFusionException>(() => layer.Get("self_attn.q_proj.bias", 64)).Message);
        Assert.Equal($"{file}: the tensor 'model.layers.0.mlp.up_proj.weight' is [128, 64], but the configuration asks for [64, 128]",
            Assert.Throws<OmniFusionException>(() => layer.Get("mlp.up_proj.weight", 64, 128)).Message);
        Assert.Throws<OmniFusionException>(() => layer.Get("mlp.up_proj.weight", 128 * 64));
        Assert.Null(layer.Find("self_attn.q_proj.bias", 64));
        Assert.False(layer.Has("self_attn.q_proj.bias"));
        Assert.Equal(128, layer.Get("mlp.up_proj.weight", -1, 64).Rows);
        // What was taken once is checked again.
        Assert.Throws<OmniFusionException>(() => layer.Get("mlp.up_proj.weight", -1, 65));
    }

    [Fact]
    public void ASingleFileOfAnyNameIsACheckpointButSeveralAreNot()
    {
        SafeTensorsWriter.Write(_folder["weights.safetensors"], [("x", Tensor.Zeros(new Shape(2)))]);
        Assert.Equal(["x"], Checkpoint.Open(_folder.Path).Keys);
        Assert.Equal(["x"], Checkpoint.Open(_folder["weights.safetensors"]).Keys);
        SafeTensorsWriter.Write(_folder["more.safetensors"], [("y", Tensor.Zeros(new Shape(2)))]);
        Assert.Contains("holds 2 *.safetensors files", Sentence());
    }

    [Theory]
    [InlineData("""{"weight_map":{"x":"b.safetensors"}}""", "b.safetensors that", "is missing")]
    [InlineData("""{"weight_map":{"z":"a.safetensors"}}""", "a.safetensors lacks the tensor 'z'", "promises")]
    [InlineData("""{"weight_map":{"x":"../a.safetensors"}}""", "names the shard '../a.safetensors'", "no file of its folder")]
    [InlineData("""{"weight_map":{"x":7}}""", "'weight_map.x'", "is not a string")]
    [InlineData("""{"weight_map":[]}""", "'weight_map'", "is not an object")]
    [InlineData("""{"weight_map":{"\ud800":"a.safetensors"}}""", "index.json", "broken Unicode")]
    [InlineData("{}", "'weight_map'", "is missing")]
    [InlineData("nonsense", "index.json", "is not valid JSON")]
    public void ABrokenIndexIsOneSentence(string index, string names, string says)
    {
        SafeTensorsWriter.Write(_folder["a.safetensors"], [("x", Tensor.Zeros(new Shape(2)))]);
        _folder.Write("model.safetensors.index.json", index);
        Assert.Contains(names, Sentence());
        Assert.Contains(says, Sentence());
    }

    [Fact]
    public void AnEmptyOrMissingFolderIsOneSentence()
    {
        Assert.Contains("holds no *.safetensors", Sentence());
        Assert.EndsWith("does not exist", Assert.Throws<OmniFusionException>(() => Checkpoint.Open(_folder["none"])).Message);
    }

    [Fact]
    public void TrainableWeightsAreCopiesAndTiedOnesAreOne()
    {
        Tensor stored = Tensor.From([1, 2, 3, 4], new Shape(2, 2)).ToBF16();
        Checkpoint checkpoint = Checkpoint.Of([("model.embed_tokens.weight", stored)]);
        Weights weights = new(checkpoint, trainable: true);
        Tensor embedding = weights.Under("model").Get("embed_tokens.weight", 2, 2), output = weights.Get("model.embed_tokens.weight", 2, 2);
        Assert.Same(embedding, output);
        Assert.True(embedding.RequiresGrad);
        Assert.Equal(DType.F32, embedding.DType);
        embedding.Span[0] = 9;
        Assert.Equal(1, stored.ToF32().Span[0]);
        Assert.Same(embedding, Assert.Single(weights.Taken).Value);
        Assert.Empty(weights.Under("lm_head").Taken);
        SafeTensorsWriter.Write(_folder["out"], weights.Taken.Select(item => (item.Key, item.Value)), storeAs: DType.BF16);
        Assert.Equal([9f, 2, 3, 4], Checkpoint.Open(_folder["out"]).Get("model.embed_tokens.weight", 2, 2).ToF32().Span);
        Assert.Same(stored, checkpoint.Get("model.embed_tokens.weight", 2, 2));
    }

    [Fact]
    public void NewWeightsDependOnSeedAndNameButNotOnOrder()
    {
        Weights first = Weights.FromScratch(new WeightInitializer(7)), second = Weights.FromScratch(new WeightInitializer(7));
        Tensor a = first.Get("a.weight", 200, 100), b = first.Get("b.weight", 200, 100);
        Assert.Equal(b.Span, second.Get("b.weight", 200, 100).Span);
        Assert.Equal(a.Span, second.Get("a.weight", 200, 100).Span);
        Assert.False(a.Span.SequenceEqual(b.Span));
        Assert.False(a.Span.SequenceEqual(Weights.FromScratch(new WeightInitializer(8)).Get("a.weight", 200, 100).Span));
        Assert.InRange(Deviation(a), 0.0195, 0.0205);
        Assert.InRange(Deviation(first.Get("conv.weight", 64, 100, 4)), 0.049, 0.051);
        Assert.All(first.Get("norm.weight", 5).Span.ToArray(), value => Assert.Equal(1, value));
        Assert.All(first.Get("norm.bias", 5).Span.ToArray(), value => Assert.Equal(0, value));
        Assert.Null(first.Find("optional.bias", 5));
        Assert.Same(first.Get("norm.bias", 5), first.Find("norm.bias", 5));
        Assert.Equal(5, first.Taken.Count);
        Assert.All(first.Taken.Values, tensor => Assert.True(tensor.RequiresGrad));
    }

    private static double Deviation(Tensor tensor)
    {
        double mean = 0, square = 0;
        foreach (float value in tensor.Span)
            (mean, square) = (mean + value, square + (double)value * value);
        Assert.InRange(mean / tensor.Count, -0.001, 0.001);
        return Math.Sqrt(square / tensor.Count);
    }

    private string Sentence() => Assert.Throws<OmniFusionException>(() => Checkpoint.Open(_folder.Path)).Message;
}
