using System.CommandLine;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion analyze</c>: instruments that show what the fusion does.</summary>
internal static class AnalyzeCommand
{
    internal static Command Create() => new("analyze", "Shows what the fusion of hidden states does.")
    {
        AnalyzeGatesCommand.Create(), AnalyzeLayersCommand.Create(), AnalyzePicturesCommand.Create(),
    };
}
