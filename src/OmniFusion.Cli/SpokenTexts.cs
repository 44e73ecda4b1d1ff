using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary>A speech pack with the lines that it speaks and their translations.</summary>
/// <param name="Pack">The speech.</param>
/// <param name="Spoken">Its items that have any.</param>
/// <param name="Source">What it speaks.</param>
/// <param name="Targets">The translations, file by file.</param>
internal sealed record SpokenTexts(SpeechPack Pack, int[] Spoken, string[] Source, string[][] Targets)
{
    /// <exception cref="OmniFusionException">A file cannot be read, or they do not belong together.</exception>
    internal static SpokenTexts Open(string packFile, string sourceFile, IReadOnlyList<string> targetFiles)
    {
        string[] source = TextFile.ReadLines("--source", sourceFile);
        string[][] targets = [.. targetFiles.Select(file => TextFile.ReadLines("--target", file))];
        foreach ((string file, string[] lines) in targetFiles.Zip(targets))
            if (source.Length != lines.Length)
                throw new OmniFusionException(
                    $"{sourceFile} has {source.Length} lines and {file} has {lines.Length}, so they do not belong together.");
        SpeechPack pack = SpeechPack.Open(packFile);
        if (!pack.IsMadeFrom(source))
            throw new OmniFusionException($"{packFile} does not speak the lines of {sourceFile}.");
        int[] spoken = [.. Enumerable.Range(0, pack.Count).Where(i => pack.Items[i].SampleCount > 0)];
        return spoken.Length > 0 ? new SpokenTexts(pack, spoken, source, targets)
            : throw new OmniFusionException($"{packFile} holds no speech.");
    }
}
