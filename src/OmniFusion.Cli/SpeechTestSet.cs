using System.Text.Json;
using OmniFusion.Models;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary>Spoken sentences with what was said and its translation: a speech pack with two texts, or a manifest.</summary>
internal sealed class SpeechTestSet : IDisposable
{
    private readonly SpeechPack? _pack;
    private readonly Entry[] _entries;

    private SpeechTestSet(SpeechPack? pack, Entry[] entries) => (_pack, _entries) = (pack, entries);

    internal int Count => _entries.Length;

    internal IEnumerable<string> Texts => _entries.Select(entry => entry.Text);

    internal IEnumerable<string> Translations => _entries.Select(entry => entry.Translation);

    /// <summary>Opens a pack with the lines that it speaks and their translations.</summary>
    /// <exception cref="OmniFusionException">A file cannot be read, or they do not belong together.</exception>
    internal static SpeechTestSet OfPack(string packFile, string sourceFile, string targetFile, int? limit)
    {
        string[] source = TextFile.ReadLines("--source", sourceFile), target = TextFile.ReadLines("--target", targetFile);
        if (source.Length != target.Length)
            throw new OmniFusionException(
                $"{sourceFile} has {source.Length} lines and {targetFile} has {target.Length}, so they do not belong together.");
        SpeechPack pack = SpeechPack.Open(packFile);
        if (!pack.IsMadeFrom(source))
            throw new OmniFusionException($"{packFile} does not speak the lines of {sourceFile}.");
        Entry[] entries = [.. Enumerable.Range(0, pack.Count)
            .Where(i => pack.Items[i].SampleCount > 0)
            .Take(limit ?? int.MaxValue)
            .Select(i => new Entry(null, i, source[pack.Items[i].TextIndex], target[pack.Items[i].TextIndex]))];
        return entries.Length > 0 ? new SpeechTestSet(pack, entries) : throw new OmniFusionException($"{packFile} holds no speech.");
    }

    /// <summary>Reads a manifest: one object {"audio", "text", "translation"} a line, paths relative to it.</summary>
    /// <exception cref="OmniFusionException">It cannot be read, or a line lacks something.</exception>
    internal static SpeechTestSet OfManifest(string path, int? limit)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Entry[] entries = [.. TextFile.ReadLines("MANIFEST", path)
            .Select((line, i) => (line, i))
            .Where(item => !string.IsNullOrWhiteSpace(item.line))
            .Take(limit ?? int.MaxValue)
            .Select(item => Read(item.line, $"{path}, line {item.i + 1}", folder))];
        return entries.Length > 0 ? new SpeechTestSet(null, entries) : throw new OmniFusionException($"{path} holds no items.");
    }

    /// <summary>A request to translate an item's speech.</summary>
    internal TranslationRequest Request(int item, string language)
    {
        Entry entry = _entries[item];
        if (entry.Audio is not null)
            return new TranslationRequest { Audio = entry.Audio, TargetLanguage = language };
        float[] samples = new float[_pack!.Items[entry.PackItem].SampleCount];
        _pack.ReadSamples(entry.PackItem, samples);
        return new TranslationRequest { Samples = samples, TargetLanguage = language };
    }

    public void Dispose() => _pack?.Dispose();

    private static Entry Read(string line, string where, string folder)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            string[] values = [.. new[] { "audio", "text", "translation" }.Select(key =>
                json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(key, out JsonElement value)
                    && value.ValueKind == JsonValueKind.String ? value.GetString()!
                    : throw new OmniFusionException($"{where}: '{key}' is missing or not a string."))];
            return new Entry(Path.Combine(folder, values[0]), 0, values[1], values[2]);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new OmniFusionException($"{where}: it is not JSON: {error.Message}", error);
        }
    }

    private readonly record struct Entry(string? Audio, int PackItem, string Text, string Translation);
}
