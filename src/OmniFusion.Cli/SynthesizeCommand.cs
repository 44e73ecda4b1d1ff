using System.CommandLine;
using System.Diagnostics;
using OmniFusion.Training.Data;
using Spectre.Console;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion synthesize</c>: speaks the lines of a text into a pack to train or test with.</summary>
internal static class SynthesizeCommand
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(30);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string?> text = new("--text") { Description = "Text to speak, one sentence a line, plain or .gz", HelpName = "FILE" };
        Option<string?> corpus = new("--corpus")
        {
            Description = "Folder of an ambiguity corpus to speak all sentences of, instead of a text", HelpName = "DIR",
        };
        Option<string?> output = new("--output", "--out")
        {
            Description = "Pack to write; by default the text's name with .pack", HelpName = "PACK",
        };
        Option<string> voices = new("--voices")
        {
            Description = "train, further (pico and RHVoice), test (a voice never trained with), or names such as espeak:en-us+f2,flite:awb,rhvoice:bdl",
            HelpName = "LIST",
            DefaultValueFactory = _ => "train",
        };
        Option<int?> copies = Options.Whole("--copies", "Times that each line is spoken (default: 1)", 1, ushort.MaxValue);
        Option<long> seed = SynthesizeOptions.Seed("Draws voices, rates and pitches");
        Option<int?> workers = Options.Whole("--workers", "Sentences spoken at once; by default one a processor", 1, 1024);
        Option<int?> limit = Options.Whole("--limit", "Speak the first lines only", 1, int.MaxValue);
        Option<bool> resume = new("--resume") { Description = "Go on with a pack that was stopped" };
        Command command = new(
            "synthesize",
            "Speak a text with espeak-ng, flite, festival, pico and RHVoice into a pack. Gains and noise are not added here but in training.")
        {
            text, corpus, output, voices, copies, seed, workers, limit, resume,
            SynthesizeImagesCommand.Create(), SynthesizeSlidesCommand.Create(), SynthesizeContrastiveCommand.Create(),
            SynthesizeRecordingsCommand.Create(), SynthesizeNamesCommand.Create(), TalksCommand.Create(),
        };
        command.SetAction((arguments, cancellation) =>
        {
            IReadOnlyList<Voice> speakers = VoicesOf(arguments.GetRequiredValue(voices));
            (string name, IReadOnlyList<string> lines) = (arguments.GetValue(text), arguments.GetValue(corpus)) switch
            {
                ({ } file, null) => (file, TextFile.ReadLines("--text", file, arguments.GetValue(limit))),
                (null, { } folder) => (Path.TrimEndingDirectorySeparator(folder),
                    [.. AmbiguityCorpus.Read(folder).Sentences.Select(sentence => sentence.English).Take(arguments.GetValue(limit) ?? int.MaxValue)]),
                _ => throw new UsageException("synthesize speaks either a --text or a --corpus."),
            };
            SpeechPackPlan plan = new(lines, speakers)
            {
                Copies = arguments.GetValue(copies) ?? 1,
                Seed = arguments.GetValue(seed),
                Workers = arguments.GetValue(workers) ?? Environment.ProcessorCount,
            };
            string path = arguments.GetValue(output) ?? DefaultOutput(name);
            // The work blocks its thread; a thread of its own leaves Ctrl+C to be heard.
            return Task.Run(() => Run(path, plan, arguments.GetValue(resume), cancellation), CancellationToken.None);
        });
        return command;
    }

    private static IReadOnlyList<Voice> VoicesOf(string list)
    {
        try
        {
            return Voice.ParseList(list);
        }
        catch (OmniFusionException error)
        {
            throw new UsageException($"--voices: {error.Message}");
        }
    }

    private static int Run(string path, SpeechPackPlan plan, bool resume, CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<SpeechFailure> failures = Console.IsErrorRedirected
                ? RunWithLines(path, plan, resume, cancellation)
                : RunWithBar(path, plan, resume, cancellation);
            foreach (SpeechFailure failure in failures)
            {
                Console.Error.WriteLine(
                    $"Line {failure.TextIndex + 1}, copy {failure.Copy}, {failure.Voice}: "
                    + (failure.Reason ?? "could not be spoken in an earlier run."));
            }

            Summarize(path, failures.Count);
            return failures.Count == 0 ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"Stopped; the same command with --resume goes on with {path}.");
            return 130;
        }
    }

    private static IReadOnlyList<SpeechFailure> RunWithBar(string path, SpeechPackPlan plan, bool resume, CancellationToken cancellation)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn(),
                new SpinnerColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("Speaking", maxValue: (double)plan.Text.Count * plan.Copies);
                Pace pace = new();
                return SpeechPackBuilder.Build(path, plan, resume, at =>
                {
                    task.Value = at.Done;
                    task.Description = $"{at.Done} sentences, {pace.PerSecond(at.Done):F0}/s";
                }, cancellation);
            });
    }

    private static IReadOnlyList<SpeechFailure> RunWithLines(string path, SpeechPackPlan plan, bool resume, CancellationToken cancellation)
    {
        Pace pace = new();
        TimeSpan next = ReportEvery;
        return SpeechPackBuilder.Build(path, plan, resume, at =>
        {
            double rate = pace.PerSecond(at.Done);
            if (pace.Elapsed < next || rate == 0)
                return;
            next = pace.Elapsed + ReportEvery;
            TimeSpan left = TimeSpan.FromSeconds(Math.Round((at.Total - at.Done) / rate));
            double hours = at.Samples / (3600.0 * SpeechPack.SampleRate);
            Console.Error.WriteLine($"{at.Done}/{at.Total} sentences, {hours:F2} h of speech, {rate:F1}/s, {left} left");
        }, cancellation);
    }

    private static void Summarize(string path, int failures)
    {
        using SpeechPack pack = SpeechPack.Open(path);
        long samples = pack.Items.Sum(item => (long)item.SampleCount);
        Console.WriteLine(
            $"{path}: {pack.Count} sentences, {samples / (3600.0 * SpeechPack.SampleRate):F2} h of speech, "
            + $"{samples * sizeof(short) / 1e9:F3} GB, {failures} not spoken");
    }

    private static string DefaultOutput(string textPath)
    {
        string name = textPath.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? textPath[..^3] : textPath;
        return Path.ChangeExtension(name, ".pack");
    }

    /// <summary>Sentences a second in this run, not counting those found when it was resumed.</summary>
    private sealed class Pace
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private int? _start;

        public TimeSpan Elapsed => _watch.Elapsed;

        public double PerSecond(int done)
        {
            _start ??= done;
            return (done - _start.Value) / _watch.Elapsed.TotalSeconds;
        }
    }
}
