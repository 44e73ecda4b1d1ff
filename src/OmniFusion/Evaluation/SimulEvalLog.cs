using System.Text.Json;

namespace OmniFusion.Evaluation;

/// <summary>SimulEval's <c>instances.log</c>: one JSON object a sentence, times in milliseconds.</summary>
public static class SimulEvalLog
{
    /// <summary>Reads the sentences in the order of the file.</summary>
    /// <exception cref="OmniFusionException">The file cannot be read or is no such log; the message names the line.</exception>
    public static IReadOnlyList<LatencyInstance> Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        List<LatencyInstance> instances = [];
        JsonLines.Read(path, line => instances.Add(new LatencyInstance
        {
            Index = line.GetProperty("index").GetInt32(),
            Prediction = line.GetProperty("prediction").GetString() ?? "",
            Reference = line.TryGetProperty("reference", out JsonElement reference) ? reference.GetString() : null,
            SourceLength = line.GetProperty("source_length").GetDouble(),
            Delays = JsonLines.Doubles(line.GetProperty("delays")),
            Elapsed = line.TryGetProperty("elapsed", out JsonElement elapsed) ? JsonLines.Doubles(elapsed) : null,
        }));
        return instances;
    }
}
