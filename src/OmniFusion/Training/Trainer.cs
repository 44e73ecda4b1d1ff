using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Training;

/// <summary>Where a training stands; what a progress bar shows.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Loss">Mean loss since the last report.</param>
/// <param name="StepsPerSecond">Rate since the last report.</param>
/// <param name="Message">A line for the reader, or null.</param>
public readonly record struct TrainingProgress(int Step, int Steps, double Loss, double StepsPerSecond, string? Message);

/// <summary>
/// The training loop: loss, backward, clip, AdamW; a log line every few steps, an evaluation now and then, a checkpoint every few minutes. A run
/// that is interrupted continues with the same losses as one that was not.
/// </summary>
public sealed class Trainer
{
    private const string StateFile = "training.safetensors";

    private readonly Recipe _recipe;
    private readonly TrainingTask _task;
    private readonly Compute _compute;
    private readonly Optimizer _optimizer;
    private readonly string _workFolder;

    /// <summary>Prepares a training.</summary>
    /// <param name="recipe">Steps, rates and intervals.</param>
    /// <param name="task">What is trained.</param>
    /// <param name="workFolder">Receives the log, the plot and the checkpoints for resuming.</param>
    public Trainer(Recipe recipe, TrainingTask task, string workFolder)
    {
        _recipe = recipe;
        _task = task;
        _workFolder = workFolder;
        _compute = new Compute(recipe.Threads == 0 ? null : new CpuKernels(recipe.Threads));
        _optimizer = new Optimizer(_compute.Kernels, task.Parameters);
        AtomicFile.MakeFolder(workFolder);
    }

    private string StatePath => Path.Combine(_workFolder, StateFile);

    private string LogPath => Path.Combine(_workFolder, "log.jsonl");

    /// <summary>Trains until the recipe's last step or until cancelled; either way a checkpoint and the model are written at the end.</summary>
    /// <param name="resume">Continue from the last checkpoint; without one there, start anew.</param>
    /// <param name="progress">Hears of every log line.</param>
    /// <param name="cancellation">Stops after the present step.</param>
    public void Run(bool resume, Action<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (resume && File.Exists(StatePath))
            Restore();
        else if (File.Exists(LogPath))
            File.Delete(LogPath);
        Dictionary<string, double> sums = [];
        Stopwatch clock = Stopwatch.StartNew(), sinceLog = Stopwatch.StartNew(), sinceCheckpoint = Stopwatch.StartNew();
        int logged = _optimizer.Steps;
        while (_optimizer.Steps < _recipe.Steps && !cancellation.IsCancellationRequested)
        {
            int step = _optimizer.Steps + 1;
            double loss = Step(step, sums);
            if (!double.IsFinite(loss))
                throw new OmniFusionException($"The loss of step {step} is not a number; the last checkpoint is that of {StatePath}.");
            bool evaluates = step % _recipe.EvaluateEvery == 0 || step == _recipe.Steps;
            if (step % _recipe.LogEvery == 0 || evaluates)
            {
                double rate = (step - logged) / sinceLog.Elapsed.TotalSeconds;
                Log(step, sums, step - logged, rate, sinceLog.Elapsed.TotalSeconds);
                progress?.Invoke(new TrainingProgress(step, _recipe.Steps, sums["loss"] / (step - logged), rate, null));
                logged = step;
                sums.Clear();
                sinceLog.Restart();
            }
            if (evaluates)
            {
                IReadOnlyDictionary<string, double> quality = Evaluate(step, cancellation);
                progress?.Invoke(new TrainingProgress(step, _recipe.Steps, loss, 0,
                    $"step {step}: " + string.Join(", ", quality.Select(item => string.Create(CultureInfo.InvariantCulture, $"{item.Key} {item.Value:0.###}")))));
                sinceLog.Restart();
            }
            if (sinceCheckpoint.Elapsed.TotalMinutes >= _recipe.CheckpointMinutes)
            {
                Checkpoint();
                sinceCheckpoint.Restart();
            }
        }
        Checkpoint();
    }

    private double Step(int step, Dictionary<string, double> sums)
    {
        _compute.Arena.Reset();
        _compute.Tape = new Tape();
        _compute.DropoutRandom = new Random(unchecked(_recipe.Seed * 31 + step));
        Tensor loss = _task.Loss(_compute, step, sums);
        double value = loss.Span[0];
        _compute.Backward(loss);
        _compute.Tape = null;
        _compute.DropoutRandom = null;
        AdamWOptions options = new(_recipe.RateAt(step), WeightDecay: _recipe.WeightDecay);
        double norm = _optimizer.Step(options, _recipe.ClipNorm, RateFactor);
        Count(sums, "loss", value);
        Count(sums, "gradient_norm", norm);
        return value + (double.IsFinite(norm) ? 0 : norm);
    }

    private float RateFactor(string name) =>
        _recipe.RateFactors.Where(item => name.StartsWith(item.Key, StringComparison.Ordinal)).Select(item => item.Value).FirstOrDefault(1);

    private IReadOnlyDictionary<string, double> Evaluate(int step, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, double> quality = _task.Evaluate(_compute, cancellation);
        JsonObject line = new() { ["step"] = step, ["evaluation"] = new JsonObject(quality.Select(Rounded)) };
        File.AppendAllText(LogPath, line.ToJsonString() + "\n");
        TrainingPlot.Write(LogPath, Path.Combine(_workFolder, "log.svg"), _recipe.Stage);
        return quality;
    }

    private void Log(int step, Dictionary<string, double> sums, int steps, double rate, double seconds)
    {
        JsonObject line = new() { ["step"] = step, ["rate"] = _recipe.RateAt(step), ["steps_per_second"] = Math.Round(rate, 3), ["seconds"] = Math.Round(seconds, 2) };
        foreach ((string name, double sum) in sums)
            // Counts are totals, losses are means.
            line[name.TrimStart('#')] = Math.Round(name.StartsWith('#') ? sum : sum / steps, 5);
        File.AppendAllText(LogPath, line.ToJsonString() + "\n");
    }

    private static KeyValuePair<string, JsonNode?> Rounded(KeyValuePair<string, double> item) => new(item.Key, Math.Round(item.Value, 5));

    private static void Count(IDictionary<string, double> sums, string name, double value) =>
        sums[name] = (sums.TryGetValue(name, out double sum) ? sum : 0) + value;

    private void Checkpoint()
    {
        Dictionary<string, string> metadata = new()
        {
            ["steps"] = _optimizer.Steps.ToString(CultureInfo.InvariantCulture),
            ["step_counts"] = JsonSerializer.Serialize(_optimizer.StepCounts),
        };
        SafeTensorsWriter.Write(StatePath, _optimizer.State, metadata);
        _task.Save(_recipe.Output);
    }

    private void Restore()
    {
        SafeTensorsFile file = SafeTensorsFile.Open(StatePath);
        foreach ((string name, Tensor tensor) in _optimizer.State)
        {
            if (!file.Has(name) || file.Tensor(name).Shape != tensor.Shape)
                throw new OmniFusionException($"{StatePath} has no '{name}' of shape {tensor.Shape}, so it belongs to another recipe.");
            file.Tensor(name).Span.CopyTo(tensor.Span);
        }
        _optimizer.Steps = int.Parse(file.Metadata["steps"], CultureInfo.InvariantCulture);
        _optimizer.StepCounts = JsonSerializer.Deserialize<Dictionary<string, int>>(file.Metadata["step_counts"])!;
    }
}
