using System.CommandLine;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate</c>: scores on test sets.</summary>
internal static class EvaluateCommand
{
    internal static Command Create() => new("evaluate", "Scores texts, or a model on a test set.")
    {
        EvaluateTextCommand.Create(),
        EvaluateContrastiveCommand.Create(),
        EvaluateSpeechCommand.Create(),
        EvaluateAblateCommand.Create(),
        SimultaneousCommand.Create((model, system) => system.Create(model)),
        CurvesCommand.Create((model, system) => system.Create(model)),
        EvaluateSuiteCommand.Create(),
    };
}
