using System.Text.Json;

namespace OmniFusion.Evaluation;

/// <summary>simulstream's JSONL log: what was put out and taken back after each chunk of audio; times in seconds.</summary>
public static class SimulstreamLog
{
    /// <summary>
    /// Rebuilds the final text of each recording, in the order of the log. A word that was taken back does not count, and a word that
    /// grew or changed gets the time of its last change.
    /// </summary>
    /// <param name="path">The log.</param>
    /// <param name="unit">What a delay belongs to.</param>
    /// <param name="detokenize">Tokens to text; null for SentencePiece tokens, whose mark of a space is U+2581.</param>
    /// <exception cref="OmniFusionException">The file cannot be read or is no such log; the message names the line.</exception>
    public static IReadOnlyList<StreamOutput> Read(string path, LatencyUnit unit = LatencyUnit.Word,
        Func<IReadOnlyList<string>, string>? detokenize = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        detokenize ??= tokens => PythonText.Trim(string.Concat(tokens).Replace('\u2581', ' '));
        Dictionary<string, Recording> byId = [];
        List<Recording> inOrder = [];
        JsonLines.Read(path, line =>
        {
            if (!line.TryGetProperty("id", out JsonElement id))
                return;
            if (line.TryGetProperty("metadata", out JsonElement metadata))
            {
                string name = Path.GetFileNameWithoutExtension(metadata.GetProperty("wav_name").GetString() ?? "");
                Recording? known = inOrder.Find(r => r.Name == name);
                if (known is null)
                    inOrder.Add(known = new Recording(name, unit, detokenize));
                byId[id.GetRawText()] = known;
                return;
            }
            if (!byId.TryGetValue(id.GetRawText(), out Recording? recording))
                throw new OmniFusionException($"no recording was announced for the id {id.GetRawText()}.");
            double audio = line.GetProperty("total_audio_processed").GetDouble();
            recording.Take(audio, line.GetProperty("computation_time").GetDouble(),
                JsonLines.Strings(line.GetProperty("deleted_tokens")), JsonLines.Strings(line.GetProperty("generated_tokens")));
        });
        return [.. inOrder.Where(r => r.HasOutput).Select(r => r.Output())];
    }

    private sealed class Recording(string name, LatencyUnit unit, Func<IReadOnlyList<string>, string> detokenize)
    {
        private readonly List<string> _tokens = [];
        private readonly List<double> _ideal = [], _aware = [];
        private string[] _units = [];
        private int _deleted;
        private double _audio, _computation;

        public string Name => name;

        public bool HasOutput { get; private set; }

        public void Take(double audio, double computation, string[] deleted, string[] generated)
        {
            HasOutput = true;
            _audio = audio;
            _computation += computation;
            if (deleted.Length > 0)
            {
                if (deleted.Length > _tokens.Count || !_tokens.Skip(_tokens.Count - deleted.Length).SequenceEqual(deleted))
                    throw new OmniFusionException($"the deleted tokens of {name} are not the last ones that were put out.");
                _deleted += StreamOutput.Units(detokenize(deleted), unit).Length;
                _tokens.RemoveRange(_tokens.Count - deleted.Length, deleted.Length);
                Update(audio, audio + computation);
            }
            _tokens.AddRange(generated);
            Update(audio, audio + computation);
        }

        public StreamOutput Output() => new()
        {
            Name = name,
            Text = detokenize(_tokens),
            IdealDelays = _ideal,
            ComputationAwareDelays = _aware,
            DeletedUnits = _deleted,
            AudioSeconds = _audio,
            ComputationSeconds = _computation,
        };

        private void Update(double ideal, double aware)
        {
            string[] before = _units;
            _units = StreamOutput.Units(detokenize(_tokens), unit);
            Resize(_ideal, ideal);
            Resize(_aware, aware);
            int common = Math.Min(before.Length, _units.Length) - 1;
            if (unit == LatencyUnit.Word && common >= 0 && before[common] != _units[common])
                (_ideal[common], _aware[common]) = (ideal, aware);
        }

        private void Resize(List<double> delays, double added)
        {
            if (delays.Count > _units.Length)
                delays.RemoveRange(_units.Length, delays.Count - _units.Length);
            while (delays.Count < _units.Length)
                delays.Add(added);
        }
    }
}
