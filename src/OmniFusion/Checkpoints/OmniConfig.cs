using System.Text.Json.Nodes;

namespace OmniFusion.Checkpoints;

/// <summary>
/// The thinker of a Qwen2.5-Omni model: <c>thinker_config</c> of its <c>config.json</c>, names as published. What belongs to the talker is
/// not read.
/// </summary>
public sealed record OmniConfig
{
    /// <summary>The audio tower.</summary>
    public required OmniAudioConfig AudioConfig { get; init; }

    /// <summary>The vision tower; null: the model has none and cannot take images.</summary>
    public OmniVisionConfig? VisionConfig { get; init; }

    /// <summary>The text decoder.</summary>
    public required OmniTextConfig TextConfig { get; init; }

    /// <summary>The token that an audio embedding takes the place of.</summary>
    public required int AudioTokenIndex { get; init; }

    /// <summary>The token that an image embedding takes the place of; null without a vision tower.</summary>
    public int? ImageTokenIndex { get; init; }

    /// <summary>The token that a video embedding would take the place of, or null.</summary>
    public int? VideoTokenIndex { get; init; }

    /// <summary>Marks the begin of audio.</summary>
    public int? AudioStartTokenId { get; init; }

    /// <summary>Marks the end of audio.</summary>
    public int? AudioEndTokenId { get; init; }

    /// <summary>Marks the begin of an image.</summary>
    public int? VisionStartTokenId { get; init; }

    /// <summary>Marks the end of an image.</summary>
    public int? VisionEndTokenId { get; init; }

    /// <summary>The word "user" in the chat template.</summary>
    public int? UserTokenId { get; init; }

    /// <summary>Fills shorter texts of a batch, or null.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Tokens that end the thinker's own answer; empty: the tokenizer's or the generation settings' decide.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>Temporal positions in a second of video.</summary>
    public int PositionIdPerSeconds { get; init; } = 25;

    /// <summary>Seconds of sound and video that alternate in a video with sound.</summary>
    public float SecondsPerChunk { get; init; } = 2;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="path">The file, or the folder that holds it.</param>
    /// <exception cref="OmniFusionException">It is missing, a key is missing or wrong, or the sizes do not fit each other.</exception>
    public static OmniConfig Load(string path)
    {
        JsonSection json = JsonSection.Open(ConfigChecks.FileOf(path)).Section("thinker_config");
        OmniTextConfig text = OmniTextConfig.Read(json.Section("text_config"));
        int vocabulary = text.VocabSize;
        JsonSection? vision = json.SectionOrNull("vision_config");
        return new OmniConfig
        {
            AudioConfig = OmniAudioConfig.Read(json.Section("audio_config"), text.HiddenSize),
            VisionConfig = vision is null ? null : OmniVisionConfig.Read(vision, text.HiddenSize),
            TextConfig = text,
            AudioTokenIndex = json.Token("audio_token_index", vocabulary),
            ImageTokenIndex = vision is null
                ? json.TokenOrNull("image_token_index", vocabulary)
                : json.Token("image_token_index", vocabulary),
            VideoTokenIndex = json.TokenOrNull("video_token_index", vocabulary),
            AudioStartTokenId = json.TokenOrNull("audio_start_token_id", vocabulary),
            AudioEndTokenId = json.TokenOrNull("audio_end_token_id", vocabulary),
            VisionStartTokenId = json.TokenOrNull("vision_start_token_id", vocabulary),
            VisionEndTokenId = json.TokenOrNull("vision_end_token_id", vocabulary),
            UserTokenId = json.IntOrNull("user_token_id"),
            PadTokenId = json.TokenOrNull("pad_token_id", vocabulary),
            EosTokenIds = json.IntOrIntsOrNull("eos_token_id") ?? [],
            PositionIdPerSeconds = json.SizeOrNull("position_id_per_seconds") ?? 25,
            SecondsPerChunk = json.Positive("seconds_per_chunk", 2),
        };
    }

    /// <summary>Writes <c>config.json</c> so that <see cref="Load"/> and transformers read it.</summary>
    /// <exception cref="OmniFusionException">It cannot be written.</exception>
    public void Save(string file)
    {
        JsonObject thinker = new()
        {
            ["model_type"] = "qwen2_5_omni_thinker",
            ["audio_config"] = AudioConfig.ToJson(),
            ["text_config"] = TextConfig.ToJson(),
            ["audio_token_index"] = AudioTokenIndex,
            ["position_id_per_seconds"] = PositionIdPerSeconds,
            ["seconds_per_chunk"] = SecondsPerChunk,
        };
        if (VisionConfig is not null)
            thinker["vision_config"] = VisionConfig.ToJson();
        if (EosTokenIds.Count > 0)
            thinker["eos_token_id"] = ConfigChecks.OneOrMany(EosTokenIds);
        foreach (var (key, id) in new[]
        {
            ("image_token_index", ImageTokenIndex), ("video_token_index", VideoTokenIndex), ("audio_start_token_id", AudioStartTokenId),
            ("audio_end_token_id", AudioEndTokenId), ("vision_start_token_id", VisionStartTokenId),
            ("vision_end_token_id", VisionEndTokenId), ("user_token_id", UserTokenId), ("pad_token_id", PadTokenId),
        })
            if (id is not null)
                thinker[key] = id;
        AtomicFile.WriteText(file, new JsonObject
        {
            ["architectures"] = new JsonArray("Qwen2_5OmniModel"),
            ["model_type"] = "qwen2_5_omni",
            ["enable_audio_output"] = false,
            ["thinker_config"] = thinker,
        }.ToJsonString(JsonStyle.Indented));
    }
}

/// <summary>Sizes of the audio tower (<c>audio_config</c>).</summary>
public sealed record OmniAudioConfig
{
    /// <summary>Mel bins of the spectrogram.</summary>
    public int NumMelBins { get; init; } = 128;

    /// <summary>Number of layers.</summary>
    public required int EncoderLayers { get; init; }

    /// <summary>Heads of each layer.</summary>
    public required int EncoderAttentionHeads { get; init; }

    /// <summary>Width inside the feed-forward part.</summary>
    public required int EncoderFfnDim { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int DModel { get; init; }

    /// <summary>Half the frames of a chunk; a chunk has 2 * n_window frames of 10 ms.</summary>
    public int NWindow { get; init; } = 100;

    /// <summary>Width of the result: the decoder's hidden size.</summary>
    public required int OutputDim { get; init; }

    /// <summary>Rows of the table of sinusoidal positions; a chunk uses the first n_window of them.</summary>
    public int MaxSourcePositions { get; init; } = 1500;

    internal static OmniAudioConfig Read(JsonSection json, int decoderWidth)
    {
        json.RequireActivation("gelu", "activation_function");
        OmniAudioConfig config = new()
        {
            NumMelBins = json.SizeOrNull("num_mel_bins") ?? 128,
            EncoderLayers = json.Layers("encoder_layers"),
            EncoderAttentionHeads = json.Size("encoder_attention_heads"),
            EncoderFfnDim = json.Size("encoder_ffn_dim"),
            DModel = json.Size("d_model"),
            NWindow = json.SizeOrNull("n_window") ?? 100,
            OutputDim = json.Size("output_dim"),
            MaxSourcePositions = json.SizeOrNull("max_source_positions") ?? 1500,
        };
        json.HeadWidth("d_model", config.DModel, config.EncoderAttentionHeads, 1);
        // Half of the sinusoids are sines, half cosines, and their frequencies are spaced by 1 / (d_model / 2 - 1).
        if (config.DModel % 2 != 0 || config.DModel < 4)
            throw json.Wrong("d_model", "is not an even number from 4 up");
        if (config.NWindow > config.MaxSourcePositions)
            throw json.Wrong("n_window", $"is beyond max_source_positions, {config.MaxSourcePositions}");
        return config.OutputDim == decoderWidth ? config
            : throw json.Wrong("output_dim", $"is {config.OutputDim}, but the decoder's hidden size is {decoderWidth}");
    }

    internal JsonObject ToJson() => new()
    {
        ["model_type"] = "qwen2_5_omni_audio_encoder",
        ["num_mel_bins"] = NumMelBins,
        ["encoder_layers"] = EncoderLayers,
        ["encoder_attention_heads"] = EncoderAttentionHeads,
        ["encoder_ffn_dim"] = EncoderFfnDim,
        ["d_model"] = DModel,
        ["activation_function"] = "gelu",
        ["n_window"] = NWindow,
        ["output_dim"] = OutputDim,
        ["max_source_positions"] = MaxSourcePositions,
    };
}

/// <summary>Sizes of the vision tower (<c>vision_config</c>).</summary>
public sealed record OmniVisionConfig
{
    /// <summary>Number of blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the SwiGLU.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Heads of each block.</summary>
    public required int NumHeads { get; init; }

    /// <summary>Colour channels.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Side of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 14;

    /// <summary>Side, in patches, of the square that becomes one token.</summary>
    public int SpatialMergeSize { get; init; } = 2;

    /// <summary>Frames of a patch.</summary>
    public int TemporalPatchSize { get; init; } = 2;

    /// <summary>Side of an attention window in pixels.</summary>
    public int WindowSize { get; init; } = 112;

    /// <summary>Width of the result: the decoder's hidden size.</summary>
    public required int OutHiddenSize { get; init; }

    /// <summary>Blocks that attend to the whole image.</summary>
    public IReadOnlyList<int> FullattBlockIndexes { get; init; } = [7, 15, 23, 31];

    internal static OmniVisionConfig Read(JsonSection json, int decoderWidth)
    {
        json.RequireActivation("silu");
        OmniVisionConfig config = new()
        {
            Depth = json.Layers("depth"),
            HiddenSize = json.Size("hidden_size"),
            IntermediateSize = json.Size("intermediate_size"),
            NumHeads = json.Size("num_heads"),
            InChannels = json.SizeOrNull("in_channels") ?? 3,
            PatchSize = json.SizeOrNull("patch_size") ?? 14,
            SpatialMergeSize = json.SizeOrNull("spatial_merge_size") ?? 2,
            TemporalPatchSize = json.SizeOrNull("temporal_patch_size") ?? 2,
            WindowSize = json.SizeOrNull("window_size") ?? 112,
            OutHiddenSize = json.Size("out_hidden_size"),
            FullattBlockIndexes = json.IntsOrNull("fullatt_block_indexes") ?? [7, 15, 23, 31],
        };
        // Half of each head turns with the row, half with the column, both in pairs.
        json.HeadWidth("hidden_size", config.HiddenSize, config.NumHeads, 4);
        if (config.WindowSize / config.PatchSize / config.SpatialMergeSize == 0)
            throw json.Wrong("window_size", $"is {config.WindowSize}, less than one merged patch");
        return config.OutHiddenSize == decoderWidth ? config
            : throw json.Wrong("out_hidden_size", $"is {config.OutHiddenSize}, but the decoder's hidden size is {decoderWidth}");
    }

    internal JsonObject ToJson() => new()
    {
        ["model_type"] = "qwen2_5_omni_vision_encoder",
        ["depth"] = Depth,
        ["hidden_size"] = HiddenSize,
        ["hidden_act"] = "silu",
        ["intermediate_size"] = IntermediateSize,
        ["num_heads"] = NumHeads,
        ["in_channels"] = InChannels,
        ["patch_size"] = PatchSize,
        ["spatial_merge_size"] = SpatialMergeSize,
        ["temporal_patch_size"] = TemporalPatchSize,
        ["window_size"] = WindowSize,
        ["out_hidden_size"] = OutHiddenSize,
        ["fullatt_block_indexes"] = new JsonArray([.. FullattBlockIndexes.Select(index => (JsonNode)index)]),
    };
}

/// <summary>Sizes of the text decoder (<c>text_config</c>).</summary>
public sealed record OmniTextConfig : DecoderConfig
{
    /// <summary>Pairs of a head that turn with the temporal, vertical and horizontal position; together half of the head's width.</summary>
    public required IReadOnlyList<int> MropeSection { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public float RopeTheta { get; init; } = 1_000_000;

    internal static OmniTextConfig Read(JsonSection json)
    {
        json.RequireActivation("silu");
        json.RequireDefaultRope();
        if (json.BoolOrNull("use_sliding_window") == true)
            throw json.Wrong("use_sliding_window", "is not supported");
        int hidden = json.Size("hidden_size"), heads = json.Size("num_attention_heads"), headDim = json.HeadDim(hidden, heads);
        JsonSection rope = json.Section("rope_scaling");
        int[] sections = rope.IntsOrNull("mrope_section") ?? throw rope.Wrong("mrope_section", "is missing");
        if (sections.Length != 3 || sections.Any(size => size < 0) || sections.Sum(size => (long)size) != headDim / 2)
            throw rope.Wrong("mrope_section", $"is not three counts that make up half of the head's width, {headDim / 2}");
        return new OmniTextConfig
        {
            VocabSize = json.Size("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = json.Size("intermediate_size"),
            NumHiddenLayers = json.Layers("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = json.KeyValueHeads(heads),
            HeadDim = headDim,
            MropeSection = sections,
            RmsNormEps = json.Positive("rms_norm_eps", 1e-6f),
            RopeTheta = json.Positive("rope_theta", 1_000_000),
            MaxPositionEmbeddings = json.SizeOrNull("max_position_embeddings") ?? 32768,
            TieWordEmbeddings = json.BoolOrNull("tie_word_embeddings") ?? false,
        };
    }

    internal JsonObject ToJson() => new()
    {
        ["model_type"] = "qwen2_5_omni_text",
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
        ["rope_scaling"] = new JsonObject
        {
            ["mrope_section"] = new JsonArray([.. MropeSection.Select(size => (JsonNode)size)]),
            ["rope_type"] = "default",
            ["type"] = "default",
        },
        ["use_sliding_window"] = false,
        ["tie_word_embeddings"] = TieWordEmbeddings,
    };
}
