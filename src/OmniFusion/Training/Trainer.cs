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
/// <param name="Loss">Mean loss since the last report; not a number beside an evaluation.</param>
/// <param name="StepsPerSecond">Rate since the last report.</param>
/// <param name="Message">A line for the reader, or null.</param>
public readonly record struct TrainingProgress(int Step, int Steps, double Loss, double StepsPerSecond, string? Message);

/// <summary>
/// The training loop: loss, backward, clip, AdamW; a log line every few steps, an evaluation now and then, a checkpoint every few minutes,
/// and a warning where the fusion degenerates.
/// A run that is interrupted and resumed computes the same steps as one that was not.
/// </summary>
public sealed class Trainer
{
    private readonly Recipe _recipe;
    private readonly TrainingTask _task;
    private readonly Compute _compute;
    private readonly Optimizer _optimizer;
    private readonly GradientWatch _watch;
    private readonly string _workFolder;
    private TrainingMonitor _monitor = new(new MonitorLimits());

    // Whether the log has the evaluation of the step that a resumed run goes on from.
    private bool _evaluated;

    /// <summary>Prepares a training.</summary>
    /// <param name="recipe">Steps, rates and intervals.</param>
    /// <param name="task">What is trained.</param>
    /// <param name="workFolder">
    /// Receives <c>log.jsonl</c> (one object a line), <c>log.svg</c>, and the checkpoint for resuming, <c>training.safetensors</c>.
    /// </param>
    /// <exception cref="OmniFusionException">A rate factor is of no parameter, or the folder cannot be made.</exception>
    public Trainer(Recipe recipe, TrainingTask task, string workFolder)
    {
        _recipe = recipe;
        _task = task;
        _workFolder = workFolder;
        _compute = new Compute(recipe.Threads == 0 ? null : new CpuKernels(recipe.Threads));
        if (recipe.RateFactors.Keys.FirstOrDefault(key => key.Length == 0 || !task.Parameters.Keys.Any(name => Fits(name, key))) is { } idle)
            throw new OmniFusionException($"'rate_factors' has '{idle}', with which no parameter of this training begins.");
        ILookup<bool, KeyValuePair<string, Tensor>> parameters = task.Parameters.ToLookup(item => RateFactor(item.Key) > 0);
        foreach ((_, Tensor constant) in parameters[false])
            constant.Freeze();
        Dictionary<string, Tensor> trained = parameters[true].ToDictionary(item => item.Key, item => item.Value);
        _optimizer = new Optimizer(_compute.Kernels, trained);
        _watch = new GradientWatch(_compute, trained);
        AtomicFile.MakeFolder(workFolder);
    }

    /// <summary>When the log gets a warning.</summary>
    internal MonitorLimits Limits { get; init; } = new();

    private string StatePath => Path.Combine(_workFolder, TrainingFolder.StateFile);

    private string LogPath => Path.Combine(_workFolder, "log.jsonl");

    /// <summary>Trains until the recipe's last step or until cancelled; either way a checkpoint and the model are written.</summary>
    /// <param name="resume">Continue from the last checkpoint; without one there, start anew.</param>
    /// <param name="progress">Hears of every log line and every evaluation.</param>
    /// <param name="cancellation">Stops after the present step or within an evaluation, which is then left out.</param>
    /// <exception cref="OmniFusionException">
    /// The checkpoint belongs to another recipe, the loss is no longer a number, or a file cannot be written.
    /// </exception>
    public void Run(bool resume, Action<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        try
        {
            if (resume && File.Exists(StatePath))
                Restore();
            else
                // It is of another run, which nobody goes on with.
                File.Delete(StatePath);
            KeepLogUntil(_optimizer.Steps);
            // The last run may have been stopped within it.
            if (Evaluates(_optimizer.Steps) && !_evaluated)
                Evaluate(_optimizer.Steps, progress, cancellation);
            Train(progress, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Evaluations are broken off; the step before is done and worth keeping.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"The training cannot go on in {_workFolder}: {error.Message}", error);
        }
        Checkpoint();
    }

    private void Train(Action<TrainingProgress>? progress, CancellationToken cancellation)
    {
        Dictionary<string, double> sums = [];
        Stopwatch sinceLog = Stopwatch.StartNew(), sinceCheckpoint = Stopwatch.StartNew();
        int logged = _optimizer.Steps;
        while (_optimizer.Steps < _recipe.Steps && !cancellation.IsCancellationRequested)
        {
            int step = _optimizer.Steps + 1;
            double loss = Step(step, sums);
            if (!double.IsFinite(loss))
                throw new OmniFusionException($"The loss of step {step} is not a number; "
                    + (File.Exists(StatePath) ? $"the last checkpoint is that of {StatePath}." : "there is no checkpoint yet."));
            bool evaluates = Evaluates(step);
            if (step % _recipe.LogEvery == 0 || evaluates)
            {
                double seconds = sinceLog.Elapsed.TotalSeconds, rate = (step - logged) / seconds;
                string line = Log(step, sums, step - logged, rate, seconds);
                progress?.Invoke(new TrainingProgress(step, _recipe.Steps, sums["loss"] / (step - logged), rate, null));
                foreach (string warning in Warnings(line))
                {
                    Append(new JsonObject { ["step"] = step, ["warning"] = warning });
                    progress?.Invoke(new TrainingProgress(step, _recipe.Steps, loss, 0, $"step {step}: warning: {warning}"));
                }
                logged = step;
                sums.Clear();
                sinceLog.Restart();
            }
            if (evaluates)
            {
                Evaluate(step, progress, cancellation);
                sinceLog.Restart();
            }
            if (sinceCheckpoint.Elapsed.TotalMinutes >= _recipe.CheckpointMinutes)
            {
                Checkpoint();
                sinceCheckpoint.Restart();
            }
        }
    }

    private double Step(int step, Dictionary<string, double> sums)
    {
        if (_recipe.WatchEvery > 0 && step % _recipe.WatchEvery == 0)
            _watch.Measure(_task.PartialLosses(step), sums);
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
        sums.Tally("loss", value);
        sums.Tally("gradient_norm", norm);
        foreach ((string group, double part) in _optimizer.GroupNorms.Where(item => item.Value > 0))
            sums.Sample("gradient_norm_" + group, part);
        // A gradient that is not finite makes the step one that is not, whatever its loss.
        return double.IsFinite(norm) ? value : norm;
    }

    private float RateFactor(string name) =>
        _recipe.RateFactors.Where(item => Fits(name, item.Key)).Select(item => item.Value).FirstOrDefault(1);

    private static bool Fits(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);

    private bool Evaluates(int step) => step > 0 && (step % _recipe.EvaluateEvery == 0 || step == _recipe.Steps);

    private void Evaluate(int step, Action<TrainingProgress>? progress, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, double> quality = _task.Evaluate(_compute, step, cancellation);
        JsonObject line = new() { ["step"] = step, ["evaluation"] = new JsonObject(quality.Where(item => double.IsFinite(item.Value)).Select(Rounded)) };
        Append(line);
        Draw();
        string figures = string.Join(", ", quality.Select(item => string.Create(CultureInfo.InvariantCulture, $"{item.Key} {item.Value:0.###}")));
        progress?.Invoke(new TrainingProgress(step, _recipe.Steps, double.NaN, 0, $"step {step}: {figures}"));
    }

    private void Draw() => TrainingPlot.Write(LogPath, Path.Combine(_workFolder, "log.svg"), _recipe.Stage);

    private string Log(int step, Dictionary<string, double> sums, int steps, double rate, double seconds)
    {
        JsonObject line = new()
        {
            ["step"] = step, ["rate"] = _recipe.RateAt(step), ["steps_per_second"] = Math.Round(rate, 3),
            ["seconds"] = Math.Round(seconds, 2),
        };
        foreach ((string name, double value) in TrainingReport.Figures(sums, steps))
            line[name] = Math.Round(value, 5);
        return Append(line);
    }

    private string Append(JsonObject entry)
    {
        string line = entry.ToJsonString();
        File.AppendAllText(LogPath, line + "\n");
        return line;
    }

    // The line is read back as a resumed training will read it.
    private IReadOnlyList<string> Warnings(string line)
    {
        using JsonDocument entry = JsonDocument.Parse(line);
        return TrainingFigures.Of(entry.RootElement) is { } figures ? _monitor.Read(figures) : [];
    }

    private static KeyValuePair<string, JsonNode?> Rounded(KeyValuePair<string, double> item) => new(item.Key, Math.Round(item.Value, 5));

    // Steps after the checkpoint will be done again, and a last line may be torn: neither may stay in the log.
    private void KeepLogUntil(int steps)
    {
        _monitor = new TrainingMonitor(Limits);
        if (!File.Exists(LogPath))
            return;
        string[] lines = [.. File.ReadLines(LogPath).Where(line => StepOf(line) <= steps)];
        AtomicFile.WriteText(LogPath, string.Concat(lines.Select(line => line + "\n")));
        // What there was to warn of stands in the log already.
        foreach (string line in lines)
            Warnings(line);
        _evaluated = lines.Any(line => StepOf(line) == steps && JsonNode.Parse(line)!["evaluation"] is not null);
    }

    private static int StepOf(string line)
    {
        try
        {
            return JsonNode.Parse(line) is JsonObject entry && entry["step"] is JsonValue step ? step.GetValue<int>() : int.MaxValue;
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            return int.MaxValue;
        }
    }

    // What makes the run what it is; how long it is, and how often it is looked at, may change on the way.
    private Dictionary<string, string> Identity => new()
    {
        ["stage"] = _recipe.Stage, ["seed"] = Invariant($"{_recipe.Seed}"), ["batch_seconds"] = Invariant($"{_recipe.BatchSeconds}"),
        ["batch_tokens"] = Invariant($"{_recipe.BatchTokens}"), ["data"] = _task.DataSizes,
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Checkpoint()
    {
        Dictionary<string, string> metadata = new(Identity)
        {
            ["steps"] = _optimizer.Steps.ToString(CultureInfo.InvariantCulture),
            ["step_counts"] = JsonSerializer.Serialize(_optimizer.StepCounts),
        };
        SafeTensorsWriter.Write(StatePath, _optimizer.State, metadata);
        _task.Save(_recipe.Output);
        if (File.Exists(LogPath))
            Draw();
    }

    private void Restore()
    {
        SafeTensorsFile file = SafeTensorsFile.Open(StatePath);
        (string Name, Tensor Tensor)[] state = [.. _optimizer.State];
        // All is compared before anything is taken.
        foreach ((string name, Tensor tensor) in state)
            if (file.Entry(name) is not { Type: "F32" } entry || !entry.Sizes.SequenceEqual(SizesOf(tensor)))
                throw new OmniFusionException($"{StatePath} has no '{name}' of shape {tensor.Shape}, so it belongs to another recipe.");
        if (file.Entries.Count != state.Length)
            throw new OmniFusionException($"{StatePath} has more than {state.Length} tensors, so it belongs to another recipe.");
        // Older checkpoints do not tell it.
        foreach ((string key, string value) in Identity)
            if (file.Metadata.TryGetValue(key, out string? before) && before != value)
                throw new OmniFusionException($"{StatePath} is of another recipe: '{key}' was {before} and now is {value}.");
        (int steps, Dictionary<string, int> counts) = StepsIn(file);
        foreach ((string name, Tensor tensor) in state)
            file.Tensor(name).Span.CopyTo(tensor.Span);
        // A span does not keep the file open that it shows.
        GC.KeepAlive(file);
        _optimizer.Steps = steps;
        _optimizer.StepCounts = counts;
    }

    private static IEnumerable<long> SizesOf(Tensor tensor) =>
        Enumerable.Range(0, tensor.Shape.Rank).Select(axis => (long)tensor.Shape[axis]);

    private (int Steps, Dictionary<string, int> Counts) StepsIn(SafeTensorsFile file)
    {
        try
        {
            return (int.Parse(file.Metadata["steps"], NumberStyles.None, CultureInfo.InvariantCulture),
                JsonSerializer.Deserialize<Dictionary<string, int>>(file.Metadata["step_counts"])!);
        }
        catch (Exception error) when (error is KeyNotFoundException or FormatException or OverflowException or JsonException)
        {
            throw new OmniFusionException($"{StatePath} does not say how many steps were done: it is no checkpoint of a training.", error);
        }
    }
}
