using System.Text.Json;

namespace OmniFusion.Tests.Evaluation;

/// <summary>The texts and published scores of tests/goldens/cases/text_metrics.json.</summary>
internal sealed class TextGolden
{
    private readonly JsonElement _json;

    private TextGolden(JsonElement json) => _json = json;

    public static TextGolden Load() => new(Golden.Load("text_metrics").Json);

    public JsonElement Wer => _json.GetProperty("wer");

    public IEnumerable<JsonElement> Scores(string metric) => _json.GetProperty("scores").EnumerateArray()
        .Where(s => s.GetProperty("metric").GetString()!.StartsWith(metric, StringComparison.Ordinal));

    public (string[] Hypotheses, string[][] References) Data(JsonElement score)
    {
        string data = score.GetProperty("data").GetString()!;
        JsonElement source = data is "zh" or "ja" ? _json.GetProperty(data) : _json;
        string[][] references = [.. source.GetProperty("references").EnumerateArray().Select(Strings)];
        return (Strings(source.GetProperty("hypotheses")), data == "one reference" ? references[..1] : references);
    }

    // Everything but the name of the implementation.
    public static string Settings(string signature) => signature[..signature.IndexOf("|version:", StringComparison.Ordinal)];

    public static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetString()!)];

    public static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetDouble())];
}
