using System.Text.Json;

namespace OmniFusion.Training;

/// <summary>What a line of a training's log says about its fusion.</summary>
/// <param name="Gates">Mean weight of each fused layer, which sum to 1; empty where there are no gates.</param>
/// <param name="GateEntropy">Mean entropy of a token's gates in nats, or null.</param>
/// <param name="Losses">Mean loss per token of each kind of example.</param>
internal sealed record TrainingFigures(IReadOnlyList<double> Gates, double? GateEntropy, IReadOnlyDictionary<string, double> Losses)
{
    private const string Tokens = "_tokens";

    /// <summary>Reads a line; null where it holds an evaluation or a warning.</summary>
    internal static TrainingFigures? Of(JsonElement line)
    {
        if (line.TryGetProperty("evaluation", out _) || line.TryGetProperty("warning", out _))
            return null;
        // The log has sums over the steps that had gates; older ones count the steps of a fusion that were not of text alone.
        double steps = Number(line, "gate_steps") ?? Number(line, "fused_steps") ?? 0;
        List<double> gates = [];
        while (steps > 0 && Number(line, $"gate_{gates.Count}") is { } sum)
            gates.Add(sum / steps);
        Dictionary<string, double> losses = [];
        foreach (JsonProperty figure in line.EnumerateObject())
            if (figure.Name.EndsWith(Tokens, StringComparison.Ordinal) && figure.Name[..^Tokens.Length] is { } kind
                && Number(line, figure.Name) is { } tokens and > 0 && Number(line, kind + "_loss") is { } loss)
                losses[kind] = loss / tokens;
        return new TrainingFigures(gates, gates.Count > 0 ? Number(line, "gate_entropy") / steps : null, losses);
    }

    private static double? Number(JsonElement line, string name) =>
        line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
