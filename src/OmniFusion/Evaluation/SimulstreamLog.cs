using System.Text;
using System.Text.Json;
using OmniFusion.Checkpoints;

namespace OmniFusion.Evaluation;

/// <summary>simulstream's JSONL log: what was put out and taken back after each chunk of audio; times in seconds.</summary>
public static class SimulstreamLog
{
    /// <summary>
    /// Rebuilds the final text of each recording, in the order of the log; one that was announced and has no steps has none. A word that
    /// was taken back does not count, and a word that grew or changed gets the time of its last change.
    /// </summary>
    /// <param name="path">The log.</param>
    /// <param name="unit">What a delay belongs to.</param>
    /// <param name="detokenize">Tokens to text; null for SentencePiece tokens, whose mark of a space is U+2581.</param>
    /// <param name="model">How computation counts; simulstream's own scores are <see cref="ComputationModel.PerStep"/>.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or is no such log; the message names the line.</exception>
    public static IReadOnlyList<StreamOutput> Read(string path, LatencyUnit unit = LatencyUnit.Word,
        Func<IReadOnlyList<string>, string>? detokenize = null, ComputationModel model = ComputationModel.PerStep)
    {
        ArgumentNullException.ThrowIfNull(path);
        Dictionary<string, StreamAssembly> byId = [], byName = [];
        List<StreamAssembly> inOrder = [];
        JsonLines.Read(path, line =>
        {
            if (!line.TryGetProperty("id", out JsonElement id))
                return;
            if (line.TryGetProperty("metadata", out JsonElement metadata))
            {
                string name = Path.GetFileNameWithoutExtension(metadata.GetProperty("wav_name").GetString() ?? "");
                if (!byName.TryGetValue(name, out StreamAssembly? known))
                {
                    byName[name] = known = new StreamAssembly(name, unit, model, detokenize ?? JoinPieces);
                    inOrder.Add(known);
                }
                byId[id.GetRawText()] = known;
                return;
            }
            if (!byId.TryGetValue(id.GetRawText(), out StreamAssembly? recording))
                throw new OmniFusionException($"no recording was announced for the id {id.GetRawText()}.");
            recording.Take(line.GetProperty("total_audio_processed").GetDouble(), line.GetProperty("computation_time").GetDouble(),
                JsonLines.Strings(line.GetProperty("deleted_tokens")), JsonLines.Strings(line.GetProperty("generated_tokens")));
        });
        return [.. inOrder.Select(recording => recording.Output())];
    }

    /// <summary>
    /// Writes runs as simulstream logs them, a line for each step; its tokens are words with U+2581 for the space before them.
    /// </summary>
    /// <exception cref="OmniFusionException">The file cannot be written, or a run took back more than it had put out.</exception>
    public static void Write(string path, IReadOnlyList<SimultaneousRecord> records)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(records);
        StringBuilder log = new();
        for (int id = 0; id < records.Count; id++)
        {
            log.Append(JsonLines.Line(new { id, metadata = new { wav_name = records[id].Name + ".wav" } }));
            foreach (RecordedPieces step in records[id].Pieces())
                log.Append(JsonLines.Line(new
                {
                    id, total_audio_processed = step.AudioSeconds, computation_time = step.ComputationSeconds,
                    generated_tokens = step.Generated, deleted_tokens = step.Deleted,
                }));
        }
        AtomicFile.WriteText(path, log.ToString());
    }

    internal static string JoinPieces(IReadOnlyList<string> pieces) => PythonText.Trim(string.Concat(pieces).Replace('\u2581', ' '));
}
