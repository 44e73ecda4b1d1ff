using OmniFusion.Models;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary>What gates are looked at for: the lines of a manifest, the recordings of a pack, or one input.</summary>
internal sealed class GateInputs : IDisposable
{
    private readonly SpeechPack? _pack;
    private readonly int[] _packItems;
    private readonly (string? Audio, string? Image, string? Text)[] _entries;

    private GateInputs(SpeechPack? pack, int[] packItems, (string? Audio, string? Image, string? Text)[] entries) =>
        (_pack, _packItems, _entries) = (pack, packItems, entries);

    internal int Count => _pack is null ? _entries.Length : _packItems.Length;

    internal static GateInputs OfOne(string? audio, string? image, string? text) => new(null, [], [(audio, image, text)]);

    /// <exception cref="OmniFusionException">The pack cannot be read or holds no speech.</exception>
    internal static GateInputs OfPack(string path, int? limit)
    {
        SpeechPack pack = SpeechPack.Open(path);
        int[] items = [.. Enumerable.Range(0, pack.Count).Where(i => pack.Items[i].SampleCount > 0).Take(limit ?? int.MaxValue)];
        return items.Length > 0 ? new GateInputs(pack, items, []) : throw new OmniFusionException($"{path} holds no speech.");
    }

    /// <summary>Reads a manifest: one object a line, paths relative to it; keys of other programs are skipped.</summary>
    /// <exception cref="OmniFusionException">It cannot be read, or a line names neither a recording nor an image.</exception>
    internal static GateInputs OfManifest(string path, int? limit)
    {
        (string?, string?, string?)[] entries = ManifestLine.ReadAll("MANIFEST", path, Read, limit: limit);
        return new GateInputs(null, [], entries);
    }

    internal TranslationRequest Request(int item, string language)
    {
        if (_pack is null)
        {
            (string? audio, string? image, string? text) = _entries[item];
            return new TranslationRequest { Audio = audio, Image = image, Text = text, TargetLanguage = language };
        }
        return new TranslationRequest { Samples = _pack.ReadSamples(_packItems[item]), TargetLanguage = language };
    }

    public void Dispose() => _pack?.Dispose();

    private static (string? Audio, string? Image, string? Text) Read(ManifestLine line)
    {
        (string? audio, string? image) = (line.File("audio"), line.File("image"));
        if (audio is null && image is null)
            throw line.Bad("it names neither 'audio' nor 'image'");
        // Manifests of test sets have the transcript there, which is no input.
        return (audio, image, audio is null ? line.Text("text") : null);
    }
}
