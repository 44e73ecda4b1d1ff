using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OmniFusion.Evaluation;
using OmniFusion.Media;

namespace OmniFusion.Cli;

/// <summary>The options that say which recordings are evaluated, and how they are measured.</summary>
internal sealed class SimultaneousSetOptions
{
    private static readonly (string Name, ComputationModel Model)[] s_models =
    [
        ("real-time", ComputationModel.RealTime),
        ("simuleval", ComputationModel.Cumulative),
        ("simulstream", ComputationModel.PerStep),
    ];

    private readonly Argument<string?> _manifest = new("MANIFEST")
    {
        Description = "Recordings, an object a line: a talk {\"audio\", \"sentences\": [{\"text\", \"translations\", \"start\", \"end\"}]} "
            + "or a sentence {\"audio\", \"text\", \"translation\"}, where something is seen \"image\" or \"images\": [{\"image\", \"at\"}], paths relative to it",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _pack = Options.Pack(), _source = Options.Source();
    private readonly Option<string?> _target = new("--target")
    {
        Description = "Their translations, plain or .gz",
        HelpName = "FILE",
    };
    private readonly Option<string?> _to = new("--to")
    {
        Description = "Language of the translations: a code or an English name",
        HelpName = "LANG",
    };
    private readonly Option<string?> _imageMode = new("--image-mode")
    {
        Description = $"Pictures that are seen: {SpeechImages.None}, {SpeechImages.Given} (the recordings' own; default) or {SpeechImages.Unrelated} (of other recordings)",
        HelpName = "MODE",
    };
    private readonly Option<int?> _limit = Options.Whole("--limit", "The first recordings only", 1, int.MaxValue);
    private readonly Option<string?> _unit = new("--unit")
    {
        Description = "What a delay belongs to: word or char (default: char for Chinese and Japanese)",
        HelpName = "UNIT",
    };
    private readonly Option<string> _computation = new("--computation")
    {
        Description = "What computation-aware means: real-time (computation overlaps with waiting for audio), simuleval (all computation "
            + "so far is added) or simulstream (that of the step is added)",
        HelpName = "MODEL",
        DefaultValueFactory = _ => s_models[0].Name,
    };

    internal void AddTo(Command command)
    {
        command.Arguments.Add(_manifest);
        foreach (Option option in new Option[] { _pack, _source, _target, _to, _imageMode, _limit, _unit, _computation })
            command.Options.Add(option);
    }

    /// <summary>Code of the target language.</summary>
    /// <exception cref="UsageException">None is named, or there is no such language.</exception>
    internal string Language(ParseResult arguments) =>
        LanguageOption.Code(arguments.GetValue(_to)) ?? throw new UsageException("--to LANG is missing.");

    internal bool NamesSet(ParseResult arguments) => arguments.GetValue(_manifest) is not null || arguments.GetValue(_pack) is not null;

    /// <summary>What results call the set: the file's name and a digest of what its recordings say and when.</summary>
    internal string SetName(ParseResult arguments, IReadOnlyList<SpokenRecording> recordings) =>
        $"{Path.GetFileName(arguments.GetValue(_manifest) ?? arguments.GetValue(_pack))}@" + EvaluationSignature.Digest(
            recordings.SelectMany(recording => recording.Sentences.SelectMany(sentence => (string?[])
            [
                sentence.Text, sentence.Translation, sentence.Start.ToString(CultureInfo.InvariantCulture),
                sentence.End?.ToString(CultureInfo.InvariantCulture),
            ]).Concat(recording.Images.SelectMany(image => (string?[])
                [Path.GetFileName(image.Path), image.Seconds.ToString(CultureInfo.InvariantCulture)])).Prepend(recording.Name)));

    /// <summary>A digest of what is heard and seen.</summary>
    /// <exception cref="OmniFusionException">A recording or a picture cannot be read.</exception>
    internal static string MediaDigest(IReadOnlyList<SpokenRecording> recordings, CancellationToken cancellation)
    {
        return EvaluationSignature.Digest(recordings.SelectMany(recording => recording.Images
            .Select(image => image.Path is null ? null : Hash(ImageFile.Read(image.Path, cancellation).Pixels))
            .Prepend(Hash(MemoryMarshal.AsBytes<float>(recording.Read(cancellation))))));

        static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes));
    }

    /// <summary>Which pictures are seen, for signatures; null where none could be.</summary>
    internal string? ImageMode(ParseResult arguments, IReadOnlyList<SpokenRecording> recordings) =>
        arguments.GetValue(_imageMode) ?? (recordings.Any(recording => recording.Images.Count > 0) ? SpeechImages.Given : null);

    /// <exception cref="UsageException">The options do not go together.</exception>
    /// <exception cref="OmniFusionException">The set cannot be read.</exception>
    internal IReadOnlyList<SpokenRecording> Read(ParseResult arguments)
    {
        string language = Language(arguments);
        int? limit = arguments.GetValue(_limit);
        string? mode = arguments.GetValue(_imageMode);
        SpeechImages.CheckMode(mode);
        IReadOnlyList<SpokenRecording> recordings = (arguments.GetValue(_manifest), arguments.GetValue(_pack), arguments.GetValue(_source), arguments.GetValue(_target)) switch
        {
            ({ } file, null, null, null) => TalkManifest.Read(file, language, limit),
            (null, { } pack, { } source, { } target) => OfPack(pack, source, target, limit),
            _ => throw new UsageException("give either a MANIFEST, or --pack, --source and --target together."),
        };
        if (mode is SpeechImages.Given or SpeechImages.Unrelated && recordings.All(recording => recording.Images.Count == 0))
            throw new OmniFusionException($"--image-mode {mode}: no recording of the set has a picture.");
        return mode switch
        {
            SpeechImages.None => [.. recordings.Select(recording => recording with { Images = [] })],
            SpeechImages.Unrelated => OfOthers(recordings),
            _ => recordings,
        };
    }

    // The pictures of another recording, at the times of the own ones.
    private static SpokenRecording[] OfOthers(IReadOnlyList<SpokenRecording> recordings)
    {
        return [.. recordings.Select((recording, i) => recording with
        {
            Images = [.. recording.Images.Select((image, k) => image.Path is null ? image : image with { Path = Other(i, k) })],
        })];

        string Other(int recording, int image)
        {
            SpokenRecording own = recordings[recording];
            string?[] others = SpeechImages.FromAfar(recording, recordings.Count)
                .Select(other => recordings[other].Images.Select(seen => seen.Path)
                    .Where(path => path is not null && own.Images.All(seen => seen.Path != path)).ToArray())
                .FirstOrDefault(paths => paths.Length > 0)
                ?? throw new OmniFusionException($"--image-mode {SpeechImages.Unrelated}: no other recording has a picture that {own.Name} has not.");
            return others[image % others.Length]!;
        }
    }

    /// <exception cref="UsageException">There is no such unit.</exception>
    internal LatencyUnit Unit(ParseResult arguments) => arguments.GetValue(_unit) switch
    {
        "word" => LatencyUnit.Word,
        "char" => LatencyUnit.Character,
        null => arguments.GetValue(_to) is not null && WithoutSpaces(Language(arguments)) ? LatencyUnit.Character : LatencyUnit.Word,
        { } other => throw new UsageException($"--unit takes word or char, not '{other}'."),
    };

    internal static string NameOf(LatencyUnit unit) => unit == LatencyUnit.Word ? "word" : "char";

    /// <summary>How BLEU splits the language.</summary>
    internal BleuOptions Bleu(ParseResult arguments) => new()
    {
        Tokenizer = arguments.GetValue(_to) is null ? BleuTokenizer.V13a : Language(arguments) switch
        {
            "zh" => BleuTokenizer.Chinese,
            "ja" => BleuTokenizer.Character,
            _ => BleuTokenizer.V13a,
        },
    };

    /// <exception cref="UsageException">There is no such model.</exception>
    internal ComputationModel Computation(ParseResult arguments)
    {
        string name = arguments.GetValue(_computation)!;
        return s_models.Any(model => model.Name == name) ? s_models.First(model => model.Name == name).Model
            : throw new UsageException($"--computation takes {string.Join(", ", s_models.Select(model => model.Name))}, not '{name}'.");
    }

    /// <summary>Whether the model of computation was named, rather than left to its default.</summary>
    internal bool NamesComputation(ParseResult arguments) => arguments.GetResult(_computation) is { Implicit: false };

    internal static string NameOf(ComputationModel model) => s_models.First(known => known.Model == model).Name;

    private static bool WithoutSpaces(string language) => language is "zh" or "ja";

    private static SpokenRecording[] OfPack(string packFile, string sourceFile, string targetFile, int? limit)
    {
        SpokenTexts texts = SpokenTexts.Open(packFile, sourceFile, [targetFile]);
        return [.. texts.Spoken.Take(limit ?? int.MaxValue)
            .Select(i => (Index: i, Line: texts.Pack.Items[i].TextIndex))
            .Select(item => new SpokenRecording($"item-{item.Index:00000}",
                [new SpokenSentence(texts.Source[item.Line], texts.Targets[0][item.Line].Trim(), 0, null)],
                _ => texts.Pack.ReadSamples(item.Index)))];
    }
}
