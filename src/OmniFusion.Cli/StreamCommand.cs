using System.CommandLine;
using System.Runtime.InteropServices;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion stream</c>: translates while somebody speaks.</summary>
internal static class StreamCommand
{
    internal static Command Create()
    {
        Argument<string?> input = new("INPUT")
        {
            Description = "Recording of any length: WAV, or whatever ffmpeg reads; - is raw PCM from standard input, signed 16-bit "
                + "little-endian, mono, 16 kHz",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> source = new("--source")
        {
            Description = "Instead of INPUT: - (raw PCM as above) or mic (a microphone, through ffmpeg)", HelpName = "-|mic",
        };
        Option<string?> device = new("--device") { Description = "Microphone, as ffmpeg calls it", HelpName = "NAME" };
        Option<string?> to = new("--to") { Description = "Language to translate into: a code or an English name", HelpName = "LANG" };
        Option<string?> spoken = SimultaneousCommand.Spoken();
        Option<string?> policy = new("--policy")
        {
            Description = "What counts as stable: wait-k:3, wait-k-chunks:3, local-agreement:2, hold-n:3, alignatt:frames=8, "
                + "retranslate:mask=4 (default: the bundle's, or " + SimultaneousOptions.DefaultPolicy + ")",
            HelpName = "POLICY",
        };
        Option<double?> chunk = Options.Number(
            "--chunk", "Seconds of audio between two steps, 0.02 to 30 in steps of 0.02 (default: the bundle's, or 0.5)");
        (Option<double?> pause, Option<double?> sentence) = SimultaneousCommand.Pauses();
        Option<double?> longest = SimultaneousCommand.LongestSegment();
        Option<bool> realtime = new("--realtime") { Description = "Play a recording at its own speed" };
        Option<string[]> image = new("--image")
        {
            Description = "Image seen from a time on, 0 where none is named, such as slide.png@12.5; may be given many times",
            HelpName = "FILE[@SECONDS]",
        };
        Option<bool> cascade = PolicyOption.Cascade(), thought = PolicyOption.ChainOfThought();
        Option<string?> transcript = PolicyOption.Transcript();
        Option<bool> exact = SimultaneousCommand.Exact();
        Option<bool> json = new("--json") { Description = "Print one JSON object an event" };
        Option<string?> save = new("--save") { Description = "Write subtitles, or all events, as they come", HelpName = "FILE.srt|.vtt|.jsonl" };
        ModelOptions model = new();
        Command command = new("stream", "Translates a recording, standard input or a microphone while it is heard, stable words first.")
        {
            input, source, device, to, spoken, policy, chunk, pause, sentence, longest, realtime, image, cascade, transcript, thought, exact, save,
        };
        model.AddTo(command);
        command.Options.Add(json);
        command.SetAction((arguments, cancellation) => Task.Run(
            async () =>
            {
                string language = LanguageOption.Code(arguments.GetValue(to)) ?? throw new UsageException("--to LANG is missing.");
                StreamSource from = StreamSource.Of(arguments.GetValue(input), arguments.GetValue(source), arguments.GetValue(device));
                if (arguments.GetValue(realtime) && from.IsLive)
                    throw new UsageException("--realtime goes with a recording; a live source has its own speed.");
                TimedImage[] images = [.. (arguments.GetValue(image) ?? []).Select(TimedImage.Parse).OrderBy(shown => shown.Seconds)];
                StreamRecord.Check(arguments.GetValue(save));
                SimultaneousOptions options = new()
                {
                    TargetLanguage = language,
                    SourceLanguage = SimultaneousCommand.SpokenCode(arguments.GetValue(spoken), arguments.GetValue(cascade)) ?? "en",
                    Policy = PolicyOf("--policy", arguments.GetValue(policy)),
                    TranscriptPolicy = PolicyOf("--transcript-policy", arguments.GetValue(transcript)),
                    ChunkSeconds = StreamTimes.Chunk(arguments.GetValue(chunk)),
                    PauseSeconds = StreamTimes.Pause(arguments.GetValue(pause)),
                    SentencePauseSeconds = StreamTimes.SentencePause(arguments.GetValue(sentence)),
                    MaxSegmentSeconds = StreamTimes.MaxSegment(arguments.GetValue(longest)),
                    Cascade = arguments.GetValue(cascade),
                    ChainOfThought = arguments.GetValue(thought),
                    Exact = arguments.GetValue(exact),
                };
                // Says what does not go together.
                SimultaneousSystem.NameOf(options.Cascade, options.ChainOfThought, arguments.GetValue(transcript));
                using StreamRecord? record = StreamRecord.Open(arguments.GetValue(save));
                RgbImage[] pictures = [.. images.Select(shown => ImageFile.Read(shown.File, cancellation))];
                OmniFusionModel loaded = model.Load(arguments);
                StreamView view = StreamView.Create(arguments.GetValue(json));
                // A terminal that is closed stops a stream as Ctrl+C does.
                using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
                {
                    signal.Cancel = true;
                    stop.Cancel();
                });
                return await Run(loaded, options, from, [.. images.Zip(pictures)], arguments.GetValue(realtime), view, record, stop.Token);
            },
            CancellationToken.None));
        return command;
    }

    private static async Task<int> Run(
        OmniFusionModel model, SimultaneousOptions options, StreamSource source, (TimedImage Shown, RgbImage Picture)[] images, bool realtime,
        StreamView view, StreamRecord? record, CancellationToken cancellation)
    {
        StreamTranslator translator = StreamTranslator.Create(model, options);
        await using SimultaneousSession session = new(translator);
        foreach ((TimedImage shown, RgbImage picture) in images)
            Check(translator, shown, picture);
        StreamFeeder feeder = new(session, [.. images.Select(image => (image.Shown.Seconds, image.Picture))],
            translator.ChunkSeconds, realtime, cancellation);
        Task feeding = Task.Run(() => source.Read(feeder.Take, cancellation), CancellationToken.None);
        Task finishing = Finish(session, feeding, cancellation);
        try
        {
            try
            {
                await foreach (StreamEvent happened in session.Events)
                {
                    Seen(() => view.Show(happened), cancellation.IsCancellationRequested);
                    record?.Add(happened);
                }
            }
            finally
            {
                Seen(view.End, cancellation.IsCancellationRequested);
            }
        }
        catch (IOException error)
        {
            throw new OmniFusionException($"The output cannot be written: {error.Message.TrimEnd('.')}.", error);
        }
        // Only now, so that what is known is shown whatever became of the source.
        await finishing;
        record?.Complete(cancellation.IsCancellationRequested);
        return 0;
    }

    // Behind a terminal that was closed nobody looks any more, and the record goes on.
    private static void Seen(Action show, bool stopped)
    {
        try
        {
            show();
        }
        catch (IOException) when (stopped)
        {
        }
    }

    private static void Check(StreamTranslator translator, TimedImage shown, RgbImage picture)
    {
        try
        {
            translator.CheckImage(picture);
        }
        catch (OmniFusionException error)
        {
            throw new OmniFusionException($"--image {shown.File}: {error.Message}", error);
        }
    }

    // The source has come to its end, or Ctrl+C has been pressed: either way what was heard is translated to its end.
    private static async Task Finish(SimultaneousSession session, Task feeding, CancellationToken cancellation)
    {
        await Task.WhenAny(feeding, Task.Delay(Timeout.Infinite, cancellation));
        await session.FinishAsync(CancellationToken.None);
        // Who stops a stream gets no complaint of the source that it was stopped.
        if (feeding.IsFaulted && !cancellation.IsCancellationRequested)
            await feeding;
    }

    private static PolicyOptions? PolicyOf(string option, string? text) => text is null ? null : PolicyOption.Read(option, text);
}
