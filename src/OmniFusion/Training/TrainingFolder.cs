using OmniFusion.Checkpoints;

namespace OmniFusion.Training;

/// <summary>The work folder of a training, looked at before anything is opened or written, and held until it is over.</summary>
public sealed class TrainingFolder : IDisposable
{
    /// <summary>Its checkpoint: weights, moments and step counts.</summary>
    internal const string StateFile = "training.safetensors";

    // What every checkpoint writes of a thinker or a translator, and of a fusion.
    private static readonly string[] s_models = ["model.safetensors", Bundle.FileName];

    // The system lets go of it however the process ends.
    private readonly FileStream _lock;

    /// <summary>Looks at the folder, makes it when it is missing, and clears away what a killed training left unfinished.</summary>
    /// <param name="recipe">The training.</param>
    /// <param name="work">The folder.</param>
    /// <param name="resume">Whether to go on with its checkpoint, if there is one.</param>
    /// <param name="restart">Whether to start anew where there is a checkpoint or a model already, which is then lost.</param>
    /// <exception cref="OmniFusionException">The training would start anew over another, another is at work in the folder, or a folder cannot be used.</exception>
    public TrainingFolder(Recipe recipe, string work, bool resume, bool restart)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        string state = Path.Combine(work, StateFile);
        Resumes = resume && File.Exists(state);
        // The first checkpoint would write over what took hours.
        string? earlier = s_models.Select(name => Path.Combine(recipe.Output, name)).Prepend(state).FirstOrDefault(File.Exists);
        if (earlier is not null && !Resumes && !restart)
            throw new OmniFusionException(
                $"{earlier} is of an earlier training, which would be lost; {(resume ? "" : "--resume goes on with it, ")}--restart starts anew.");
        AtomicFile.MakeFolder(work);
        _lock = Lock(Path.Combine(work, "lock"));
        try
        {
            AtomicFile.Sweep(work);
            AtomicFile.Sweep(recipe.Output);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Dispose();
            throw new OmniFusionException($"The folders of the training cannot be used: {error.Message}", error);
        }
    }

    /// <summary>Whether the training goes on with a checkpoint.</summary>
    public bool Resumes { get; }

    /// <summary>Lets another training into the folder.</summary>
    public void Dispose() => _lock.Dispose();

    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Another training is at work, or {path} cannot be written: {error.Message}", error);
        }
    }
}
