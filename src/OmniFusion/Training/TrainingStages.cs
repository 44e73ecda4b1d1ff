namespace OmniFusion.Training;

/// <summary>The stages by the names that recipes use.</summary>
public static class TrainingStages
{
    /// <summary>Loads models and data for the recipe's stage.</summary>
    /// <exception cref="OmniFusionException">There is no such stage, or its files cannot be used.</exception>
    public static TrainingTask Open(Recipe recipe) => recipe.Stage switch
    {
        "recognizer" => new RecognizerTask(recipe),
        "translator" => new TranslatorTask(recipe),
        "fusion" => new FusionTask(recipe),
        _ => throw new OmniFusionException($"There is no stage '{recipe.Stage}'; known are recognizer, translator and fusion."),
    };
}
