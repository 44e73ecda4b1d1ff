using System.CommandLine;
using System.Globalization;
using OmniFusion.Training;
using Spectre.Console;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion train RECIPE</c>: runs one stage of a training.</summary>
internal static class TrainCommand
{
    internal static Command Create()
    {
        Argument<string> recipe = new("RECIPE") { Description = "The YAML file that says what to train, on what, and for how long." };
        Option<bool> resume = new("--resume") { Description = "Continue from the last checkpoint, if there is one." };
        Option<bool> restart = new("--restart") { Description = "Start anew where there is a checkpoint or a model already, which is lost." };
        Option<string[]> set = new("--set") { Description = "NAME=VALUE for ${NAME} in the recipe, such as the folder of the data.", HelpName = "NAME=VALUE" };
        Option<string> work = new("--work")
        {
            Description = "Folder for the log, the plot and the checkpoints (default: the output folder with .work behind it).", HelpName = "DIR",
        };
        Command command = new("train", "Trains a recogniser, a translator or their fusion.") { recipe, resume, restart, set, work };
        command.SetAction((parsed, cancellation) => Task.Run(() => Train(
            parsed.GetValue(recipe)!, parsed.GetValue(resume), parsed.GetValue(restart), parsed.GetValue(set) ?? [], parsed.GetValue(work), cancellation)));
        return command;
    }

    private static int Train(string path, bool resume, bool restart, string[] settings, string? workFolder, CancellationToken cancellation)
    {
        if (resume && restart)
            throw new UsageException("--resume and --restart do not go together.");
        Recipe recipe = Recipe.Load(path, Variables(settings));
        string work = workFolder ?? recipe.Output.TrimEnd('/') + ".work";
        using TrainingFolder folder = new(recipe, work, resume, restart);
        Trainer trainer = new(recipe, TrainingStages.Open(recipe, folder.Resumes), work);
        if (Console.IsErrorRedirected)
            trainer.Run(folder.Resumes, Print, cancellation);
        else
            Draw(trainer, recipe, folder.Resumes, cancellation);
        return cancellation.IsCancellationRequested ? CommandRunner.Cancelled : 0;
    }

    /// <summary>The values of <c>--set</c>.</summary>
    /// <exception cref="UsageException">One of them is not NAME=VALUE.</exception>
    internal static Dictionary<string, string> Variables(string[] settings)
    {
        Dictionary<string, string> variables = [];
        foreach (string setting in settings)
        {
            int equals = setting.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
                throw new UsageException($"--set wants NAME=VALUE, not '{setting}'");
            variables[setting[..equals]] = setting[(equals + 1)..];
        }
        return variables;
    }

    private static void Print(TrainingProgress progress) => Console.Error.WriteLine(Line(progress));

    /// <summary>Where a training stands, in words.</summary>
    internal static string Line(TrainingProgress progress)
    {
        TimeSpan left = progress.StepsPerSecond > 0 ? TimeSpan.FromSeconds((progress.Steps - progress.Step) / progress.StepsPerSecond) : default;
        return progress.Message ?? string.Create(CultureInfo.InvariantCulture,
            $"step {progress.Step}/{progress.Steps}, loss {progress.Loss:0.000}, {progress.StepsPerSecond:0.00} steps/s, "
            + $"{(int)left.TotalHours:00}:{left:mm\\:ss} left");
    }

    private static void Draw(Trainer trainer, Recipe recipe, bool resume, CancellationToken cancellation)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
        {
            ProgressTask bar = context.AddTask(recipe.Stage, maxValue: recipe.Steps);
            trainer.Run(resume, progress =>
            {
                bar.Value = progress.Step;
                if (progress.Message is { } message)
                    console.MarkupLineInterpolated($"{message}");
                else
                    bar.Description = string.Create(CultureInfo.InvariantCulture, $"{recipe.Stage} loss {progress.Loss:0.000}, {progress.StepsPerSecond:0.00} steps/s");
            }, cancellation);
        });
    }
}
