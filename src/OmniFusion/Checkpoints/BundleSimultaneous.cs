using System.Text.Json.Nodes;

namespace OmniFusion.Checkpoints;

/// <summary>Defaults of simultaneous translation (<c>simultaneous</c>); what is null is as the library says.</summary>
public sealed record BundleSimultaneous
{
    private const int Most = 1 << 16;

    /// <summary>Policy as the command line writes it (<c>policy</c>), such as <c>local-agreement:2</c>.</summary>
    public string? Policy { get; init; }

    /// <summary>Seconds of audio between two steps (<c>chunk_seconds</c>).</summary>
    public double? ChunkSeconds { get; init; }

    /// <summary>Seconds of silence that end a segment (<c>pause_seconds</c>).</summary>
    public double? PauseSeconds { get; init; }

    /// <summary>Seconds of silence that end a segment whose sentence is complete (<c>sentence_pause_seconds</c>).</summary>
    public double? SentencePauseSeconds { get; init; }

    /// <summary>Longest segment in seconds (<c>max_segment_seconds</c>).</summary>
    public double? MaxSegmentSeconds { get; init; }

    /// <summary>
    /// Attention heads of the translator that follow the speech when it writes from fused states (<c>heads</c>): layer and head, from 0.
    /// </summary>
    public IReadOnlyList<(int Layer, int Head)>? Heads { get; init; }

    /// <summary>Heads of the thinker that follow the speech when it transcribes (<c>recognizer_heads</c>).</summary>
    public IReadOnlyList<(int Layer, int Head)>? RecognizerHeads { get; init; }

    /// <summary>Heads of the translator that follow a sentence when it translates text (<c>text_heads</c>).</summary>
    public IReadOnlyList<(int Layer, int Head)>? TextHeads { get; init; }

    /// <summary>What a bundle's folder says already, or nothing where there is no bundle yet.</summary>
    /// <exception cref="OmniFusionException">The bundle's file is damaged.</exception>
    internal static BundleSimultaneous Of(string folder)
    {
        string file = Path.Combine(folder, Bundle.FileName);
        return File.Exists(file) && JsonSection.Open(file).SectionOrNull("simultaneous") is { } section ? Read(section) : new BundleSimultaneous();
    }

    internal static BundleSimultaneous Read(JsonSection json) => new()
    {
        Policy = json.StringOrNull("policy"),
        ChunkSeconds = json.DoubleOrNull("chunk_seconds"),
        PauseSeconds = json.DoubleOrNull("pause_seconds"),
        SentencePauseSeconds = json.DoubleOrNull("sentence_pause_seconds"),
        MaxSegmentSeconds = json.DoubleOrNull("max_segment_seconds"),
        Heads = ReadHeads(json, "heads"),
        RecognizerHeads = ReadHeads(json, "recognizer_heads"),
        TextHeads = ReadHeads(json, "text_heads"),
    };

    /// <summary>Writes what is set here into a bundle's file; everything else in it stays as it is.</summary>
    /// <param name="folderOrFile">The bundle's folder or its <c>omnifusion.json</c>.</param>
    /// <exception cref="OmniFusionException">It is no bundle, or cannot be written.</exception>
    public void SaveInto(string folderOrFile)
    {
        string file = Directory.Exists(folderOrFile) ? Path.Combine(folderOrFile, Bundle.FileName) : folderOrFile;
        // Tells in one sentence what is wrong with the file; what is right may be edited.
        Bundle.Load(file);
        try
        {
            JsonObject bundle = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
            JsonObject section = bundle["simultaneous"]?.AsObject() ?? [];
            foreach ((string key, JsonNode? value) in ToJson())
                section[key] = value!.DeepClone();
            bundle["simultaneous"] ??= section;
            AtomicFile.WriteText(file, bundle.ToJsonString(JsonStyle.Indented));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{file} cannot be read: {e.Message}", e);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or ArgumentException)
        {
            throw new OmniFusionException($"{file} cannot be edited: {e.Message}", e);
        }
    }

    internal JsonObject ToJson()
    {
        JsonObject json = [];
        if (Policy is not null)
            json["policy"] = Policy;
        foreach ((string key, double? value) in new[]
            {
                ("chunk_seconds", ChunkSeconds), ("pause_seconds", PauseSeconds), ("sentence_pause_seconds", SentencePauseSeconds),
                ("max_segment_seconds", MaxSegmentSeconds),
            })
            if (value is { } seconds)
                json[key] = seconds;
        foreach ((string key, IReadOnlyList<(int Layer, int Head)>? value) in new[]
            { ("heads", Heads), ("recognizer_heads", RecognizerHeads), ("text_heads", TextHeads) })
            if (value is not null)
                json[key] = new JsonArray([.. value.SelectMany(head => new[] { head.Layer, head.Head }).Select(n => (JsonNode)n)]);
        return json;
    }

    // [layer, head, layer, head, ...]
    private static (int, int)[]? ReadHeads(JsonSection json, string key)
    {
        int[]? numbers = json.IntsOrNull(key);
        if (numbers is not null && (numbers.Length % 2 != 0 || numbers.Length == 0 || numbers.Any(n => n is < 0 or > Most)))
            throw json.Wrong(key, "is not a list of layer, head, layer, head, ... from 0");
        return numbers is null ? null : [.. numbers.Chunk(2).Select(pair => (pair[0], pair[1]))];
    }
}
