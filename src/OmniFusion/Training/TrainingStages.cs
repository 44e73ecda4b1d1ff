namespace OmniFusion.Training;

/// <summary>The stages by the names that recipes use.</summary>
public static class TrainingStages
{
    private static readonly Dictionary<string, Func<Recipe, TrainingTask>> s_stages = new()
    {
        ["recognizer"] = recipe => new RecognizerTask(recipe),
        ["translator"] = recipe => new TranslatorTask(recipe),
        ["fusion"] = recipe => new FusionTask(recipe),
    };

    internal static IEnumerable<string> Names => s_stages.Keys;

    /// <summary>Loads models and data for the recipe's stage.</summary>
    /// <exception cref="OmniFusionException">There is no such stage, or its files cannot be used.</exception>
    public static TrainingTask Open(Recipe recipe) => s_stages.TryGetValue(recipe.Stage, out Func<Recipe, TrainingTask>? open) ? open(recipe)
        : throw new OmniFusionException($"There is no stage '{recipe.Stage}'; known are {string.Join(", ", Names)}.");
}
