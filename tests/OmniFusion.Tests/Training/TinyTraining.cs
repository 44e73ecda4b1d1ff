using System.Text.Json.Nodes;
using OmniFusion.Tests.Checkpoints;
using OmniFusion.Training;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

/// <summary>
/// A folder with a few sentences, their translations and tones that stand for speech, and recipes for models of a few thousand parameters.
/// </summary>
public sealed class TinyTraining : IDisposable
{
    private const string Model = """
        model:
          vocabulary: 330
          vocabulary_text: ["${out}/en.txt", "${out}/de.txt"]
          hidden_size: 16
          layers: 2
          heads: 2
          kv_heads: 1
          intermediate_size: 24
          audio_size: 16
          audio_layers: 1
          audio_heads: 2
          audio_ffn: 32

        """;

    private static readonly string[] s_who = ["a man", "a girl", "two dogs", "the cat"];
    private static readonly string[] s_wer = ["ein Mann", "ein Kind", "zwei Hunde", "die Katze"];
    private static readonly string[] s_what = ["runs", "sits", "plays", "jumps"], s_was = ["rennt", "sitzt", "spielt", "springt"];
    private static readonly string[] s_where = ["here", "outside"], s_wo = ["hier", "im Freien"];

    private readonly TemporaryFolder _folder = new();

    public TinyTraining()
    {
        string[] english = Sentences(s_who, s_what, s_where);
        // The blank at the end is of the kind that corpora have; a pack knows its text with it.
        english[3] += " ";
        _folder.Write("en.txt", string.Join('\n', english));
        _folder.Write("de.txt", string.Join('\n', Sentences(s_wer, s_was, s_wo)));
        MakePack("en.pack", english);
    }

    public string this[string name] => _folder[name];

    /// <summary>Writes a recipe and loads it; later lines of <paramref name="changes"/> replace earlier ones of the same key.</summary>
    public Recipe Recipe(string stage, string output, string changes = "", bool pictures = false)
    {
        Dictionary<string, string> lines = [];
        foreach (string line in $"""
            stage: {stage}
            output: {_folder[output]}
            seed: 3
            threads: 1
            steps: 8
            warmup_steps: 2
            learning_rate: 0.01
            dropout: 0.1
            batch_seconds: 5
            batch_tokens: 120
            text_every: 3
            log_every: 1
            evaluate_every: 100
            evaluate_items: 4
            checkpoint_minutes: 100
            mmfm: {_folder["omni"]}
            translator: {_folder["translator"]}
            {changes}
            """.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            lines[line.Split(':')[0]] = line;
        string data = $$"""

            data:
              source: {{_folder["en.txt"]}}
              targets: { de: "{{_folder["de.txt"]}}" }
              speech: {{_folder["en.pack"]}}
              validation_source: {{_folder["en.txt"]}}
              validation_targets: { de: "{{_folder["de.txt"]}}" }
              validation_speech: {{_folder["en.pack"]}}

            """;
        string eyes = pictures ? "  vision_size: 16\n  vision_layers: 1\n  vision_heads: 2\n  vision_ffn: 24\n" : "";
        string path = _folder.Write(
            $"{output}.yaml", string.Join('\n', lines.Values) + data + (pictures ? MakePictures() : "") + Model.TrimEnd() + "\n" + eyes);
        return OmniFusion.Training.Recipe.Load(path, new Dictionary<string, string> { ["out"] = _folder.Path });
    }

    // Pictograms, an ambiguous word, and the part of a recipe that learns from them.
    private string MakePictures()
    {
        string pictograms = _folder["pictograms.pack"], corpus = _folder["ambiguity"];
        if (!File.Exists(pictograms))
        {
            foreach ((string maker, byte level) in new[] { ("one", (byte)40), ("two", (byte)200) })
                PictogramMaker.MakePackage(_folder["node_modules"], maker, level);
            PictogramPackBuilder.Build(_folder["node_modules"], ["one", "two"], pictograms);
            _folder.Write("ambiguity/words-all.jsonl", """
                {"word":"bat","kind":"noun","split":"mixed","readings":["animal","hand"],"pictures":[["1f987"],["1f44b"]]}
                """);
            string[] english = [.. Enumerable.Range(0, 6).Select(i => $"the {s_what[i % 4]} bat {s_where[i % 2]} {i}")];
            _folder.Write("ambiguity/sentences-all.jsonl", string.Join('\n', english.Select((line, i) =>
                $$"""{"word":"bat","split":"{{(i < 4 ? "train" : "test")}}","en":"{{line}}","de":["Tier {{i}}","Hand {{i}}"],"fr":["a","b"],"cs":["a","b"]}""")));
            MakePack("ambiguity.pack", english);
        }
        return $$"""
              pictures: { pictograms: "{{pictograms}}", makers: [one], share: 0.4, scenes: 12, written: 8 }
              ambiguity: { corpus: "{{corpus}}", speech: "{{_folder["ambiguity.pack"]}}", repeat: 2 }
              further: [ { source: "{{_folder["en.txt"]}}", targets: { de: "{{_folder["de.txt"]}}" }, speech: "{{_folder["en.pack"]}}", repeat: 0 } ]

            """;
    }

    /// <summary>Trains, until a step when one is given, and gives back the log.</summary>
    public JsonObject[] Train(Recipe recipe, bool resume = false, int? until = null)
    {
        using CancellationTokenSource stop = new();
        new Trainer(recipe, TrainingStages.Open(recipe, resume), recipe.Output + ".work").Run(resume, progress =>
        {
            if (progress.Step == until)
                stop.Cancel();
        }, stop.Token);
        return Log(recipe);
    }

    /// <summary>The models that a fusion starts from.</summary>
    public void MakeParts()
    {
        if (Directory.Exists(this["omni"]))
            return;
        Train(Recipe("recognizer", "omni", "steps: 1"));
        Train(Recipe("translator", "translator", "steps: 1"));
    }

    public static JsonObject[] Log(Recipe recipe) =>
        [.. File.ReadLines(recipe.Output + ".work/log.jsonl").Select(line => JsonNode.Parse(line)!.AsObject())];

    /// <summary>The figures of a log that do not tell the time.</summary>
    public static string[] Figures(IEnumerable<JsonObject> log) =>
    [
        .. log.Select(line => string.Join(", ", line.Where(item => item.Key is not ("seconds" or "steps_per_second"))
            .Select(item => $"{item.Key} {item.Value!.ToJsonString()}"))),
    ];

    public void MakePack(string name, string[] lines) => SpeechPackBuilder.Build(
        _folder[name], new SpeechPackPlan(lines, Voice.Training) { Seed = 7, Workers = 1 }, false, null, () => new ToneSpeaker(), default);

    public void Dispose() => _folder.Dispose();

    private static string[] Sentences(string[] subjects, string[] verbs, string[] places) =>
        [.. from subject in subjects from verb in verbs from place in places select $"{subject} {verb} {place}"];

    /// <summary>Plays a tone for each character.</summary>
    private sealed class ToneSpeaker : IUtteranceSpeaker
    {
        private const int SamplesEach = 480;

        public short[] Speak(Utterance utterance, string text) =>
        [
            .. from i in Enumerable.Range(0, text.Length * SamplesEach)
               select (short)(8000 * Math.Sin(i * (0.05 + 0.03 * (text[i / SamplesEach] % 32)))),
        ];

        public void Dispose()
        {
        }
    }
}
