using System.CommandLine;
using System.Globalization;
using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion evaluate curves</c>: quality against latency over policies and chunks, of the fused model and of cascades.</summary>
internal static class CurvesCommand
{
    internal const string PointsFile = "curves.jsonl", PlotFile = "curves.svg";

    private static readonly string[] s_policies =
    [
        "wait-k:1", "wait-k:3", "wait-k:5", "wait-k:7", "local-agreement:2", "hold-n:3", "hold-n:6",
        "alignatt:frames=4", "alignatt:frames=12",
    ];
    private static readonly double[] s_chunks = [0.5, 1, 2];
    private static readonly string[] s_systems = [SimultaneousSystem.Fused, SimultaneousSystem.Cascade];

    internal static Command Create(StreamFactory streams)
    {
        SimultaneousSetOptions set = new();
        ModelOptions model = new();
        Option<string[]> policies = new("--policy")
        {
            Description = $"Policy to measure; may be given many times (default: {string.Join(", ", s_policies)})",
            HelpName = "POLICY",
        };
        Option<double[]> chunks = new("--chunk")
        {
            Description = "Seconds of audio in a step; may be given many times (default: 0.5, 1, 2)",
            HelpName = "SECONDS",
        };
        Option<string[]> systems = new("--system")
        {
            Description = "fused, chain-of-thought, cascade, or cascade/POLICY where the transcript has a policy of its own; may be given "
                + "many times (default: fused and cascade)",
            HelpName = "SYSTEM",
        };
        (Option<double?> pause, Option<double?> sentence) = SimultaneousCommand.Pauses();
        Option<string> output = new("--output")
        {
            Description = $"Folder for {PointsFile} and {PlotFile}; points that are there already are not measured again",
            HelpName = "DIR",
            Required = true,
        };
        Command command = new(
            "curves", "Measures quality and latency over policies and chunks, draws them, and compares the fused model with the cascade.");
        set.AddTo(command);
        foreach (Option option in new Option[] { policies, chunks, systems, pause, sentence, output })
            command.Options.Add(option);
        model.AddTo(command);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                string language = set.Language(arguments);
                SimultaneousSystem[] wanted = [.. from policy in Given(arguments.GetValue(policies), s_policies)
                                                  from chunk in Given(arguments.GetValue(chunks), s_chunks)
                                                  from system in Given(arguments.GetValue(systems), s_systems)
                                                  select new SimultaneousSystem(
                                                      language, policy, SimultaneousCommand.Chunk(chunk), system)
                                                  {
                                                      Pause = StreamTimes.Pause(arguments.GetValue(pause)),
                                                      SentencePause = StreamTimes.SentencePause(arguments.GetValue(sentence)),
                                                  }.Checked()];
                await Sweep(wanted.Distinct(), streams, set, model, arguments, arguments.GetValue(output)!, cancellation);
                return 0;
            },
            CancellationToken.None));
        return command;
    }

    private static async Task Sweep(IEnumerable<SimultaneousSystem> systems, StreamFactory streams, SimultaneousSetOptions set,
        ModelOptions model, ParseResult arguments, string folder, CancellationToken cancellation)
    {
        LatencyUnit unit = set.Unit(arguments);
        ComputationModel computation = set.Computation(arguments);
        IReadOnlyList<SpokenRecording> recordings = set.Read(arguments);
        AtomicFile.MakeFolder(folder);
        CurveFile file = CurveFile.Open(Path.Combine(folder, PointsFile));
        OmniFusionModel loaded = model.Load(arguments);
        string named = set.SetName(arguments, recordings), modelName = SimultaneousCommand.ModelName(model, arguments, loaded);
        string setName = $"{named} ({recordings.Count}, {SimultaneousSetOptions.NameOf(unit)}, {SimultaneousSetOptions.NameOf(computation)})";
        string media = SimultaneousSetOptions.MediaDigest(recordings, cancellation);
        CurveSetting SettingOf(SimultaneousSystem system) =>
            new(setName, system.Language, modelName, system.Name, system.Policy, system.Chunk, model.Threads(arguments))
            {
                Pause = system.Pause, SentencePause = system.SentencePause, Images = set.ImageMode(arguments, recordings), Media = media,
                Version = EvaluationSignature.Version,
            };

        SimultaneousSystem[] missing = [.. systems.Where(system => file.Find(SettingOf(system)) is null)];
        for (int i = 0; i < missing.Length; i++)
        {
            SimultaneousSystem system = missing[i];
            string what = string.Create(
                CultureInfo.InvariantCulture, $"{i + 1}/{missing.Length} {system.Name} {system.Policy} {system.Chunk} s");
            IReadOnlyList<SimultaneousRecord> records =
                await SimultaneousCommand.RunAll(what, recordings, loaded, system, streams, cancellation);
            CurvePoint point = new(SettingOf(system),
                SimultaneousCommand.Score(records, recordings, unit, computation, set.Bleu(arguments)));
            file.Add(point);
            Console.Error.WriteLine($"{i + 1}/{missing.Length} {CurveTable.Row(point)}");
        }
        // Points of other sets, pictures, languages, models, pauses or versions may lie in the same file.
        CurveSetting one = SettingOf(systems.First());
        CurvePoint[] points = [.. file.Points.Where(point =>
            point.Setting with { System = one.System, Policy = one.Policy, Chunk = one.Chunk, Threads = one.Threads } == one)];
        string plot = Path.Combine(folder, PlotFile);
        AtomicFile.WriteText(plot, CurvePlot.Draw($"{setName} → {set.Language(arguments)}", points));
        Console.Out.WriteLine(CurveTable.Show(points));
        Console.Out.WriteLine();
        Console.Out.WriteLine(EvaluationSignature.Of(("set", named), ("n", recordings.Count),
            ("lang", set.Language(arguments)), ("images", set.ImageMode(arguments, recordings)), ("unit", SimultaneousSetOptions.NameOf(unit)),
            ("ca", SimultaneousSetOptions.NameOf(computation)), ("model", modelName)));
        Console.Out.WriteLine(points[0].Scores.BleuSignature);
        Console.Out.WriteLine($"points {Path.Combine(folder, PointsFile)}, picture {plot}");
    }

    private static T[] Given<T>(T[]? values, T[] standard) => values is { Length: > 0 } ? values : standard;
}
