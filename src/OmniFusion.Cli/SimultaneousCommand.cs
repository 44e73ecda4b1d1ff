using System.CommandLine;
using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate simultaneous</c>: quality and latency of a system, or of a log that some system wrote.</summary>
internal static class SimultaneousCommand
{
    internal const string InstancesLog = "instances.log", StreamLog = "simulstream.jsonl", ScoresFile = "scores.json";

    // What chooses a system and says how it runs; a log has run already.
    private static readonly string[] s_ofSystems =
    [
        "--policy", "--chunk", "--pause", "--sentence-pause", "--max-segment", "--exact", "--image-mode", "--cascade", "--transcript-policy",
        "--chain-of-thought", "--from", "--model", "--mmfm", "--translator", "--adapter", "--threads",
    ];

    internal static Command Create(StreamFactory streams)
    {
        SimultaneousSetOptions set = new();
        ModelOptions model = new();
        Option<string?> policy = new("--policy")
        {
            Description = "What is put out when, such as wait-k:3, local-agreement:2, hold-n:3, alignatt:frames=8, retranslate:mask=4 "
                + $"(default: the bundle's, or {SimultaneousOptions.DefaultPolicy})",
            HelpName = "POLICY",
        };
        Option<double?> chunk = Options.Number("--chunk", "Seconds of audio in a step (default: the bundle's, or 0.5)");
        (Option<double?> pause, Option<double?> sentence) = Pauses();
        Option<double?> longest = LongestSegment();
        Option<bool> cascade = PolicyOption.Cascade(), thought = PolicyOption.ChainOfThought(), exact = Exact();
        Option<string?> transcript = PolicyOption.Transcript(), spoken = Spoken();
        Option<string?> log = new("--log")
        {
            Description = "Score this instances.log of SimulEval or JSONL log of simulstream instead of running a model",
            HelpName = "FILE",
        };
        Option<string?> output = new("--output")
        {
            Description = $"Folder for {InstancesLog} (SimulEval's), {StreamLog} (simulstream's) and {ScoresFile}; with --log for the last alone",
            HelpName = "DIR",
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object" };
        Command command = new("simultaneous",
            "BLEU, chrF and latency (AL, LAAL, AP, DAL, ATD, YAAL; for talks StreamLAAL and LongYAAL) of simultaneous translation.");
        set.AddTo(command);
        foreach (Option option in new Option[]
            { policy, chunk, pause, sentence, longest, exact, cascade, transcript, thought, spoken, log, output, json })
            command.Options.Add(option);
        model.AddTo(command);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                string? folder = arguments.GetValue(output);
                SimultaneousReport report;
                if (arguments.GetValue(log) is { } file)
                {
                    report = ScoreLog(file, set, arguments);
                    if (folder is not null)
                        Save(folder, report);
                }
                else
                {
                    SimultaneousSystem Chosen(BundleSimultaneous usual) => new SimultaneousSystem(set.Language(arguments),
                        arguments.GetValue(policy) ?? usual.Policy ?? SimultaneousOptions.DefaultPolicy,
                        Chunk(arguments.GetValue(chunk) ?? usual.ChunkSeconds),
                        SimultaneousSystem.NameOf(arguments.GetValue(cascade), arguments.GetValue(thought), arguments.GetValue(transcript)))
                    {
                        Pause = StreamTimes.Pause(arguments.GetValue(pause)),
                        SentencePause = StreamTimes.SentencePause(arguments.GetValue(sentence)),
                        MaxSegment = StreamTimes.MaxSegment(arguments.GetValue(longest)),
                        Exact = arguments.GetValue(exact), Spoken = SpokenCode(arguments.GetValue(spoken), arguments.GetValue(cascade)),
                    }.Checked();
                    // What is given is checked before anything is loaded.
                    Chosen(new BundleSimultaneous());
                    report = await Run(Chosen, streams, set, model, arguments, folder, cancellation);
                }
                Console.Out.WriteLine(arguments.GetValue(json) ? JsonOutput.Line(report) : report.Show());
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    /// <summary>What ends a segment.</summary>
    internal static (Option<double?> Pause, Option<double?> Sentence) Pauses() => (
        Options.Number("--pause", "Seconds of silence that end a segment (default: the bundle's, or 0.4)"),
        Options.Number("--sentence-pause", "Seconds of silence that end a segment whose sentence is complete (default: the bundle's, or 0.2)"));

    internal static Option<double?> LongestSegment() =>
        Options.Number("--max-segment", "Seconds that a segment lasts at most (default: the bundle's, or 20)");

    internal static Option<bool> Exact() => new("--exact") { Description = "Each step equals the offline computation of the audio so far" };

    internal static Option<string?> Spoken() => new("--from")
    {
        Description = "Language that is spoken, with --cascade: its translator reads the name (default: en)", HelpName = "LANG",
    };

    /// <exception cref="UsageException">There is no such language, or nobody reads its name.</exception>
    internal static string? SpokenCode(string? language, bool cascade) => language is null || cascade
        ? LanguageOption.Code(language, "--from")
        : throw new UsageException("--from goes with --cascade; the fused model hears which language is spoken.");

    /// <exception cref="UsageException">It is no length of a chunk.</exception>
    internal static double Chunk(double? seconds) => StreamTimes.Chunk(seconds) ?? SimultaneousOptions.DefaultChunk;

    private static async Task<SimultaneousReport> Run(Func<BundleSimultaneous, SimultaneousSystem> chosen, StreamFactory streams,
        SimultaneousSetOptions set, ModelOptions model, ParseResult arguments, string? output, CancellationToken cancellation)
    {
        LatencyUnit unit = set.Unit(arguments);
        ComputationModel computation = set.Computation(arguments);
        IReadOnlyList<SpokenRecording> recordings = set.Read(arguments);
        OmniFusionModel loaded = model.Load(arguments);
        SimultaneousSystem system = chosen(loaded.Bundle.Simultaneous);
        IReadOnlyList<SimultaneousRecord> records = await RunAll(
            $"{system.Name} {system.Policy}", recordings, loaded, system, streams, cancellation);
        SimultaneousReport report = new(
            EvaluationSignature.Of(("set", set.SetName(arguments, recordings)), ("n", recordings.Count), ("lang", system.Language), ("images", set.ImageMode(arguments, recordings)),
                ("system", system.Name), ("policy", system.Policy), ("chunk", system.Chunk), ("pause", system.Pause),
                ("sentence_pause", system.SentencePause), ("max_segment", system.MaxSegment), ("exact", system.Exact ? "yes" : null),
                ("from", system.Spoken), ("unit", SimultaneousSetOptions.NameOf(unit)),
                ("ca", SimultaneousSetOptions.NameOf(computation)), ("model", ModelName(model, arguments, loaded)),
                ("threads", model.Threads(arguments))),
            Score(records, recordings, unit, computation, set.Bleu(arguments)));
        if (output is not null)
            Save(output, records, recordings, unit, report);
        return report;
    }

    /// <summary>What results call a model: its name, and a digest of all that decides what it says in a stream.</summary>
    internal static string ModelName(ModelOptions options, ParseResult arguments, OmniFusionModel model) =>
        $"{options.Name(arguments)}@{EvaluationSignature.Digest(model.Bundle, streams: true)}";

    /// <summary>Runs a system over a set, with a bar.</summary>
    internal static async Task<IReadOnlyList<SimultaneousRecord>> RunAll(string what, IReadOnlyList<SpokenRecording> recordings,
        OmniFusionModel model, SimultaneousSystem system, StreamFactory streams, CancellationToken cancellation)
    {
        IReadOnlyList<SimultaneousRecord> records = [];
        await BatchProgress.Run(what, recordings.Count, progress =>
        {
            records = SimultaneousRun.RunAll(recordings, () => streams(model, system), system.Chunk, _ => progress.Advance(1),
                cancellation: cancellation);
            return Task.CompletedTask;
        });
        return records;
    }

    internal static SimultaneousScores Score(IReadOnlyList<SimultaneousRecord> records, IReadOnlyList<SpokenRecording> recordings,
        LatencyUnit unit, ComputationModel computation, BleuOptions bleu) => SimultaneousScorer.Score(
            [.. records.Zip(recordings, (record, recording) => SimultaneousOutcome.Of(record, recording, unit, computation))], unit, bleu);

    private static void Save(string folder, IReadOnlyList<SimultaneousRecord> records, IReadOnlyList<SpokenRecording> recordings,
        LatencyUnit unit, SimultaneousReport report)
    {
        AtomicFile.MakeFolder(folder);
        SimulEvalLog.Write(Path.Combine(folder, InstancesLog), [.. records.Zip(recordings,
            (record, recording) => SimultaneousOutcome.Of(record, recording, unit, ComputationModel.Cumulative))
            .Select((outcome, i) => outcome.Instance(i, unit))]);
        SimulstreamLog.Write(Path.Combine(folder, StreamLog), records);
        Save(folder, report);
    }

    private static void Save(string folder, SimultaneousReport report)
    {
        AtomicFile.MakeFolder(folder);
        AtomicFile.WriteText(Path.Combine(folder, ScoresFile), JsonOutput.Indented(report) + "\n");
    }

    private static SimultaneousReport ScoreLog(string file, SimultaneousSetOptions set, ParseResult arguments)
    {
        if (arguments.CommandResult.Command.Options.FirstOrDefault(option =>
            s_ofSystems.Contains(option.Name) && arguments.GetResult(option) is { Implicit: false }) is { } unused)
            throw new UsageException($"{unused.Name} does not go with --log: the log is of a system that has run already.");
        LatencyUnit unit = set.Unit(arguments);
        IReadOnlyList<SpokenRecording>? recordings = set.NamesSet(arguments) ? set.Read(arguments) : null;
        IReadOnlyList<SimultaneousOutcome> outcomes;
        string computation;
        if (IsSimulEval(file))
        {
            // Its times hold what computation cost already.
            if (set.NamesComputation(arguments))
                throw new UsageException($"--computation does not go with {file}: SimulEval wrote its times with computation.");
            outcomes = SimultaneousOutcome.FromSimulEval(SimulEvalLog.Read(file, unit), recordings);
            computation = "log";
        }
        else
        {
            if (recordings is null)
                throw new UsageException("a log of simulstream holds no references: name the MANIFEST or the --pack translated.");
            ComputationModel model = set.NamesComputation(arguments) ? set.Computation(arguments) : ComputationModel.PerStep;
            outcomes = SimultaneousOutcome.FromSimulstream(SimulstreamLog.Read(file, unit, model: model), recordings);
            computation = SimultaneousSetOptions.NameOf(model);
        }
        return new SimultaneousReport(
            EvaluationSignature.Of(
                ("set", recordings is null ? "log" : set.SetName(arguments, recordings)), ("n", outcomes.Count), ("log", Path.GetFileName(file)),
                ("unit", SimultaneousSetOptions.NameOf(unit)), ("ca", computation)),
            SimultaneousScorer.Score(outcomes, unit, set.Bleu(arguments)));
    }

    // SimulEval's lines have delays; simulstream's begin with an id, or with the time that its model took to load.
    private static bool IsSimulEval(string file)
    {
        string first = TextFile.ReadLines("--log", file).FirstOrDefault(line => !string.IsNullOrWhiteSpace(line))
            ?? throw new OmniFusionException($"--log {file} is empty.");
        try
        {
            using JsonDocument line = JsonDocument.Parse(first);
            if (line.RootElement.ValueKind == JsonValueKind.Object)
            {
                if (line.RootElement.TryGetProperty("delays", out _))
                    return true;
                if (line.RootElement.TryGetProperty("id", out _) || line.RootElement.TryGetProperty("model_loading_time", out _))
                    return false;
            }
        }
        catch (JsonException)
        {
            // Told below.
        }
        throw new OmniFusionException($"--log {file} is neither an instances.log of SimulEval nor a JSONL log of simulstream.");
    }
}
