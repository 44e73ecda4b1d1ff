using System.Text;
using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Media;

namespace OmniFusion.Evaluation;

/// <summary>A sentence of a talk with its translations.</summary>
/// <param name="Text">What is said.</param>
/// <param name="Translations">By language code.</param>
/// <param name="Start">Seconds from the start of the recording.</param>
/// <param name="End">Seconds from the start of the recording, after <paramref name="Start"/>.</param>
public sealed record TalkSentence(string Text, IReadOnlyDictionary<string, string> Translations, double Start, double End);

/// <summary>A talk.</summary>
/// <param name="Audio">Its file, relative to the manifest.</param>
/// <param name="Sentences">In order.</param>
public sealed record Talk(string Audio, IReadOnlyList<TalkSentence> Sentences);

/// <summary>
/// A file with one recording a line:
/// <c>{"audio", "sentences": [{"text", "translations": {"de": ...}, "start", "end"}, ...]}</c>, times in seconds, paths relative to the
/// file; or a single sentence without times, <c>{"audio", "text", "translation"}</c>. Where there is but one language,
/// <c>"translation"</c> may stand for <c>"translations"</c> in a talk, too. What is seen: <c>"image"</c>, from the start, or
/// <c>"images": [{"image", "at"}, ...]</c>, each from its time on, nothing from one whose image is null.
/// </summary>
public static class TalkManifest
{
    /// <summary>Reads the recordings with their translations into one language.</summary>
    /// <param name="path">The manifest.</param>
    /// <param name="language">Code of the language.</param>
    /// <param name="limit">The first recordings only; null for all.</param>
    /// <exception cref="OmniFusionException">It cannot be read, or a line lacks something; the message names it.</exception>
    public static IReadOnlyList<SpokenRecording> Read(string path, string language, int? limit = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(language);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        List<SpokenRecording> recordings = [];
        HashSet<string> names = [];
        JsonLines.Read(path, line =>
        {
            if (recordings.Count >= (limit ?? int.MaxValue))
                return;
            string audio = Text(line, "audio");
            IReadOnlyList<SpokenSentence> sentences = Member(line, "sentences") is { } list
                ? Sentences(list, language)
                : [new SpokenSentence(Text(line, "text"), Translation(line, language), 0, null)];
            string file = Path.Combine(folder, audio), name = Path.GetFileNameWithoutExtension(audio);
            if (!File.Exists(file))
                throw new OmniFusionException($"the recording {file} does not exist.");
            SpokenImage[] images = Images(line, folder);
            if (images.FirstOrDefault(image => image.Path is not null && !File.Exists(image.Path)) is { } missing)
                throw new OmniFusionException($"the image {missing.Path} does not exist.");
            for (int copy = 2; !names.Add(name); copy++)
                name = $"{Path.GetFileNameWithoutExtension(audio)}-{copy}";
            recordings.Add(new SpokenRecording(name, sentences, cancellation => AudioFile.ReadMono16k(file, cancellation)) { Images = images });
        });
        return recordings.Count > 0 ? recordings : throw new OmniFusionException($"{path} holds no recordings.");
    }

    /// <summary>Writes talks.</summary>
    /// <exception cref="OmniFusionException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<Talk> talks)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(talks);
        StringBuilder lines = new();
        foreach (Talk talk in talks)
            lines.Append(JsonLines.Line(new
            {
                audio = talk.Audio,
                sentences = talk.Sentences.Select(s => new { text = s.Text, translations = s.Translations, start = s.Start, end = s.End }),
            }));
        AtomicFile.WriteText(path, lines.ToString());
    }

    private static SpokenSentence[] Sentences(JsonElement list, string language)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            throw new OmniFusionException("'sentences' is no list, or an empty one.");
        SpokenSentence[] sentences = [.. list.EnumerateArray().Select(sentence => new SpokenSentence(
            Text(sentence, "text"), Translation(sentence, language), Time(sentence, "start"), Time(sentence, "end")))];
        double before = 0;
        foreach (SpokenSentence sentence in sentences)
        {
            if (!(sentence.Start >= before && sentence.End > sentence.Start))
                throw new OmniFusionException(
                    $"a sentence lies from {sentence.Start} to {sentence.End} seconds, which is not behind the one before it.");
            before = sentence.Start;
        }
        return sentences;
    }

    private static SpokenImage[] Images(JsonElement line, string folder)
    {
        if (Member(line, "images") is not { } list)
            return Member(line, "image") is null ? [] : [new SpokenImage(Path.Combine(folder, Text(line, "image")), 0)];
        if (Member(line, "image") is not null)
            throw new OmniFusionException("it has both 'image' and 'images'.");
        if (list.ValueKind != JsonValueKind.Array)
            throw new OmniFusionException("'images' is no list.");
        SpokenImage[] images = [.. list.EnumerateArray().Select(image => new SpokenImage(
            Member(image, "image") is null ? null : Path.Combine(folder, Text(image, "image")), Time(image, "at")))];
        return images.Zip(images.Skip(1)).Any(pair => pair.Second.Seconds <= pair.First.Seconds)
            ? throw new OmniFusionException("'images' are not in the order of their times.") : images;
    }

    private static string Translation(JsonElement item, string language)
    {
        string text = Member(item, "translations") is { } translations
            ? Member(translations, language) is { ValueKind: JsonValueKind.String } value ? value.GetString()!
                : throw new OmniFusionException($"'translations' has no '{language}'.")
            : Text(item, "translation");
        return string.IsNullOrWhiteSpace(text) ? throw new OmniFusionException("a translation is empty.") : text.Trim();
    }

    private static JsonElement? Member(JsonElement item, string key) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? value : null;

    private static string Text(JsonElement item, string key) => Member(item, key) is { ValueKind: JsonValueKind.String } value
        ? value.GetString()! : throw new OmniFusionException($"'{key}' is missing or not a string.");

    private static double Time(JsonElement item, string key) =>
        Member(item, key) is { ValueKind: JsonValueKind.Number } value && value.GetDouble() is >= 0 and var time && double.IsFinite(time)
            ? time : throw new OmniFusionException($"'{key}' is missing or not a time in seconds.");
}
