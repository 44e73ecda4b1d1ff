using System.Text;
using System.Text.Json;

namespace OmniFusion.Text;

/// <summary>What a <see cref="Tokenizer"/> is made of, as its files say.</summary>
internal sealed record TokenizerParts
{
    public required string Source { get; init; }

    public required Dictionary<string, int> Vocabulary { get; init; }

    public required BpeModel Model { get; init; }

    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }

    public Normalizer? Normalizer { get; init; }

    public PreTokenizer? PreTokenizer { get; init; }

    public Decoder? Decoder { get; init; }

    public bool HasByteFallbackDecoder { get; init; }

    /// <summary>The ids that the post-processor puts before a text, and those that it puts after it.</summary>
    public int[] Prefix { get; init; } = [];

    public int[] Suffix { get; init; } = [];

    public string? BosToken { get; init; }

    public string? EosToken { get; init; }

    public string? PadToken { get; init; }

    public string? UnknownToken { get; init; }
}

/// <summary>Reads the tokenizer files of a folder; every fault ends in one sentence that names the file and the component.</summary>
internal sealed class TokenizerReader
{
    // Ids are rows of an embedding; a file may leave gaps between them, but not a hole that no embedding fills.
    private const int LargestId = 1 << 24;

    private readonly string _path;
    private bool _hasByteFallbackDecoder;

    private TokenizerReader(string path) => _path = path;

    public static TokenizerParts Read(string folder)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        if (!File.Exists(path))
            throw new OmniFusionException($"there is no tokenizer.json in {folder}");
        using JsonDocument tokenizer = Open(path);
        using JsonDocument? config = OpenIfPresent(Path.Combine(folder, "tokenizer_config.json"));
        using JsonDocument? map = OpenIfPresent(Path.Combine(folder, "special_tokens_map.json"));
        try
        {
            return new TokenizerReader(path).Read(tokenizer.RootElement, config?.RootElement, map?.RootElement);
        }
        catch (Exception fault) when (fault is InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new OmniFusionException($"{path} does not have the form of a tokenizer.json: {fault.Message}", fault);
        }
    }

    private static JsonDocument? OpenIfPresent(string path) => File.Exists(path) ? Open(path) : null;

    private static JsonDocument Open(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            JsonDocument document = JsonDocument.Parse(stream);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            throw new OmniFusionException($"{path} is not a JSON object");
        }
        catch (JsonException fault)
        {
            throw new OmniFusionException($"{path} is not valid JSON: {fault.Message}", fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{path} cannot be read: {fault.Message}", fault);
        }
    }

    private TokenizerParts Read(JsonElement root, JsonElement? config, JsonElement? map)
    {
        JsonElement modelJson = Component(root, "model") ?? throw new OmniFusionException($"{_path} has no model");
        (Dictionary<string, int> vocabulary, BpeModel model) = ReadModel(modelJson);
        List<AddedToken> added = ReadAddedTokens(root, config);
        if (Component(modelJson, "merges")!.Value.GetArrayLength() == 0 && !Flag(modelJson, "ignore_merges", false))
            CheckLetters(vocabulary.Keys.Except(added.Select(token => token.Content)));
        string? Name(string key) => TokenName(config, key) ?? TokenName(map, key);
        Dictionary<string, int> ids = new(vocabulary);
        foreach (AddedToken token in added)
            ids[token.Content] = token.Id;

        List<int> prefix = [], suffix = [];
        if (LlamaAffixes(config, Name) is { } affixes)
        {
            prefix.AddRange(affixes.Prefix.Select(Id));
            suffix.AddRange(affixes.Suffix.Select(Id));
        }
        else if (Component(root, "post_processor") is { } processor)
        {
            ReadPostProcessor(processor, prefix, suffix);
        }
        int Id(string token) =>
            ids.TryGetValue(token, out int id)
                ? id
                : throw new OmniFusionException($"{_path} lacks the token '{token}' that its configuration names");

        return new TokenizerParts
        {
            Source = _path,
            Vocabulary = vocabulary,
            Model = model,
            AddedTokens = added,
            Normalizer = Component(root, "normalizer") is { } normalizer ? ReadNormalizer(normalizer) : null,
            PreTokenizer = Component(root, "pre_tokenizer") is { } preTokenizer ? ReadPreTokenizer(preTokenizer) : null,
            Decoder = Component(root, "decoder") is { } decoder ? ReadDecoder(decoder) : null,
            HasByteFallbackDecoder = _hasByteFallbackDecoder,
            Prefix = [.. prefix],
            Suffix = [.. suffix],
            BosToken = Name("bos_token"),
            EosToken = Name("eos_token"),
            PadToken = Name("pad_token"),
            UnknownToken = Name("unk_token") ?? Text(modelJson, "unk_token"),
        };
    }

    private (Dictionary<string, int> Vocabulary, BpeModel Model) ReadModel(JsonElement json)
    {
        string type = Text(json, "type") ?? "BPE";
        if (type != "BPE")
            throw new OmniFusionException($"{_path}: the model '{type}' is not supported, only BPE is");
        if (Component(json, "vocab") is not { ValueKind: JsonValueKind.Object } entries)
            throw new OmniFusionException($"{_path}: the model has no vocab");
        if (Component(json, "merges") is not { ValueKind: JsonValueKind.Array } pairs)
            throw new OmniFusionException($"{_path}: the model has no merges");
        if (Component(json, "dropout") is { } dropout && dropout.GetDouble() > 0)
            throw new OmniFusionException($"{_path}: BPE with dropout is not supported");

        Dictionary<string, int> vocabulary = new(entries.GetPropertyCount());
        foreach (JsonProperty entry in entries.EnumerateObject())
            vocabulary[entry.Name] = CheckedId(entry.Value, entry.Name);

        List<(string Left, string Right)> merges = new(pairs.GetArrayLength());
        foreach (JsonElement pair in pairs.EnumerateArray())
        {
            string?[] sides = pair.ValueKind == JsonValueKind.Array
                ? [.. pair.EnumerateArray().Select(side => side.GetString())]
                : [.. pair.GetString()?.Split(' ') ?? []];
            if (sides is not [{ } left, { } right])
                throw new OmniFusionException($"{_path}: merge {merges.Count} is not a pair of tokens");
            merges.Add((left, right));
        }

        BpeOptions options = new()
        {
            UnknownToken = Text(json, "unk_token"),
            FuseUnknown = Flag(json, "fuse_unk", false),
            ByteFallback = Flag(json, "byte_fallback", false),
            IgnoreMerges = Flag(json, "ignore_merges", false),
            ContinuingPrefix = Text(json, "continuing_subword_prefix") ?? "",
            WordSuffix = Text(json, "end_of_word_suffix") ?? "",
        };
        try
        {
            return (vocabulary, new BpeModel(vocabulary, merges, options));
        }
        catch (OmniFusionException fault)
        {
            throw new OmniFusionException($"{_path}: {fault.Message}", fault);
        }
    }

    // Without merges only letters are ever written, so that a word in the vocabulary, no byte and no <mark>, says that its merges were lost.
    private void CheckLetters(IEnumerable<string> tokens)
    {
        if (tokens.FirstOrDefault(token => token is not ['<', .., '>'] && token.EnumerateRunes().Count() > 1) is { } word)
            throw new OmniFusionException($"{_path}: the list of merges is empty, although the vocabulary holds '{word}'");
    }

    private List<AddedToken> ReadAddedTokens(JsonElement root, JsonElement? config)
    {
        List<AddedToken> tokens = [];
        if (Component(root, "added_tokens") is { } listed)
            foreach (JsonElement entry in listed.EnumerateArray())
                tokens.Add(ReadAddedToken(entry, CheckedId(entry.GetProperty("id"), "added token")));

        // transformers adds what only tokenizer_config.json lists.
        if (config is { } present && Component(present, "added_tokens_decoder") is { } more)
        {
            HashSet<string> known = [.. tokens.Select(token => token.Content)];
            foreach (JsonProperty entry in more.EnumerateObject())
                if (int.TryParse(entry.Name, out int id) && id is >= 0 and < LargestId && ReadAddedToken(entry.Value, id) is var token
                    && known.Add(token.Content))
                    tokens.Add(token);
        }
        return tokens;
    }

    private AddedToken ReadAddedToken(JsonElement json, int id) => new(
        id, json.GetProperty("content").GetString() ?? throw new OmniFusionException($"{_path}: the added token {id} has no content"))
    {
        LeftStrip = Flag(json, "lstrip", false),
        RightStrip = Flag(json, "rstrip", false),
        Normalized = Flag(json, "normalized", false),
        SingleWord = Flag(json, "single_word", false),
        Special = Flag(json, "special", false),
    };

    private Normalizer ReadNormalizer(JsonElement json)
    {
        string type = Type(json);
        switch (type)
        {
            case "Sequence":
                return new NormalizerSequence([.. json.GetProperty("normalizers").EnumerateArray().Select(ReadNormalizer)]);
            case "NFC":
                return new UnicodeFormNormalizer(NormalizationForm.FormC);
            case "NFD":
                return new UnicodeFormNormalizer(NormalizationForm.FormD);
            case "NFKC":
                return new UnicodeFormNormalizer(NormalizationForm.FormKC);
            case "NFKD":
                return new UnicodeFormNormalizer(NormalizationForm.FormKD);
            case "Lowercase":
                return new LowercaseNormalizer();
            case "StripAccents":
                return new StripAccentsNormalizer();
            case "ByteLevel":
                return new ByteLevelNormalizer();
            case "Strip":
                return new StripNormalizer(Flag(json, "strip_left", true), Flag(json, "strip_right", true));
            case "Prepend":
                return new PrependNormalizer(RequiredText(json, "prepend"));
            case "Replace":
                string content = RequiredText(json, "content");
                return Literal(json) is { } literal
                    ? new ReplaceLiteralNormalizer(literal, content)
                    : new ReplaceNormalizer(SplitPattern.Compile(Expression(json)), content);
            default:
                throw Unsupported("normalizer", type);
        }
    }

    private PreTokenizer ReadPreTokenizer(JsonElement json)
    {
        string type = Type(json);
        switch (type)
        {
            case "Sequence":
                return new PreTokenizerSequence([.. json.GetProperty("pretokenizers").EnumerateArray().Select(ReadPreTokenizer)]);
            case "Split":
                SplitPattern pattern = Literal(json) is { } literal
                    ? SplitPattern.Literal(literal)
                    : SplitPattern.Expression(Expression(json));
                return new SplitPreTokenizer(pattern, Behavior(json), Flag(json, "invert", false));
            case "ByteLevel":
                SplitPreTokenizer words = new(SplitPattern.Expression(SplitPattern.Gpt2), SplitBehavior.Isolated, invert: false);
                return new ByteLevelPreTokenizer(Flag(json, "add_prefix_space", true), Flag(json, "use_regex", true) ? words : null);
            case "Metaspace":
                return new MetaspacePreTokenizer(Character(json, "replacement"), Scheme(json), Flag(json, "split", true));
            case "Digits":
                return new SplitPreTokenizer(
                    SplitPattern.Expression(@"\p{N}"),
                    Flag(json, "individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous,
                    invert: false);
            case "Punctuation":
                return new SplitPreTokenizer(SplitPattern.Expression(@"[\p{P}$+<=>^`|~]"), Behavior(json), invert: false);
            case "WhitespaceSplit":
                return new SplitPreTokenizer(SplitPattern.Expression(@"\s"), SplitBehavior.Removed, invert: false);
            case "Whitespace":
                return new SplitPreTokenizer(SplitPattern.Expression(@"\w+|[^\w\s]+"), SplitBehavior.Removed, invert: true);
            default:
                throw Unsupported("pre-tokenizer", type);
        }
    }

    private Decoder ReadDecoder(JsonElement json)
    {
        string type = Type(json);
        switch (type)
        {
            case "Sequence":
                return new DecoderSequence([.. json.GetProperty("decoders").EnumerateArray().Select(ReadDecoder)]);
            case "ByteLevel":
                return new ByteLevelDecoder();
            case "ByteFallback":
                _hasByteFallbackDecoder = true;
                return new ByteFallbackDecoder();
            case "Fuse":
                return new FuseDecoder();
            case "Metaspace":
                return new MetaspaceDecoder(Character(json, "replacement"), Scheme(json));
            case "Strip":
                int start = json.GetProperty("start").GetInt32(), stop = json.GetProperty("stop").GetInt32();
                return new StripDecoder(Character(json, "content"), start, stop);
            case "Replace":
                string content = RequiredText(json, "content");
                return Literal(json) is { } literal
                    ? new ReplaceDecoder(literal, content)
                    : new RegexReplaceDecoder(SplitPattern.Compile(Expression(json)), content);
            default:
                throw Unsupported("decoder", type);
        }
    }

    // Only the form for one text counts here; pairs are for classifiers.
    private void ReadPostProcessor(JsonElement json, List<int> prefix, List<int> suffix)
    {
        string type = Type(json);
        switch (type)
        {
            case "ByteLevel":
                return;
            case "Sequence":
                foreach (JsonElement step in json.GetProperty("processors").EnumerateArray())
                    ReadPostProcessor(step, prefix, suffix);
                return;
            case "TemplateProcessing":
                List<int> before = [], after = [];
                bool seenText = false;
                foreach (JsonElement part in json.GetProperty("single").EnumerateArray())
                {
                    if (Component(part, "SpecialToken") is not { } special)
                    {
                        seenText = true;
                        continue;
                    }
                    JsonElement ids = json.GetProperty("special_tokens").GetProperty(RequiredText(special, "id")).GetProperty("ids");
                    (seenText ? after : before).AddRange(ids.EnumerateArray().Select(id => CheckedId(id, "special token")));
                }
                prefix.InsertRange(0, before);
                suffix.AddRange(after);
                return;
            default:
                throw Unsupported("post-processor", type);
        }
    }

    // The tokenizer classes of Llama and Gemma in transformers replace the file's template by what these two flags say.
    private static (string[] Prefix, string[] Suffix)? LlamaAffixes(JsonElement? config, Func<string, string?> name)
    {
        if (config is not { } present || Text(present, "tokenizer_class") is not { } type)
            return null;
        if (!type.StartsWith("Llama", StringComparison.Ordinal) && !type.StartsWith("Gemma", StringComparison.Ordinal))
            return null;
        string? bos = Flag(present, "add_bos_token", true) ? name("bos_token") : null;
        string? eos = Flag(present, "add_eos_token", false) ? name("eos_token") : null;
        return (bos is null ? [] : [bos], eos is null ? [] : [eos]);
    }

    private static SplitBehavior Behavior(JsonElement json)
    {
        string name = Text(json, "behavior") ?? nameof(SplitBehavior.Isolated);
        return Enum.TryParse(name, out SplitBehavior behavior)
            ? behavior
            : throw new FormatException($"'{name}' is no behavior of a split");
    }

    private static PrependScheme Scheme(JsonElement json) => Text(json, "prepend_scheme") switch
    {
        "always" => PrependScheme.Always,
        "first" => PrependScheme.First,
        "never" => PrependScheme.Never,
        null => Flag(json, "add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never,
        string other => throw new FormatException($"'{other}' is no prepend_scheme"),
    };

    private static string? Literal(JsonElement json) => Text(json.GetProperty("pattern"), "String");

    private static string Expression(JsonElement json) => RequiredText(json.GetProperty("pattern"), "Regex");

    private static char Character(JsonElement json, string key) =>
        RequiredText(json, key) is [char single] ? single : throw new FormatException($"'{key}' is not a single character");

    private int CheckedId(JsonElement json, string token) =>
        json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out int id) && id is >= 0 and < LargestId
        ? id
        : throw new OmniFusionException($"{_path}: '{token}' has the id {json}, which no vocabulary has");

    private OmniFusionException Unsupported(string component, string type) => new($"{_path}: the {component} '{type}' is not supported");

    private static string Type(JsonElement json) => RequiredText(json, "type");

    private static string RequiredText(JsonElement json, string key) => Text(json, key) ?? throw new FormatException($"'{key}' is missing");

    private static string? Text(JsonElement json, string key) => Component(json, key)?.GetString();

    private static bool Flag(JsonElement json, string key, bool otherwise) => Component(json, key)?.GetBoolean() ?? otherwise;

    private static JsonElement? Component(JsonElement json, string key) =>
        json.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? TokenName(JsonElement? json, string key)
    {
        if (json is not { } present || Component(present, key) is not { } name)
            return null;
        return name.ValueKind == JsonValueKind.Object ? Text(name, "content") : name.GetString();
    }
}
