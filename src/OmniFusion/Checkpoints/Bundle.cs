using System.Text.Json.Nodes;
using OmniFusion.Generation;
using OmniFusion.Models.Fusion;

namespace OmniFusion.Checkpoints;

/// <summary>
/// A whole translator on disk: <c>omnifusion.json</c> beside the folders of its three checkpoints. Every key is optional and defaults to
/// the published value; unknown keys are ignored.
/// </summary>
public sealed record Bundle
{
    /// <summary>Name of the file in a bundle's folder.</summary>
    public const string FileName = "omnifusion.json";

    private static readonly string[] Prompts = ["published", "compact"];

    /// <summary>Codes of the published languages.</summary>
    public static IReadOnlyList<string> PublishedLanguages { get; } =
    [
        "zh", "en", "fr", "de", "it", "ja", "ko", "pt", "ru", "es", "vi", "ar", "cs", "hr", "da", "nl",
        "fi", "hu", "id", "ms", "nb", "no", "pl", "ro", "tr",
    ];

    /// <summary>Folder of the multimodal model (<c>mmfm</c>), a Qwen2.5-Omni checkpoint.</summary>
    public required string Mmfm { get; init; }

    /// <summary>Folder of the translator (<c>translator</c>), a Mistral checkpoint.</summary>
    public required string Translator { get; init; }

    /// <summary>Folder of the adapter (<c>adapter</c>) with fusion layer and projection.</summary>
    public required string Adapter { get; init; }

    /// <summary>File with the CTC head and its characters (<c>recognizer</c>), or null.</summary>
    public string? Recognizer { get; init; }

    /// <summary>How hidden states become one (<c>fusion.mode</c>): one of <see cref="FusionLayer.Modes"/>.</summary>
    public string FusionMode { get; init; } = "gated";

    /// <summary>
    /// Numbers of the hidden states that are fused, in the order of the gates (<c>fusion.layers</c>); null: the published first, middle and
    /// last.
    /// </summary>
    public IReadOnlyList<int>? FusionLayers { get; init; }

    /// <summary>Linear layers of the projection (<c>fusion.projection_depth</c>).</summary>
    public int ProjectionDepth { get; init; } = 2;

    /// <summary>Whether a gloss stands behind the fused states (<c>fusion.gloss</c>); no part of the published system.</summary>
    public bool Gloss { get; init; }

    /// <summary>Width in pixels to which images are resized (<c>image_size</c>, first number).</summary>
    public int ImageWidth { get; init; } = 512;

    /// <summary>Height in pixels to which images are resized (<c>image_size</c>, second number).</summary>
    public int ImageHeight { get; init; } = 512;

    /// <summary>Defaults of the search (<c>generation</c>).</summary>
    public BundleGeneration Generation { get; init; } = new();

    /// <summary>Which chat texts the model was trained with (<c>prompt</c>): published or compact.</summary>
    public string Prompt { get; init; } = "published";

    /// <summary>Codes of the languages it translates into (<c>languages</c>).</summary>
    public IReadOnlyList<string> Languages { get; init; } = PublishedLanguages;

    /// <summary>Seconds of the longest recordings that it was trained with (<c>trained_seconds</c>); null: nobody says.</summary>
    public float? TrainedSeconds { get; init; }

    /// <summary>Defaults of simultaneous translation (<c>simultaneous</c>).</summary>
    public BundleSimultaneous Simultaneous { get; init; } = new();

    /// <summary>Reads a bundle; its paths become full paths.</summary>
    /// <param name="folderOrFile">The bundle's folder or its <c>omnifusion.json</c>.</param>
    /// <exception cref="OmniFusionException">A key has a wrong value, or a part is missing or lies outside the folder.</exception>
    public static Bundle Load(string folderOrFile)
    {
        string file = Directory.Exists(folderOrFile) ? Path.Combine(folderOrFile, FileName) : folderOrFile;
        JsonSection json = JsonSection.Open(file);
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        JsonSection? fusion = json.SectionOrNull("fusion");
        int[] size = json.IntsOrNull("image_size") ?? [512, 512];
        if (size.Length != 2 || size.Any(side => side is < 1 or > 16384))
            throw json.Wrong("image_size", "is not [width, height] in pixels from 1 to 16384");
        string[] languages = json.StringsOrNull("languages") ?? [.. PublishedLanguages];
        if (languages.Length == 0)
            throw json.Wrong("languages", "is empty");
        if (languages.FirstOrDefault(code => Text.Languages.All.All(language => language.Code != code)) is { } unknown)
            throw json.Wrong("languages", $"names '{unknown}', which is the code of no known language");
        string mode = fusion is null ? "gated" : OneOf(fusion, "mode", "gated", FusionLayer.Modes);
        return new Bundle
        {
            Mmfm = Part(json, folder, "mmfm", "omni", Directory.Exists),
            Translator = Part(json, folder, "translator", "translator", Directory.Exists),
            Adapter = Part(json, folder, "adapter", "fusion", Directory.Exists),
            Recognizer = json.Has("recognizer") ? Part(json, folder, "recognizer", "", File.Exists) : null,
            FusionMode = mode,
            FusionLayers = LayersOf(fusion, mode),
            ProjectionDepth = fusion?.SizeOrNull("projection_depth") is not { } depth ? 2
                : depth <= 64 ? depth : throw fusion.Wrong("projection_depth", $"is {depth}, beyond 64"),
            Gloss = fusion?.BoolOrNull("gloss") ?? false,
            ImageWidth = size[0],
            ImageHeight = size[1],
            Generation = json.SectionOrNull("generation") is { } generation ? BundleGeneration.Read(generation) : new BundleGeneration(),
            Prompt = OneOf(json, "prompt", "published", Prompts),
            Languages = languages,
            TrainedSeconds = json.FloatOrNull("trained_seconds") is not { } seconds ? null
                : seconds > 0 ? seconds : throw json.Wrong("trained_seconds", "is not positive"),
            Simultaneous = json.SectionOrNull("simultaneous") is { } stream ? BundleSimultaneous.Read(stream) : new BundleSimultaneous(),
        };
    }

    /// <summary>Writes <c>omnifusion.json</c>, with the paths of the parts relative to its folder.</summary>
    /// <param name="folder">The bundle's folder, which holds the parts; it is made when it is missing.</param>
    /// <exception cref="OmniFusionException">A part lies outside the folder, or the file cannot be written.</exception>
    public void Save(string folder)
    {
        JsonObject fusion = new() { ["mode"] = FusionMode, ["projection_depth"] = ProjectionDepth };
        if (FusionLayers is not null)
            fusion["layers"] = new JsonArray([.. FusionLayers.Select(layer => (JsonNode)layer)]);
        if (Gloss)
            fusion["gloss"] = true;
        JsonObject json = new()
        {
            ["mmfm"] = Relative(folder, Mmfm),
            ["translator"] = Relative(folder, Translator),
            ["adapter"] = Relative(folder, Adapter),
            ["fusion"] = fusion,
            ["image_size"] = new JsonArray(ImageWidth, ImageHeight),
            ["generation"] = Generation.ToJson(),
            ["prompt"] = Prompt,
            ["languages"] = new JsonArray([.. Languages.Select(code => (JsonNode)code)]),
        };
        if (Simultaneous.ToJson() is { Count: > 0 } stream)
            json["simultaneous"] = stream;
        if (TrainedSeconds is { } seconds)
            json["trained_seconds"] = seconds;
        if (Recognizer is not null)
            json["recognizer"] = Relative(folder, Recognizer);
        AtomicFile.MakeFolder(folder);
        AtomicFile.WriteText(Path.Combine(folder, FileName), json.ToJsonString(JsonStyle.Indented));
    }

    private static int[]? LayersOf(JsonSection? fusion, string mode)
    {
        int[]? layers = fusion?.IntsOrNull("layers");
        try
        {
            FusionLayer.CheckLayers(mode, layers);
            return layers;
        }
        catch (OmniFusionException error)
        {
            throw fusion!.Wrong("layers", $"cannot be used: {error.Message}");
        }
    }

    private static string Part(JsonSection json, string folder, string key, string missing, Predicate<string> exists)
    {
        string path = json.StringOrNull(key) ?? missing;
        // Bundles are passed on: one that reads files elsewhere would be a surprise.
        if (path.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(path) || !IsInside(folder, Path.Combine(folder, path)))
            throw json.Wrong(key, $"is '{path}', which is no path inside the bundle's folder");
        string full = Path.GetFullPath(Path.Combine(folder, path));
        return exists(full) ? full : throw json.Wrong(key, $"names {full}, which does not exist");
    }

    private static string Relative(string folder, string path) => IsInside(folder, path)
        ? Path.GetRelativePath(folder, path).Replace('\\', '/')
        : throw new OmniFusionException($"{path} lies outside the bundle's folder {folder}");

    private static bool IsInside(string folder, string path)
    {
        string relative = Path.GetRelativePath(folder, path);
        return relative.Split('/', '\\')[0] != ".." && !Path.IsPathRooted(relative);
    }

    private static string OneOf(JsonSection json, string key, string missing, IReadOnlyList<string> allowed) =>
        (json.StringOrNull(key) ?? missing) is { } value && allowed.Contains(value) ? value
            : throw json.Wrong(key, $"is none of {string.Join(", ", allowed)}");
}

/// <summary>Defaults of the search for the best translation.</summary>
public sealed record BundleGeneration
{
    /// <summary>Beams; 1 is greedy.</summary>
    public int NumBeams { get; init; } = 5;

    /// <summary>No sequence of so many ids appears twice; 0 allows all.</summary>
    public int NoRepeatNgramSize { get; init; } = 5;

    /// <summary>Most ids of a translation.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Exponent of the length by which a score is divided.</summary>
    public float LengthPenalty { get; init; } = 1;

    /// <summary>
    /// Whether recordings are translated with the thinker's own transcript beside the fused states (<c>chain_of_thought</c>); no part of the
    /// published file. A stream has a default of its own: none.
    /// </summary>
    public bool ChainOfThought { get; init; }

    internal static BundleGeneration Read(JsonSection json)
    {
        int ngram = json.IntOrNull("no_repeat_ngram_size") ?? 5;
        return new BundleGeneration
        {
            NumBeams = (json.SizeOrNull("num_beams") ?? 5) is int beams and <= 1024
                ? beams
                : throw json.Wrong("num_beams", "is beyond 1024"),
            NoRepeatNgramSize = ngram >= 0 ? ngram : throw json.Wrong("no_repeat_ngram_size", "is negative"),
            MaxNewTokens = (json.SizeOrNull("max_new_tokens") ?? 256) is int tokens and <= GenerationOptions.MostTokens
                ? tokens
                : throw json.Wrong("max_new_tokens", $"is beyond {GenerationOptions.MostTokens}"),
            LengthPenalty = json.FloatOrNull("length_penalty") ?? 1,
            ChainOfThought = json.BoolOrNull("chain_of_thought") ?? false,
        };
    }

    internal JsonObject ToJson()
    {
        JsonObject json = new()
        {
            ["num_beams"] = NumBeams,
            ["no_repeat_ngram_size"] = NoRepeatNgramSize,
            ["max_new_tokens"] = MaxNewTokens,
            ["length_penalty"] = LengthPenalty,
        };
        if (ChainOfThought)
            json["chain_of_thought"] = true;
        return json;
    }
}
