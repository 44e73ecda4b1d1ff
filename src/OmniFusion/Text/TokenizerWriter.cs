using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OmniFusion.Checkpoints;

namespace OmniFusion.Text;

/// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> as Hugging Face's libraries write and read them.</summary>
internal static class TokenizerWriter
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // The names under which the processor of Qwen2.5-Omni looks for its tokens.
    private static readonly (string Name, string Token)[] NamedTokens =
    [
        ("eos_token", "<|im_end|>"),
        ("pad_token", "<|endoftext|>"),
        ("image_token", "<|IMAGE|>"),
        ("audio_token", "<|AUDIO|>"),
        ("video_token", "<|VIDEO|>"),
        ("vision_bos_token", "<|vision_bos|>"),
        ("vision_eos_token", "<|vision_eos|>"),
        ("audio_bos_token", "<|audio_bos|>"),
        ("audio_eos_token", "<|audio_eos|>"),
    ];

    public static IReadOnlyList<string> SentencePieceSpecials { get; } = ["<unk>", "<s>", "</s>"];

    public static void WriteByteLevel(
        string folder, IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges, IReadOnlyList<string> specialTokens)
    {
        JsonObject byteLevel = new()
        {
            ["type"] = "ByteLevel",
            ["add_prefix_space"] = false,
            ["trim_offsets"] = true,
            ["use_regex"] = false,
        };
        JsonObject split = new()
        {
            ["type"] = "Split",
            ["pattern"] = new JsonObject { ["Regex"] = SplitPattern.Qwen },
            ["behavior"] = "Isolated",
            ["invert"] = false,
        };
        JsonObject tokenizer = Tokenizer(
            specialTokens,
            firstSpecial: tokens.Count,
            normalizer: new JsonObject { ["type"] = "NFC" },
            preTokenizer: new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(split, byteLevel) },
            postProcessor: byteLevel.DeepClone(),
            decoder: byteLevel.DeepClone(),
            Model(tokens, merges, unknown: null, byteFallback: false));

        JsonObject config = Config("Qwen2Tokenizer", specialTokens, firstSpecial: tokens.Count);
        config["add_bos_token"] = false;
        config["add_prefix_space"] = false;
        config["bos_token"] = null;
        config["unk_token"] = null;
        foreach ((string name, string token) in NamedTokens)
            if (specialTokens.Contains(token))
                config[name] = token;
        config["additional_special_tokens"] = new JsonArray([.. specialTokens.Select(token => JsonValue.Create(token))]);
        Save(folder, tokenizer, config);
    }

    public static void WriteSentencePiece(
        string folder, IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges)
    {
        JsonObject tokenizer = Tokenizer(
            SentencePieceSpecials,
            firstSpecial: 0,
            normalizer: new JsonObject
            {
                ["type"] = "Sequence",
                ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "Prepend", ["prepend"] = "▁" }, Replace(" ", "▁")),
            },
            preTokenizer: null,
            postProcessor: BeginOfText(),
            decoder: new JsonObject
            {
                ["type"] = "Sequence",
                ["decoders"] = new JsonArray(
                    Replace("▁", " "),
                    new JsonObject { ["type"] = "ByteFallback" },
                    new JsonObject { ["type"] = "Fuse" },
                    new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 }),
            },
            Model(tokens, merges, unknown: "<unk>", byteFallback: true));

        JsonObject config = Config("LlamaTokenizerFast", SentencePieceSpecials, firstSpecial: 0);
        config["add_bos_token"] = true;
        config["add_eos_token"] = false;
        config["bos_token"] = "<s>";
        config["eos_token"] = "</s>";
        config["unk_token"] = "<unk>";
        config["legacy"] = false;
        Save(folder, tokenizer, config);
    }

    private static JsonObject Tokenizer(
        IReadOnlyList<string> specialTokens,
        int firstSpecial,
        JsonNode normalizer,
        JsonNode? preTokenizer,
        JsonNode postProcessor,
        JsonNode decoder,
        JsonNode model)
    {
        JsonArray added = [];
        for (int i = 0; i < specialTokens.Count; i++)
        {
            JsonObject token = AddedToken(specialTokens[i]);
            token.Insert(0, "id", firstSpecial + i);
            added.Add(token);
        }
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = normalizer,
            ["pre_tokenizer"] = preTokenizer,
            ["post_processor"] = postProcessor,
            ["decoder"] = decoder,
            ["model"] = model,
        };
    }

    private static JsonObject Config(string tokenizerClass, IReadOnlyList<string> specialTokens, int firstSpecial)
    {
        JsonObject added = [];
        for (int i = 0; i < specialTokens.Count; i++)
            added[(firstSpecial + i).ToString(CultureInfo.InvariantCulture)] = AddedToken(specialTokens[i]);
        return new JsonObject
        {
            ["tokenizer_class"] = tokenizerClass,
            ["clean_up_tokenization_spaces"] = false,
            ["added_tokens_decoder"] = added,
        };
    }

    private static JsonObject Model(
        IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges, string? unknown, bool byteFallback)
    {
        JsonObject vocabulary = [];
        for (int id = 0; id < tokens.Count; id++)
            vocabulary.Add(tokens[id], id);
        return new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = unknown,
            ["continuing_subword_prefix"] = null,
            ["end_of_word_suffix"] = null,
            ["fuse_unk"] = byteFallback,
            ["byte_fallback"] = byteFallback,
            ["ignore_merges"] = false,
            ["vocab"] = vocabulary,
            ["merges"] = new JsonArray([.. merges.Select(merge => new JsonArray(merge.Left, merge.Right))]),
        };
    }

    private static JsonObject BeginOfText()
    {
        JsonObject Special(int type) => new() { ["SpecialToken"] = new JsonObject { ["id"] = "<s>", ["type_id"] = type } };
        JsonObject Sequence(string id, int type) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = type } };
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(Special(0), Sequence("A", 0)),
            ["pair"] = new JsonArray(Special(0), Sequence("A", 0), Special(1), Sequence("B", 1)),
            ["special_tokens"] = new JsonObject
            {
                ["<s>"] = new JsonObject { ["id"] = "<s>", ["ids"] = new JsonArray(1), ["tokens"] = new JsonArray("<s>") },
            },
        };
    }

    private static JsonObject AddedToken(string content) => new()
    {
        ["content"] = content,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };

    private static JsonObject Replace(string pattern, string content) => new()
    {
        ["type"] = "Replace",
        ["pattern"] = new JsonObject { ["String"] = pattern },
        ["content"] = content,
    };

    // Where there is a tokenizer.json, all is taken to be there: it comes last.
    private static void Save(string folder, JsonObject tokenizer, JsonObject config)
    {
        AtomicFile.MakeFolder(folder);
        AtomicFile.WriteText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString(Readable));
        AtomicFile.WriteText(Path.Combine(folder, "tokenizer.json"), tokenizer.ToJsonString(Readable));
    }
}
