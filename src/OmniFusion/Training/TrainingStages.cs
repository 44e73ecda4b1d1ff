namespace OmniFusion.Training;

/// <summary>The stages by the names that recipes use.</summary>
public static class TrainingStages
{
    private static readonly Dictionary<string, Func<Recipe, bool, TrainingTask>> s_stages = new()
    {
        ["recognizer"] = (recipe, resume) => new RecognizerTask(recipe, resume),
        ["translator"] = (recipe, resume) => new TranslatorTask(recipe, resume),
        ["fusion"] = (recipe, _) => new FusionTask(recipe),
    };

    internal static IEnumerable<string> Names => s_stages.Keys;

    /// <summary>Loads models and data for the recipe's stage.</summary>
    /// <param name="recipe">The training.</param>
    /// <param name="resume">Whether a checkpoint will be gone on with: a vocabulary that was learnt for it stays as it is.</param>
    /// <exception cref="OmniFusionException">There is no such stage, or its files cannot be used.</exception>
    public static TrainingTask Open(Recipe recipe, bool resume = false) =>
        s_stages.TryGetValue(recipe.Stage, out Func<Recipe, bool, TrainingTask>? open) ? open(recipe, resume)
        : throw new OmniFusionException($"There is no stage '{recipe.Stage}'; known are {string.Join(", ", Names)}.");
}
