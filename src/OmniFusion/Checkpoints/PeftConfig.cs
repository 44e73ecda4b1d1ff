using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OmniFusion.Checkpoints;

/// <summary>The settings of a LoRA adapter: <c>adapter_config.json</c> in the layout of the PEFT library.</summary>
public sealed record PeftConfig
{
    /// <summary>Rank of the updates (<c>r</c>).</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Numerator of the scale (<c>lora_alpha</c>).</summary>
    public float Alpha { get; init; } = 8;

    /// <summary>Whether the scale is alpha / sqrt(rank) instead of alpha / rank (<c>use_rslora</c>).</summary>
    public bool UseRsLora { get; init; }

    /// <summary>Whether the adapted matrices are stored [in, out] (<c>fan_in_fan_out</c>).</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>
    /// Names of the adapted modules, or one regular expression (<c>target_modules</c>). For information: the keys decide.
    /// </summary>
    public IReadOnlyList<string> TargetModules { get; init; } = [];

    /// <summary>Modules that are saved whole (<c>modules_to_save</c>). For information: the keys decide.</summary>
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>Other ranks for modules whose name ends with a regular expression.</summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init; } = new Dictionary<string, int>();

    /// <summary>Other alphas for modules whose name ends with a regular expression.</summary>
    public IReadOnlyDictionary<string, float> AlphaPattern { get; init; } = new Dictionary<string, float>();

    /// <summary>Reads <c>adapter_config.json</c>.</summary>
    /// <exception cref="OmniFusionException">It is missing or wrong, or asks for a variant of LoRA that is not supported.</exception>
    public static PeftConfig Load(string file)
    {
        JsonSection json = JsonSection.Open(file);
        if (json.StringOrNull("peft_type") is { } type && type != "LORA")
            throw json.Wrong("peft_type", $"is {type}; only LORA is supported");
        foreach (string key in new[] { "use_dora", "lora_bias", "use_qalora", "use_bdlora" })
            if (json.BoolOrNull(key) == true)
                throw json.Wrong(key, "is not supported");
        foreach (string key in new[] { "layer_replication", "alora_invocation_tokens", "trainable_token_indices", "target_parameters" })
            if (json.Has(key))
                throw json.Wrong(key, "is not supported");
        return new PeftConfig
        {
            Rank = json.SizeOrNull("r") ?? 8,
            Alpha = json.FloatOrNull("lora_alpha") ?? 8,
            UseRsLora = json.BoolOrNull("use_rslora") ?? false,
            FanInFanOut = json.BoolOrNull("fan_in_fan_out") ?? false,
            TargetModules = json.StringOrStringsOrNull("target_modules") ?? [],
            ModulesToSave = json.StringsOrNull("modules_to_save") ?? [],
            RankPattern = Pattern(json, "rank_pattern", (section, key) => section.Size(key)),
            AlphaPattern = Pattern(json, "alpha_pattern", (section, key) => section.FloatOrNull(key) ?? 0),
        };
    }

    /// <summary>Writes <c>adapter_config.json</c>.</summary>
    /// <exception cref="OmniFusionException">It cannot be written.</exception>
    public void Save(string file) => AtomicFile.WriteText(file, new JsonObject
    {
        ["peft_type"] = "LORA",
        ["task_type"] = "CAUSAL_LM",
        ["bias"] = "none",
        ["r"] = Rank,
        ["lora_alpha"] = Alpha,
        ["lora_dropout"] = 0.0,
        ["use_rslora"] = UseRsLora,
        ["use_dora"] = false,
        ["fan_in_fan_out"] = FanInFanOut,
        ["inference_mode"] = true,
        ["target_modules"] = JsonSerializer.SerializeToNode(TargetModules),
        ["modules_to_save"] = JsonSerializer.SerializeToNode(ModulesToSave),
        ["rank_pattern"] = JsonSerializer.SerializeToNode(RankPattern),
        ["alpha_pattern"] = JsonSerializer.SerializeToNode(AlphaPattern),
    }.ToJsonString(JsonStyle.Indented));

    /// <summary>The rank of a module's update.</summary>
    public int RankOf(string module) =>
        RankPattern.FirstOrDefault(item => Matches(item.Key, module)) is { Key: not null } found ? found.Value : Rank;

    /// <summary>The factor of a module's update.</summary>
    public float ScaleOf(string module)
    {
        float alpha = AlphaPattern.FirstOrDefault(item => Matches(item.Key, module)) is { Key: not null } found ? found.Value : Alpha;
        return alpha / (UseRsLora ? MathF.Sqrt(RankOf(module)) : RankOf(module));
    }

    private static Dictionary<string, T> Pattern<T>(JsonSection json, string name, Func<JsonSection, string, T> read)
    {
        Dictionary<string, T> pattern = [];
        if (json.SectionOrNull(name) is { } section)
            foreach (var (key, _) in section.Entries)
            {
                try
                {
                    Matches(key, "");
                }
                catch (Exception e) when (e is ArgumentException or NotSupportedException)
                {
                    throw section.Wrong(key, "is not a regular expression that is supported");
                }
                pattern[key] = read(section, key);
            }
        return pattern;
    }

    // NonBacktracking: an adapter's pattern must not be able to hang the program.
    private static bool Matches(string pattern, string module) =>
        Regex.IsMatch(module, $@"^(.*\.)?({pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}
