using System.Text;
using System.Text.Json;
using OmniFusion.Checkpoints;

namespace OmniFusion.Cli;

/// <summary>A text that a system wrote, and what it took.</summary>
/// <param name="Text">The text.</param>
/// <param name="Seconds">Its share of the batch's time.</param>
internal sealed record TimedText(string Text, double Seconds);

/// <summary>The translations of an item into one language.</summary>
/// <param name="Text">By the translator, of what was really said.</param>
/// <param name="Cascade">By the translator, of what the recogniser wrote; with its time.</param>
/// <param name="Fused">By the whole system, of the speech.</param>
/// <param name="ChainOfThought">By the whole system, of the speech and what the recogniser wrote; with its time.</param>
internal sealed record SpeechTranslations(TimedText Text, TimedText Cascade, TimedText Fused, TimedText ChainOfThought);

/// <summary>What the systems wrote about an item.</summary>
/// <param name="Item">Its place in the set.</param>
/// <param name="Recognizer">What the thinker heard.</param>
/// <param name="Translations">By language code.</param>
/// <param name="Gloss">What the fused states say by themselves of the speech; null where there is no gloss, and beside a picture.</param>
internal sealed record SpeechResult(
    int Item, TimedText Recognizer, IReadOnlyDictionary<string, SpeechTranslations> Translations, string? Gloss = null);

/// <summary>What decides the results of an item. Only results of the same run may be added to.</summary>
/// <param name="Model">Name and digest.</param>
/// <param name="Set">Name and digest.</param>
/// <param name="Languages">Codes.</param>
/// <param name="Search">Beams and the like.</param>
/// <param name="Images">Which pictures.</param>
internal sealed record SpeechRunIdentity(string Model, string Set, string Languages, string Search, string Images);

/// <summary>
/// Results as they come, kept in a folder where one is named: <c>run.json</c> says what they are of, <c>items.jsonl</c> has one a line.
/// A run that was stopped goes on behind the last whole line.
/// </summary>
internal sealed class SpeechResults : IDisposable
{
    internal const string RunFile = "run.json", ItemsFile = "items.jsonl";

    private static readonly JsonSerializerOptions s_json = JsonSerializerOptions.Web;

    private readonly SortedDictionary<int, SpeechResult> _results = [];
    private readonly FileStream? _file;

    private SpeechResults(FileStream? file) => _file = file;

    /// <summary>All results by item.</summary>
    internal IReadOnlyDictionary<int, SpeechResult> ByItem => _results;

    /// <summary>Opens the folder, or keeps results in memory alone.</summary>
    /// <param name="folder">The folder, made when it is missing; or null.</param>
    /// <param name="identity">The run.</param>
    /// <exception cref="OmniFusionException">The folder cannot be used, or holds results of another run.</exception>
    internal static SpeechResults Open(string? folder, SpeechRunIdentity identity)
    {
        if (folder is null)
            return new SpeechResults(null);
        try
        {
            Directory.CreateDirectory(folder);
            string run = Path.Combine(folder, RunFile);
            if (File.Exists(run))
                CheckSame(folder, run, identity);
            else if (File.Exists(Path.Combine(folder, ItemsFile)))
                throw new OmniFusionException($"--output {folder} holds {ItemsFile} without {RunFile}, so nobody knows what it is of.");
            else
                AtomicFile.WriteText(run, JsonOutput.Indented(identity) + "\n");
            SpeechResults results = new(new FileStream(
                Path.Combine(folder, ItemsFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
            results.ReadWholeLines(identity.Languages.Split(','));
            return results;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"--output {folder} cannot be used: {error.Message}", error);
        }
    }

    /// <summary>Adds results; when this returns they are in the file.</summary>
    internal void Add(IReadOnlyList<SpeechResult> results)
    {
        foreach (SpeechResult result in results)
            _results[result.Item] = result;
        if (_file is null)
            return;
        try
        {
            _file.Write(Encoding.UTF8.GetBytes(string.Concat(results.Select(result => JsonOutput.Line(result) + "\n"))));
            _file.Flush();
        }
        catch (IOException error)
        {
            throw new OmniFusionException($"{_file.Name} cannot be written: {error.Message}", error);
        }
    }

    public void Dispose() => _file?.Dispose();

    private static void CheckSame(string folder, string run, SpeechRunIdentity identity)
    {
        SpeechRunIdentity? before;
        try
        {
            before = JsonSerializer.Deserialize<SpeechRunIdentity>(File.ReadAllText(run), s_json);
        }
        catch (JsonException error)
        {
            throw new OmniFusionException($"{run} is damaged: {error.Message}", error);
        }
        (string What, string? Before, string Now)[] parts =
        [
            ("model", before?.Model, identity.Model), ("set", before?.Set, identity.Set),
            ("languages", before?.Languages, identity.Languages), ("search", before?.Search, identity.Search),
            ("images", before?.Images, identity.Images),
        ];
        foreach ((string what, string? old, string now) in parts)
            if (old != now)
                throw new OmniFusionException(
                    $"--output {folder} holds results of another run: its {what} was {old ?? "unknown"} and now is {now}; "
                    + "name another folder.");
    }

    private void ReadWholeLines(string[] languages)
    {
        byte[] bytes = new byte[_file!.Length];
        _file.ReadExactly(bytes);
        int whole = bytes.AsSpan().LastIndexOf((byte)'\n') + 1, number = 0;
        foreach (string line in Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            number++;
            try
            {
                SpeechResult? result = JsonSerializer.Deserialize<SpeechResult>(line, s_json);
                if (result is not { Item: >= 0, Recognizer.Text: not null, Translations: not null }
                    || !languages.All(language => result.Translations.TryGetValue(language, out SpeechTranslations? texts)
                        && texts is { Text.Text: not null, Cascade.Text: not null, Fused.Text: not null, ChainOfThought.Text: not null }))
                    throw new OmniFusionException($"{_file.Name}, line {number}: it lacks something.");
                _results[result.Item] = result;
            }
            catch (JsonException error)
            {
                throw new OmniFusionException($"{_file.Name}, line {number}: it is no result: {error.Message}", error);
            }
        }
        // A line that was being written when the run was stopped is written again.
        _file.SetLength(whole);
        _file.Position = whole;
    }
}
