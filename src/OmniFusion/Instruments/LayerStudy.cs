using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Models.Fusion;
using OmniFusion.Training;

namespace OmniFusion.Instruments;

/// <summary>
/// Trains the same fusion once for each set of hidden states and compares what comes of it. Everything else is the same: data, order, seed
/// and steps. What is finished is kept in <c>results.jsonl</c>, and what is not goes on where it was stopped.
/// </summary>
public sealed class LayerStudy
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly Recipe _recipe;
    private readonly string _folder, _fingerprint;

    /// <summary>Prepares a study.</summary>
    /// <param name="recipe">A recipe of the stage fusion; its layers and its output are replaced.</param>
    /// <param name="folder">Receives the results and, in a folder for each set of layers, the models and logs.</param>
    /// <param name="steps">Steps of each training, in which rate rises and falls as in the recipe; null: the recipe's.</param>
    /// <exception cref="OmniFusionException">The recipe is of another stage.</exception>
    public LayerStudy(Recipe recipe, string folder, int? steps = null)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        if (recipe.Stage != "fusion")
            throw new OmniFusionException($"Layers are compared by a recipe of the stage fusion, not {recipe.Stage}.");
        _folder = folder;
        _recipe = Copy(recipe);
        _recipe.FusionLayers = null;
        if (steps is { } fewer)
        {
            double share = fewer / (double)recipe.Steps;
            (_recipe.Steps, _recipe.WarmupSteps, _recipe.DecaySteps) =
                (fewer, (int)Math.Round(recipe.WarmupSteps * share), (int)Math.Round(recipe.DecaySteps * share));
        }
        // Judged at the end alone.
        _recipe.EvaluateEvery = int.MaxValue;
        (_recipe.Output, _recipe.Threads) = ("", 0);
        _fingerprint = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(_recipe, s_json)))[..8];
        _recipe.Threads = recipe.Threads;
    }

    /// <summary>File with a line for each finished set of layers.</summary>
    public string ResultsFile => Path.Combine(_folder, "results.jsonl");

    /// <summary>Trains and judges what is not finished yet, and draws <c>layers.svg</c>.</summary>
    /// <param name="sets">The sets of layers, in the order of the table.</param>
    /// <param name="progress">Hears where each training stands.</param>
    /// <param name="cancellation">Stops after the present step.</param>
    /// <returns>A result for each set.</returns>
    /// <exception cref="OmniFusionException">A set cannot be fused, a file cannot be read or written, or a training fails.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop; the next run goes on from there.</exception>
    public IReadOnlyList<LayerResult> Run(
        IReadOnlyList<int[]> sets, Action<IReadOnlyList<int>, TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(sets);
        Check(sets);
        AtomicFile.MakeFolder(_folder);
        List<LayerResult> known = Known();
        foreach (int[] layers in sets)
        {
            if (Find(known, layers) is not null)
                continue;
            known.Add(Train(layers, progress, cancellation));
            AtomicFile.WriteText(ResultsFile, string.Concat(known.Select(result => JsonSerializer.Serialize(result, s_json) + "\n")));
        }
        LayerResult[] results = [.. sets.Select(layers => Find(known, layers)!)];
        AtomicFile.WriteText(Path.Combine(_folder, "layers.svg"), Draw(results));
        return results;
    }

    private LayerResult? Find(List<LayerResult> known, int[] layers) =>
        known.Find(result => result.Recipe == _fingerprint && result.Layers.SequenceEqual(layers));

    // All are looked at before the first is trained.
    private void Check(IReadOnlyList<int[]> sets)
    {
        string mmfm = _recipe.Mmfm ?? throw new OmniFusionException("A fusion recipe names the thinker's folder under 'mmfm'.");
        int most = OmniConfig.Load(Path.Combine(mmfm, "config.json")).TextConfig.NumHiddenLayers;
        if (sets.Count == 0)
            throw new OmniFusionException("There are no layers to compare.");
        foreach (int[] layers in sets)
        {
            FusionLayer.CheckLayers(_recipe.FusionMode, layers);
            if (layers.Max() > most)
                throw new OmniFusionException($"{mmfm} has the hidden states 0 to {most}, not {layers.Max()}.");
        }
    }

    private List<LayerResult> Known()
    {
        List<LayerResult> results = [];
        if (File.Exists(ResultsFile))
            JsonLines.Read(ResultsFile, line => results.Add(
                line.Deserialize<LayerResult>(s_json) is { Layers: not null, Quality: not null } result ? result
                    : throw new InvalidOperationException()));
        return results;
    }

    private LayerResult Train(int[] layers, Action<IReadOnlyList<int>, TrainingProgress>? progress, CancellationToken cancellation)
    {
        Recipe recipe = Copy(_recipe);
        recipe.FusionLayers = [.. layers];
        // A run by another recipe must not be taken up.
        recipe.Output = Path.Combine(_folder, $"{string.Join("-", layers)}-{_fingerprint}");
        string work = recipe.Output + ".work";
        using TrainingFolder folder = new(recipe, work, resume: true, restart: true);
        new Trainer(recipe, TrainingStages.Open(recipe), work).Run(folder.Resumes, report => progress?.Invoke(layers, report), cancellation);
        cancellation.ThrowIfCancellationRequested();
        return ReadLog(layers, Path.Combine(work, "log.jsonl"));
    }

    private LayerResult ReadLog(int[] layers, string path)
    {
        Dictionary<string, double> quality = [];
        double loss = 0, steps = 0, seconds = 0;
        JsonLines.Read(path, line =>
        {
            if (line.TryGetProperty("evaluation", out JsonElement figures))
                quality = figures.EnumerateObject().ToDictionary(figure => figure.Name, figure => figure.Value.GetDouble());
            if (line.TryGetProperty("seconds", out JsonElement taken))
                seconds += taken.GetDouble();
            if (line.GetProperty("step").GetInt32() > 0.75 * _recipe.Steps && line.TryGetProperty("fused_steps", out JsonElement fused))
                (loss, steps) = (loss + line.GetProperty("fused_loss").GetDouble(), steps + fused.GetDouble());
        });
        double mean = Math.Round(loss / Math.Max(1, steps), 5);
        return new LayerResult(layers, _recipe.Steps, _fingerprint, mean, Math.Round(seconds, 2), quality);
    }

    private static string Draw(LayerResult[] results)
    {
        SvgBars chart = new SvgBars("Quality by fused hidden states").Panel("validation");
        foreach (LayerResult result in results)
            foreach ((string name, double value) in result.Quality)
                chart.Bar(Name(result), name, value);
        chart.Panel("loss of the last quarter of the steps");
        foreach (LayerResult result in results)
            chart.Bar(Name(result), "loss", result.Loss);
        return chart.ToSvg();
    }

    private static string Name(LayerResult result) => string.Join(", ", result.Layers);

    private static Recipe Copy(Recipe recipe) => JsonSerializer.Deserialize<Recipe>(JsonSerializer.Serialize(recipe, s_json), s_json)!;
}
