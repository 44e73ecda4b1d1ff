using System.Text;
using System.Text.Json;
using OmniFusion.Checkpoints;

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

    /// <summary>Writes sentences as SimulEval does.</summary>
    /// <param name="path">The log; what stood there is replaced.</param>
    /// <param name="instances">Times in milliseconds; SimulEval's <c>elapsed</c> is <see cref="ComputationModel.Cumulative"/>.</param>
    /// <exception cref="OmniFusionException">The file cannot be written, or a time is not finite.</exception>
    public static void Write(string path, IReadOnlyList<LatencyInstance> instances)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(instances);
        StringBuilder log = new();
        foreach (LatencyInstance instance in instances)
        {
            if (!instance.Delays.Concat(instance.Elapsed ?? []).Append(instance.SourceLength).All(double.IsFinite))
                throw new OmniFusionException($"Sentence {instance.Index} has a time that is not a finite number.");
            log.Append(JsonLines.Line(new
            {
                index = instance.Index, prediction = instance.Prediction, delays = instance.Delays, elapsed = instance.Elapsed ?? [],
                prediction_length = instance.Delays.Count, reference = instance.Reference,
                source = instance.Source is null ? Array.Empty<string>() : [instance.Source], source_length = instance.SourceLength,
            }));
        }
        AtomicFile.WriteText(path, log.ToString());
    }
}
