using System.CommandLine;
using OmniFusion.Media;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion translate</c>.</summary>
internal static class TranslateCommand
{
    // Stands for the standard input.
    private const string Input = "-";

    private const double LongestSeconds = 300;

    internal static Command Create()
    {
        Argument<string[]> audio = new("AUDIO")
        {
            Description = "Recordings: WAV, or whatever ffmpeg reads; at most 300 seconds each; - reads WAV from the standard input",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> to = new("--to") { Description = "Language to translate into: a code or an English name", HelpName = "LANG" };
        Option<string?> spoken = new("--from")
        {
            Description = "Language of a text alone, or of what a cascade hears (default: English)", HelpName = "LANG",
        };
        Option<string?> image = new("--image")
        {
            Description = "Image that goes with the recordings or the text; alone, what it says or shows is read",
            HelpName = "FILE",
        };
        Option<string?> text = new("--text") { Description = "Sentence to translate, alone or with an image", HelpName = "STRING" };
        Option<string?> transcript = new("--transcript")
        {
            Description = "What the recording says, where that is known",
            HelpName = "STRING",
        };
        Option<string?> batch = new("--batch")
        {
            Description = "File with one object a line: {\"audio\":..., \"image\":..., \"text\":..., \"transcript\":..., \"to\":..., \"from\":...}, "
                + "each optional, paths relative to it; - reads the standard input",
            HelpName = "FILE.jsonl",
        };
        Option<bool> cascade = new("--cascade") { Description = "Transcribe first and translate the transcript, instead of the fused model" };
        Option<bool?> thought = new("--chain-of-thought")
        {
            Description = "The thinker first writes what it hears, and the translator reads that too: slower, and usually better; "
                + "false: it does not, whatever the bundle says",
            HelpName = "true|false",
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object a line" };
        ModelOptions model = new();
        SearchOptions search = new(defaultBatch: 1);
        Command command = new("translate", "Translates speech, speech with an image, an image, or text.")
        {
            audio, to, spoken, image, text, transcript, batch, cascade, thought,
        };
        model.AddTo(command);
        search.AddTo(command);
        command.Options.Add(json);
        // The work blocks its thread; a thread of its own leaves Ctrl+C to be heard.
        command.SetAction((arguments, cancellation) => Task.Run(
            () =>
            {
                Inputs inputs = new(arguments.GetValue(audio) ?? [], arguments.GetValue(image), arguments.GetValue(text),
                    arguments.GetValue(transcript), arguments.GetValue(to), arguments.GetValue(spoken));
                string? batchFile = arguments.GetValue(batch);
                TranslateItem[] items = batchFile is null ? inputs.Items(cancellation) : inputs.Batch(batchFile);
                (bool inStages, bool? thinks) = (arguments.GetValue(cascade), arguments.GetValue(thought));
                if (inStages && thinks == true)
                    throw new UsageException("--cascade and --chain-of-thought are two ways: give one of them.");
                if ((inStages || thinks == true) && batchFile is null && (arguments.GetValue(audio) ?? []).Length == 0)
                    throw new UsageException($"{(inStages ? "--cascade" : "--chain-of-thought")} translates speech: give AUDIO.");
                TranslationOptions options = search.Read(arguments) with { ChainOfThought = thinks };
                OmniFusionModel loaded = model.Load(arguments);
                if (loaded.UnplacedKeys.Count is var unused and > 0)
                    CommandRunner.Say(unused == 1 ? "1 tensor of the model is not used (omnifusion info names it)."
                        : $"{unused} tensors of the model are not used (omnifusion info names them).");
                Translator translator = new(loaded, inStages, options);
                return items.Length == 1 && batchFile is null
                    ? TranslateOne(translator, items[0], arguments.GetValue(json), cancellation)
                    : TranslateAll(translator, items, arguments.GetValue(json), cancellation);
            },
            CancellationToken.None));
        return command;
    }

    private static async Task<int> TranslateOne(
        Translator translator, TranslateItem item, bool json, CancellationToken cancellation)
    {
        Translation translation = await translator.Translate(item.Request!, cancellation);
        Console.Out.WriteLine(Show(item, translation, json));
        if (translation.Warning is { } warning)
            CommandRunner.Say($"{item.Audio}: {warning}");
        return 0;
    }

    private static async Task<int> TranslateAll(
        Translator translator, TranslateItem[] items, bool json, CancellationToken cancellation)
    {
        int failures = 0, doubtful = 0;
        await BatchProgress.Run("Translating", items.Length, async progress =>
        {
            TranslationRequest[] requests = [.. items.Select(item => item.Request).OfType<TranslationRequest>()];
            await using IAsyncEnumerator<TranslationResult> results =
                translator.TranslateAll(requests, cancellation).GetAsyncEnumerator(cancellation);
            foreach (TranslateItem item in items)
            {
                TranslationResult? result = item.Request is not null && await results.MoveNextAsync() ? results.Current : null;
                if (result?.Translation is null)
                    failures++;
                else if (result.Translation.Warning is not null)
                    doubtful++;
                progress.Print(result?.Translation is { } translation ? Show(item, translation, json)
                    : item.ErrorLine(result?.Error?.Message ?? item.Error!));
                progress.Advance(1);
            }
        }, prints: true);
        if (doubtful > 0)
            CommandRunner.Say($"{doubtful} of {items.Length} recordings are longer than those that the model was trained with: of them it makes things up.");
        if (failures == 0)
            return 0;
        throw new OmniFusionException($"{failures} of {items.Length} items could not be translated; their lines say why.");
    }

    // One line an item that does not steer the terminal, whatever a model writes.
    private static string Show(TranslateItem item, Translation translation, bool json) =>
        json ? item.ResultLine(translation) : string.Concat(translation.Text.ReplaceLineEndings(" ").Where(c => !char.IsControl(c)));

    /// <summary>The fused model, or the cascade.</summary>
    private sealed record Translator(OmniFusionModel Model, bool Cascade, TranslationOptions Options)
    {
        internal Task<Translation> Translate(TranslationRequest request, CancellationToken cancellation) => Cascade
            ? Model.TranslateCascadeAsync(request, Options, cancellation) : Model.TranslateAsync(request, Options, cancellation);

        internal IAsyncEnumerable<TranslationResult> TranslateAll(TranslationRequest[] requests, CancellationToken cancellation) => Cascade
            ? Model.TranslateCascadeBatchAsync(requests, Options, cancellation) : Model.TranslateBatchAsync(requests, Options, cancellation);
    }

    /// <summary>What the options name, checked against each other.</summary>
    private sealed record Inputs(string[] Audio, string? Image, string? Text, string? Transcript, string? To, string? From)
    {
        private string SourceLanguage => LanguageOption.Code(From, "--from") ?? "en";

        internal TranslateItem[] Items(CancellationToken cancellation)
        {
            if (Audio.Length == 0 && Image is null && string.IsNullOrWhiteSpace(Text))
                throw new UsageException("there is nothing to translate: give AUDIO, --image, --text or --batch.");
            if (Audio.Length > 0 && Text is not null)
                throw new UsageException("--text does not go with AUDIO; what a recording says is its --transcript.");
            if (Transcript is not null && Audio.Length != 1)
                throw new UsageException("--transcript goes with one AUDIO.");
            if (Audio.Count(audio => audio == Input) > 1)
                throw new UsageException("AUDIO is - twice, but the standard input is read only once.");
            string to = LanguageOption.Code(To) ?? throw new UsageException("--to LANG is missing.");
            string?[] recordings = Audio.Length == 0 ? new string?[1] : Audio;
            return [.. recordings.Select(audio => new TranslateItem(audio, Image, Text, new TranslationRequest
            {
                Audio = audio == Input ? null : audio, Samples = audio == Input ? FromInput(cancellation) : null,
                Image = Image, Text = Text, Transcript = Transcript, TargetLanguage = to, SourceLanguage = SourceLanguage,
            }, null))];
        }

        private static float[] FromInput(CancellationToken cancellation)
        {
            using Stream input = StandardStreams.Input();
            return AudioFile.ReadMono16k(input, "The standard input", LongestSeconds, cancellation);
        }

        internal TranslateItem[] Batch(string path)
        {
            if (Audio.Length > 0 || Image is not null || Text is not null || Transcript is not null)
                throw new UsageException("--batch goes without AUDIO, --image, --text and --transcript.");
            return TranslateItem.ReadBatch(path, LanguageOption.Code(To), SourceLanguage);
        }
    }
}
