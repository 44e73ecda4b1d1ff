using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Checkpoints;

public sealed class PeftAdapterTests : IDisposable
{
    private const string Query = "model.layers.0.self_attn.q_proj";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheTinyAdapterFindsAPlaceForEveryKeyAndMergesAsDefined()
    {
        PeftAdapter adapter = PeftAdapter.Load(Golden.Tiny("fusion"));
        Checkpoint translator = Checkpoint.Open(Golden.Tiny("translator"));
        Assert.Equal(48, adapter.UnplacedKeys.Count);
        Weights merged = new Weights(translator).With(adapter.Translator);
        adapter.Fusion.Get("omni_fusion.gate_layer.weight", 3, 144);
        Assert.Equal(5, adapter.UnplacedKeys.Count);
        foreach (string key in adapter.Fusion.Keys)
            Assert.NotNull(adapter.Fusion.Find(key));
        Assert.Empty(adapter.UnplacedKeys);
        Assert.Empty(adapter.Thinker.LowRank);
        Assert.Equal(21, adapter.Translator.LowRank.Count);

        Tensor down = merged.Get("model.layers.2.mlp.down_proj.weight", 64, 128);
        Assert.Equal(DType.F32, down.DType);
        Assert.Same(down, merged.Under("model.layers.2").Get("mlp.down_proj.weight", 64, 128));
        LowRankUpdate update = adapter.Translator.LowRank["model.layers.2.mlp.down_proj.weight"];
        Assert.Equal(2, update.Scale);
        Tensor stored = translator.Get("model.layers.2.mlp.down_proj.weight", 64, 128).ToF32(), a = update.A.ToF32(), b = update.B.ToF32();
        double largest = 0;
        for (int row = 0; row < 64; row++)
            for (int column = 0; column < 128; column++)
            {
                double sum = 0;
                for (int k = 0; k < 4; k++)
                    sum += (double)b.Row(row)[k] * a.Row(k)[column];
                Assert.Equal(stored.Row(row)[column] + 2 * sum, down.Row(row)[column], 1e-6);
                largest = Math.Max(largest, Math.Abs(sum));
            }
        Assert.True(largest > 1e-3, "the golden's update does nothing");
        Assert.Equal(DType.BF16, merged.Get("model.norm.weight", 64).DType);
        Assert.Equal(DType.BF16, new Weights(translator).With(adapter.Translator, DType.BF16).Get($"{Query}.weight", 64, 64).DType);
    }

    [Fact]
    public void TheNamesOfATrainingRunAreUnderstoodAndTrainInPlace()
    {
        Golden golden = Golden.Load("train_fused");
        const string Prefix = "grad_clipped.";
        PeftAdapter adapter = PeftAdapter.Of(PeftConfig.Load(Path.Combine(Golden.Tiny("fusion"), "adapter_config.json")),
            golden.Names.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name =>
                (name[Prefix.Length..], Tensor.From(golden.Floats(name), new Shape(golden.Shape(name)))))).Trainable();
        Weights weights = Checkpoint.Open(Golden.Tiny("translator")).Under("").Beside(adapter.Translator);
        LowRankUpdate update = weights.Under("model.layers.0").LowRank("self_attn.q_proj.weight")!;
        Assert.Same(adapter.Tensors[$"base_model.model.{Query}.lora_A.default.weight"], update.A);
        Assert.True(update.B.RequiresGrad);
        Assert.Equal(DType.BF16, weights.Get($"{Query}.weight", 64, 64).DType);
        Assert.Null(weights.LowRank("model.norm.weight"));
        Weights fusion = new(adapter.Fusion, trainable: true);
        Assert.Same(adapter.Tensors["base_model.model.model.omni_projection.modules_to_save.default.0.bias"],
            fusion.Under("omni_projection").Get("0.bias", 64));
        foreach (string key in adapter.Fusion.Keys)
            fusion.Get(key);
        Assert.Empty(adapter.UnplacedKeys);
    }

    [Fact]
    public void SavedAndLoadedItIsTheSame()
    {
        PeftAdapter adapter = PeftAdapter.Load(Golden.Tiny("fusion"));
        adapter.Save(_folder["copy"]);
        PeftAdapter copy = PeftAdapter.Load(_folder["copy"]);
        Assert.Equal(adapter.Config.Rank, copy.Config.Rank);
        Assert.Equal(adapter.Config.Alpha, copy.Config.Alpha);
        Assert.Equal(adapter.Config.TargetModules, copy.Config.TargetModules);
        Assert.Equal(adapter.Tensors.Keys.Order(), copy.Tensors.Keys.Order());
        Assert.All(adapter.Tensors, item => Assert.Equal(item.Value.Bytes, copy.Tensors[item.Key].Bytes));
    }

    [Theory]
    [InlineData("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight")]
    [InlineData("base_model.model.layers.0.self_attn.q_proj.lora_A.default.weight")]
    [InlineData("base_model.model.model.model.layers.0.self_attn.q_proj.lora_A.other.weight")]
    public void WrappersMayBeDeeperOrFlatter(string nameOfA)
    {
        PeftAdapter adapter = Adapter(new PeftConfig { Rank = 1, Alpha = 3 },
            (nameOfA, 1, 2, [1, 10]), (nameOfA.Replace("lora_A", "lora_B", StringComparison.Ordinal), 2, 1, [1, 2]));
        Tensor merged = new Weights(Base($"{Query}.weight", 2, 2)).With(adapter.Translator).Get($"{Query}.weight", 2, 2);
        Assert.Equal([3f, 30, 6, 60], merged.Span);
        Assert.Empty(adapter.UnplacedKeys);
    }

    [Fact]
    public void TheThinkersUpdatesGoToTheThinker()
    {
        PeftAdapter adapter = Adapter(new PeftConfig { Rank = 1, Alpha = 1 },
            ("base_model.model.model.omni_model.model.layers.0.mlp.up_proj.lora_A.weight", 1, 2, [1, 10]),
            ("base_model.model.model.omni_model.model.layers.0.mlp.up_proj.lora_B.weight", 2, 1, [1, 2]));
        Assert.Empty(adapter.Translator.LowRank);
        Checkpoint omni = Base("thinker.model.layers.0.mlp.up_proj.weight", 2, 2);
        Tensor merged = omni.Under("thinker").With(adapter.Thinker).Get("model.layers.0.mlp.up_proj.weight", 2, 2);
        Assert.Equal([1f, 10, 2, 20], merged.Span);
        Assert.Empty(adapter.UnplacedKeys);
    }

    [Fact]
    public void ScalesFollowRankStabilisationAndPatterns()
    {
        PeftConfig config = new()
        {
            Rank = 4,
            Alpha = 8,
            UseRsLora = true,
            RankPattern = new Dictionary<string, int> { ["k_proj"] = 16 },
            AlphaPattern = new Dictionary<string, float> { [@"layers\.1\..*v_proj"] = 2 },
        };
        Assert.Equal(4, config.ScaleOf(Query));
        Assert.Equal(2, config.ScaleOf("model.layers.0.self_attn.k_proj"));
        Assert.Equal(1, config.ScaleOf("model.layers.1.self_attn.v_proj"));
        Assert.Equal(4, config.ScaleOf("model.layers.11.self_attn.v_proj"));
        Assert.Equal(0.5f, (config with { UseRsLora = false }).ScaleOf("model.layers.0.self_attn.k_proj"));
        Assert.Equal(4, config.RankOf("model.layers.0.self_attn.xk_proj"));
    }

    [Fact]
    public void EmbeddingsAndSwappedMatricesAreUpdatedTransposed()
    {
        PeftAdapter adapter = Adapter(new PeftConfig { Rank = 1, Alpha = 1 },
            ("base_model.model.model.embed_tokens.lora_embedding_A.default", 1, 3, [1, 2, 3]),
            ("base_model.model.model.embed_tokens.lora_embedding_B.default", 2, 1, [10, 100]));
        Tensor merged = new Weights(Base("model.embed_tokens.weight", 3, 2)).With(adapter.Translator)
            .Get("model.embed_tokens.weight", 3, 2);
        Assert.Equal([10f, 100, 20, 200, 30, 300], merged.Span);
        PeftAdapter swapped = Adapter(new PeftConfig { Rank = 1, Alpha = 1, FanInFanOut = true },
            ($"{Query}.lora_A.weight", 1, 3, [1, 2, 3]), ($"{Query}.lora_B.weight", 2, 1, [10, 100]));
        Assert.Equal(merged.Span, new Weights(Base($"{Query}.weight", 3, 2)).With(swapped.Translator).Get($"{Query}.weight", 3, 2).Span);
    }

    [Fact]
    public void WholeTensorsReplaceAndVocabulariesMayGrow()
    {
        PeftAdapter adapter = Adapter(new PeftConfig(),
            ("base_model.model.model.embed_tokens.modules_to_save.default.weight", 3, 2, [1, 2, 3, 4, 5, 6]),
            ("base_model.model.lm_head.base_layer.weight", 2, 2, [7, 8, 9, 10]),
            ("base_model.model.strange.weight", 1, 1, [1]), ("base_model.model.model.layers.0.x.lora_magnitude_vector", 1, 1, [1]));
        Checkpoint model = Checkpoint.Of(
            [("model.embed_tokens.weight", Tensor.Zeros(new Shape(2, 2))), ("lm_head.weight", Tensor.Zeros(new Shape(2, 2)))]);
        Weights weights = new Weights(model).With(adapter.Translator);
        Assert.Equal(new Shape(3, 2), weights.Get("model.embed_tokens.weight", -1, 2).Shape);
        Assert.Equal([7f, 8, 9, 10], weights.Get("lm_head.weight", 2, 2).Span);
        Assert.Equal(["base_model.model.model.layers.0.x.lora_magnitude_vector", "base_model.model.strange.weight"], adapter.UnplacedKeys);
    }

    [Fact]
    public void LargeMergedMatricesStayBFloat16UnlessAskedOtherwise()
    {
        const int Rows = 4096, Columns = 8400;
        PeftAdapter adapter = Adapter(new PeftConfig { Rank = 1, Alpha = 1 },
            ($"{Query}.lora_A.weight", 1, Columns, new float[Columns]), ($"{Query}.lora_B.weight", Rows, 1, new float[Rows]));
        Checkpoint model = Checkpoint.Of([($"{Query}.weight", Tensor.Zeros(new Shape(Rows, Columns), DType.BF16))]);
        Assert.Equal(DType.BF16, new Weights(model).With(adapter.Translator).Get($"{Query}.weight", Rows, Columns).DType);
        Assert.Equal(DType.F32, new Weights(model).With(adapter.Translator, DType.F32).Get($"{Query}.weight", Rows, Columns).DType);
    }

    [Fact]
    public void AnAdapterOfAnotherSizeIsOneSentence()
    {
        PeftAdapter adapter = PeftAdapter.Load(Golden.Tiny("fusion"));
        Weights weights = new(Base($"{Query}.weight", 96, 64));
        Assert.Equal($"the adapter {Golden.Tiny("fusion")} was made for a model of another size: "
            + $"its update of '{Query}.weight' is [64, 64], the matrix of memory is [96, 64]",
            Assert.Throws<OmniFusionException>(() => weights.With(adapter.Translator)).Message);
        PeftAdapter whole = Adapter(new PeftConfig(), ("base_model.model.lm_head.weight", 2, 3, [1, 2, 3, 4, 5, 6]));
        Assert.Contains("its 'lm_head.weight' is [2, 3]",
            Assert.Throws<OmniFusionException>(() => new Weights(Base("lm_head.weight", 2, 2)).With(whole.Translator)).Message);
    }

    [Fact]
    public void HalvesThatDoNotFitAreOneSentence()
    {
        Assert.Contains("has only lora_A", Sentence(($"{Query}.lora_A.weight", 8, 2, new float[16])));
        Assert.Contains("says rank 8", Sentence(
            ($"{Query}.lora_A.weight", 4, 2, new float[8]), ($"{Query}.lora_B.weight", 2, 4, new float[8])));
        Assert.Contains("a second update", Sentence(
            ($"{Query}.lora_A.weight", 8, 1, new float[8]), ($"{Query}.lora_A.default.weight", 8, 1, new float[8])));
        Assert.Contains("a second time", Sentence(
            ("lm_head.weight", 1, 1, new float[1]), ("base_model.model.lm_head.weight", 1, 1, new float[1])));

        static string Sentence(params (string, int, int, float[])[] tensors) =>
            Assert.Throws<OmniFusionException>(() => Adapter(new PeftConfig(), tensors)).Message;
    }

    [Theory]
    [InlineData("""{"peft_type":"IA3"}""", "'peft_type' is IA3")]
    [InlineData("""{"use_dora":true}""", "'use_dora' is not supported")]
    [InlineData("""{"lora_bias":true}""", "'lora_bias' is not supported")]
    [InlineData("""{"layer_replication":[[0,1]]}""", "'layer_replication' is not supported")]
    [InlineData("""{"r":0}""", "'r' is 0")]
    [InlineData("""{"r":"8"}""", "'r' is not a whole number")]
    [InlineData("""{"lora_alpha":1e60}""", "'lora_alpha' is not a number")]
    [InlineData("""{"rank_pattern":{"(":3}}""", "'rank_pattern.(' is not a regular expression")]
    [InlineData("""{"alpha_pattern":{"(?=x)":3}}""", "'alpha_pattern.(?=x)' is not a regular expression")]
    [InlineData("""{"target_modules":3}""", "'target_modules' is not a list")]
    [InlineData("[]", "is not a JSON object")]
    public void AnUnsupportedOrWrongConfigurationIsOneSentence(string json, string expected)
    {
        string file = _folder.Write("adapter_config.json", json);
        string message = Assert.Throws<OmniFusionException>(() => PeftAdapter.Load(_folder.Path)).Message;
        Assert.StartsWith(file, message);
        Assert.Contains(expected, message);
    }

    private static PeftAdapter Adapter(PeftConfig config, params (string Name, int Rows, int Columns, float[] Values)[] tensors) =>
        PeftAdapter.Of(config, tensors.Select(item => (item.Name, Tensor.From(item.Values, new Shape(item.Rows, item.Columns)))));

    private static Checkpoint Base(string key, int rows, int columns) => Checkpoint.Of([(key, Tensor.Zeros(new Shape(rows, columns)))]);
}
