using System.Text;
using System.Text.Json;
using OmniFusion.Checkpoints;

namespace OmniFusion.Evaluation;

/// <summary>SimulEval's <c>instances.log</c>: one JSON object a sentence, times in milliseconds.</summary>
public static class SimulEvalLog
{
    private const double Rounding = 1e-6;

    /// <summary>Reads the sentences in the order of the file.</summary>
    /// <param name="path">The log.</param>
    /// <param name="unit">What a delay belongs to.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or is no such log; the message names the line.</exception>
    public static IReadOnlyList<LatencyInstance> Read(string path, LatencyUnit unit = LatencyUnit.Word)
    {
        ArgumentNullException.ThrowIfNull(path);
        List<LatencyInstance> instances = [];
        HashSet<int> indexes = [];
        JsonLines.Read(path, line =>
        {
            LatencyInstance instance = new()
            {
                Index = line.GetProperty("index").GetInt32(),
                Prediction = line.GetProperty("prediction").GetString() ?? "",
                Reference = line.TryGetProperty("reference", out JsonElement reference) ? reference.GetString() : null,
                SourceLength = line.GetProperty("source_length").GetDouble(),
                Delays = JsonLines.Doubles(line.GetProperty("delays")),
                Elapsed = line.TryGetProperty("elapsed", out JsonElement elapsed) && elapsed.ValueKind != JsonValueKind.Null
                    ? JsonLines.Doubles(elapsed) : null,
            };
            if (!indexes.Add(instance.Index))
                throw new OmniFusionException($"the index {instance.Index} stands there twice.");
            Check(instance, unit);
            instances.Add(instance);
        });
        return instances;
    }

    private static void Check(LatencyInstance instance, LatencyUnit unit)
    {
        IReadOnlyList<double> delays = instance.Delays;
        double[] elapsed = [.. instance.Elapsed ?? []];
        if (!delays.Concat(elapsed).Append(instance.SourceLength).All(double.IsFinite))
            throw new OmniFusionException("a time is not a finite number.");
        string[] units = StreamOutput.Units(instance.Prediction, unit);
        // SimulEval's characters are those between the spaces; other programs count the spaces as well.
        if (delays.Count != units.Length && (unit == LatencyUnit.Word || delays.Count != units.Count(text => !string.IsNullOrWhiteSpace(text))))
            throw new OmniFusionException(
                $"there are {delays.Count} delays for {units.Length} {(unit == LatencyUnit.Word ? "words" : "characters")}.");
        for (int i = 1; i < delays.Count; i++)
            if (delays[i] < delays[i - 1])
                throw new OmniFusionException($"the delay {delays[i]} comes after {delays[i - 1]}, which cannot be.");
        if (elapsed.Length == 0)
            return;
        if (elapsed.Length != delays.Count)
            throw new OmniFusionException($"there are {elapsed.Length} times with computation for {delays.Count} delays.");
        for (int i = 0; i < elapsed.Length; i++)
            if (elapsed[i] < delays[i] - Rounding)
                throw new OmniFusionException($"with computation a word is out at {elapsed[i]}, before the {delays[i]} that were heard.");
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
