using System.Text.Json.Nodes;

namespace OmniFusion.Checkpoints;

/// <summary>What the configurations of the models check alike, so that a model never meets sizes that it cannot compute with.</summary>
internal static class ConfigChecks
{
    private const int MostLayers = 10_000;

    /// <summary>The file itself, or <c>config.json</c> of a folder.</summary>
    public static string FileOf(string path) => Directory.Exists(path) ? Path.Combine(path, "config.json") : path;

    public static JsonNode OneOrMany(IReadOnlyList<int> ids) =>
        ids.Count == 1 ? ids[0] : new JsonArray([.. ids.Select(id => (JsonNode)id)]);

    public static int Layers(this JsonSection json, string key) =>
        json.Size(key) is int layers and <= MostLayers ? layers : throw json.Wrong(key, $"is beyond {MostLayers}");

    public static float Positive(this JsonSection json, string key, float missing) =>
        (json.FloatOrNull(key) ?? missing) is float value and > 0 ? value : throw json.Wrong(key, "is not positive");

    public static int KeyValueHeads(this JsonSection json, int heads) =>
        json.Size("num_key_value_heads") is int groups && heads % groups == 0
            ? groups
            : throw json.Wrong("num_key_value_heads", $"does not divide the {heads} query heads");

    /// <summary>Width of a head: even, because rotary positions turn pairs.</summary>
    public static int HeadDim(this JsonSection json, int hidden, int heads)
    {
        if (!json.Has("head_dim"))
            return json.HeadWidth("hidden_size", hidden, heads, 2);
        return json.Size("head_dim") is int width && width % 2 == 0 ? width : throw json.Wrong("head_dim", "is odd");
    }

    public static int HeadWidth(this JsonSection json, string key, int hidden, int heads, int multiple) =>
        hidden % heads == 0 && hidden / heads % multiple == 0
            ? hidden / heads
            : throw json.Wrong(key, $"is {hidden}, which {heads} heads do not share in widths that are multiples of {multiple}");

    public static void RequireActivation(this JsonSection json, string expected, string key = "hidden_act")
    {
        if (json.StringOrNull(key) is { } found && found != expected)
            throw json.Wrong(key, $"is {found}; only {expected} is supported");
    }

    /// <summary>Refuses stretched rotary positions, which would silently give other numbers.</summary>
    public static void RequireDefaultRope(this JsonSection json)
    {
        if (json.SectionOrNull("rope_scaling") is not { } rope)
            return;
        foreach (string key in new[] { "rope_type", "type" })
            if (rope.StringOrNull(key) is { } type and not ("default" or "mrope"))
                throw rope.Wrong(key, $"is {type}; only default is supported");
    }

    /// <summary>The id of a token that has a row in the embedding.</summary>
    public static int Token(this JsonSection json, string key, int vocabulary) =>
        json.Int(key) is int id && id >= 0 && id < vocabulary
            ? id
            : throw json.Wrong(key, $"is {json.Int(key)}, no id of a vocabulary of {vocabulary}");

    public static int? TokenOrNull(this JsonSection json, string key, int vocabulary) => json.Has(key) ? json.Token(key, vocabulary) : null;
}
