using System.Text.Json.Nodes;

namespace OmniFusion.Checkpoints;

/// <summary>Sizes of a Mistral decoder: <c>config.json</c> of a MistralForCausalLM, names as published.</summary>
public sealed record MistralConfig : DecoderConfig
{
    /// <summary>Base of the rotary frequencies.</summary>
    public float RopeTheta { get; init; } = 10000;

    /// <summary>How many positions back a token attends to at most; null: all.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>The token that begins a text, or null.</summary>
    public int? BosTokenId { get; init; } = 1;

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [2];

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="path">The file, or the folder that holds it.</param>
    /// <exception cref="OmniFusionException">It is missing, a key is missing or wrong, or the sizes do not fit each other.</exception>
    public static MistralConfig Load(string path)
    {
        JsonSection json = JsonSection.Open(ConfigChecks.FileOf(path));
        if (json.StringOrNull("model_type") is { } type && type != "mistral")
            throw json.Wrong("model_type", $"is {type}, not mistral");
        json.RequireActivation("silu");
        json.RequireDefaultRope();
        int hidden = json.Size("hidden_size"), heads = json.Size("num_attention_heads");
        MistralConfig config = new()
        {
            VocabSize = json.Size("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = json.Size("intermediate_size"),
            NumHiddenLayers = json.Layers("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = json.KeyValueHeads(heads),
            HeadDim = json.HeadDim(hidden, heads),
            RmsNormEps = json.Positive("rms_norm_eps", 1e-6f),
            RopeTheta = json.Positive("rope_theta", 10000),
            SlidingWindow = json.SizeOrNull("sliding_window"),
            MaxPositionEmbeddings = json.SizeOrNull("max_position_embeddings") ?? 32768,
            TieWordEmbeddings = json.BoolOrNull("tie_word_embeddings") ?? false,
            BosTokenId = json.IntOrNull("bos_token_id"),
            EosTokenIds = json.IntOrIntsOrNull("eos_token_id") ?? [2],
        };
        if (config.EosTokenIds.Count == 0)
            throw json.Wrong("eos_token_id", "names no token");
        return config;
    }

    /// <summary>Writes <c>config.json</c> so that <see cref="Load"/> and transformers read it.</summary>
    /// <exception cref="OmniFusionException">It cannot be written.</exception>
    public void Save(string file) => AtomicFile.WriteText(file, new JsonObject
    {
        ["architectures"] = new JsonArray("MistralForCausalLM"),
        ["model_type"] = "mistral",
        ["vocab_size"] = VocabSize,
        ["hidden_size"] = HiddenSize,
        ["intermediate_size"] = IntermediateSize,
        ["num_hidden_layers"] = NumHiddenLayers,
        ["num_attention_heads"] = NumAttentionHeads,
        ["num_key_value_heads"] = NumKeyValueHeads,
        ["head_dim"] = HeadDim,
        ["hidden_act"] = "silu",
        ["max_position_embeddings"] = MaxPositionEmbeddings,
        ["rms_norm_eps"] = RmsNormEps,
        ["rope_theta"] = RopeTheta,
        ["sliding_window"] = SlidingWindow,
        ["tie_word_embeddings"] = TieWordEmbeddings,
        ["bos_token_id"] = BosTokenId,
        ["eos_token_id"] = ConfigChecks.OneOrMany(EosTokenIds),
    }.ToJsonString(JsonStyle.Indented));
}
