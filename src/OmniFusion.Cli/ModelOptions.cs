using System.CommandLine;
using OmniFusion.Models;
using OmniFusion.Tensors;

namespace OmniFusion.Cli;

/// <summary>The options that say which model to load.</summary>
internal sealed class ModelOptions
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Bundle: the folder with omnifusion.json (default: the model shipped with the command)",
        HelpName = "BUNDLE",
    };
    private readonly Option<string?> _mmfm = Folder("--mmfm", "Folder of a Qwen2.5-Omni checkpoint, instead of a bundle");
    private readonly Option<string?> _translator = Folder("--translator", "Folder of a Mistral translator");
    private readonly Option<string?> _adapter = Folder("--adapter", "Folder of the OmniFusion adapter");
    private readonly Option<int?> _threads = Options.Whole("--threads", "Threads to compute on (default: all cores)", 1, CpuKernels.MostThreads);

    internal void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _model, _mmfm, _translator, _adapter, _threads })
            command.Options.Add(option);
    }

    /// <summary>Loads the model.</summary>
    /// <param name="arguments">The options.</param>
    /// <param name="argument">The bundle, of a command that takes it as an argument.</param>
    /// <exception cref="UsageException">The options do not go together.</exception>
    /// <exception cref="OmniFusionException">The model cannot be loaded.</exception>
    internal OmniFusionModel Load(ParseResult arguments, string? argument = null)
    {
        string?[] parts = [arguments.GetValue(_mmfm), arguments.GetValue(_translator), arguments.GetValue(_adapter)];
        string? bundle = argument ?? arguments.GetValue(_model);
        if (argument is not null && arguments.GetValue(_model) is not null)
            throw new UsageException("BUNDLE and --model name the same thing: give one of them.");
        LoadOptions options = new() { Threads = arguments.GetValue(_threads) };
        if (parts.All(part => part is null))
            return OmniFusionModel.Load(bundle ?? ShippedModel(AppContext.BaseDirectory), options);
        if (bundle is not null)
            throw new UsageException("a bundle (--model) goes without --mmfm, --translator and --adapter: it holds all three.");
        return parts is [{ } mmfm, { } translator, { } adapter]
            ? OmniFusionModel.Load(mmfm, translator, adapter, options)
            : throw new UsageException("--mmfm, --translator and --adapter go together: give all three, or --model.");
    }

    /// <summary>What results call the model: the name of its folder.</summary>
    internal string Name(ParseResult arguments)
    {
        string? folder = arguments.GetValue(_model) ?? arguments.GetValue(_adapter);
        return folder is null ? "nano" : new DirectoryInfo(folder).Name;
    }

    /// <summary>The bundle's folder, or those of the three checkpoints.</summary>
    internal string Folders(ParseResult arguments, string? argument) => argument ?? arguments.GetValue(_model)
        ?? (arguments.GetValue(_mmfm) is not { } mmfm ? ShippedModel(AppContext.BaseDirectory)
            : $"{mmfm}, {arguments.GetValue(_translator)}, {arguments.GetValue(_adapter)}");

    /// <summary>The bundle that <c>--model</c> names, or null.</summary>
    internal string? BundleFolder(ParseResult arguments) => arguments.GetValue(_model);

    /// <summary>Threads that the model computes on.</summary>
    internal int Threads(ParseResult arguments) => arguments.GetValue(_threads) ?? Environment.ProcessorCount;

    /// <summary>The model that lies beside the command.</summary>
    internal static string ShippedModel(string commandFolder)
    {
        string folder = Path.Combine(commandFolder, "models", "nano");
        return Directory.Exists(folder) ? folder
            : throw new OmniFusionException($"No model is shipped with this command ({folder} does not exist); name one with --model.");
    }

    private static Option<string?> Folder(string name, string description) => new(name) { Description = description, HelpName = "DIR" };
}
