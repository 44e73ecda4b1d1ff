using System.Text.Json;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>A recording of somebody who speaks a line.</summary>
/// <param name="Audio">Path of the recording.</param>
/// <param name="Text">What is said.</param>
/// <param name="Speaker">Who says it.</param>
public sealed record Recording(string Audio, string Text, string Speaker);

/// <summary>Makes a <see cref="SpeechPack"/> of real recordings: its lines are what they say, one after the other.</summary>
public static class RecordedPack
{
    // As in synthesised packs: the silence on either side.
    private const int Silence = SpeechPack.SampleRate * 15 / 100;
    private const int MaxSeconds = 30;

    /// <summary>Reads a manifest: one object {"audio", "text", "speaker"} a line, paths relative to it; the speaker may be left out.</summary>
    /// <exception cref="OmniFusionException">It cannot be read or is empty, or a line lacks something.</exception>
    public static IReadOnlyList<Recording> ReadManifest(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Recording[] recordings =
        [
            .. TextLines.ReadAsWritten(path).Select((line, i) => (line, i)).Where(item => !string.IsNullOrWhiteSpace(item.line))
                .Select(item => Read(item.line, $"{path}, line {item.i + 1}", folder)),
        ];
        return recordings.Length > 0 ? recordings : throw new OmniFusionException($"{path} names no recording.");
    }

    /// <summary>Writes a new pack, under another name first, so that a broken-off write leaves none.</summary>
    /// <param name="path">The pack; its index is written beside it.</param>
    /// <param name="recordings">What goes into it; not empty.</param>
    /// <param name="progress">Called with the number of recordings done.</param>
    /// <param name="cancellation">Checked for each recording.</param>
    /// <exception cref="OmniFusionException">A recording cannot be read, or the pack exists or cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public static void Build(
        string path, IReadOnlyList<Recording> recordings, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        ArgumentOutOfRangeException.ThrowIfZero(recordings.Count);
        string index = SpeechPackIndex.PathFor(path), draft = path + ".draft", draftIndex = SpeechPackIndex.PathFor(draft);
        if (File.Exists(path) || File.Exists(index))
            throw new OmniFusionException($"{path} exists: remove it and {index} first.");
        try
        {
            Remove();
            Fill(draft, recordings, progress, cancellation);
            File.Move(draft, path);
            File.Move(draftIndex, index);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot write the speech pack {path}: {error.Message}", error);
        }
        finally
        {
            Remove();
        }

        void Remove()
        {
            if (Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(draft))))
            {
                File.Delete(draft);
                File.Delete(draftIndex);
            }
        }
    }

    private static void Fill(string path, IReadOnlyList<Recording> recordings, Action<int>? progress, CancellationToken cancellation)
    {
        string[] speakers = [.. recordings.Select(recording => recording.Speaker).Distinct()];
        string[] lines = [.. recordings.Select(recording => recording.Text)];
        SpeechPackHeader header = new(SpeechPack.SampleRate, 0, lines.Length, SpeechPackHeader.HashText(lines), speakers);
        using SpeechPackWriter writer = SpeechPackWriter.Open(path, header, resume: false);
        for (int i = 0; i < recordings.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            float[] samples = AudioFile.ReadMono16k(recordings[i].Audio, MaxSeconds, cancellation);
            writer.Append(i, 0, recordings[i].Speaker, RecordedSpeech.Trim(RecordedSpeech.Round(samples), Silence, Silence));
            progress?.Invoke(i + 1);
        }
    }

    private static Recording Read(string line, string where, string folder)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            string? Value(string key) => json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            return new Recording(
                Path.Combine(folder, Value("audio") ?? throw new OmniFusionException($"{where}: 'audio' is missing or not a string.")),
                Value("text") ?? throw new OmniFusionException($"{where}: 'text' is missing or not a string."),
                Value("speaker") ?? "unknown");
        }
        catch (JsonException error)
        {
            throw new OmniFusionException($"{where}: it is not JSON.", error);
        }
        catch (InvalidOperationException error)
        {
            throw new OmniFusionException($"{where}: it holds broken Unicode.", error);
        }
    }
}
