using System.CommandLine;

namespace OmniFusion.Cli;

/// <summary>The options that say which spoken sentences are evaluated.</summary>
internal sealed class SpeechSetOptions
{
    private readonly Argument<string?> _manifest = new("MANIFEST")
    {
        Description = "File with one object {\"audio\", \"text\", \"translation\" or \"translations\": {\"de\": ...}, "
            + "\"image\", \"voice\"} a line, the last two optional, paths relative to it",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _pack = Options.Pack(), _source = Options.Source();
    private readonly Option<string[]> _target = new("--target")
    {
        Description = "Their translations, plain or .gz, one file for each language of --to",
        HelpName = "FILE",
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly Option<string?> _imageMode = new("--image-mode")
    {
        Description = "Pictures that the fused model sees: none, given (the items' own; default where there are any) "
            + "or unrelated (of other items)",
        HelpName = "MODE",
    };
    private readonly Option<string?> _images = new("--images")
    {
        Description = "Folder of pictures for --image-mode unrelated",
        HelpName = "DIR",
    };
    private readonly Option<string?> _terms = new("--terms")
    {
        Description = "A term of each line of --source, such as a name, of which is told how often it comes out as written",
        HelpName = "FILE",
    };
    private readonly Option<string?> _slides = new("--slides")
    {
        Description = "Pack of synthesize slides: the fused model sees a slide with the item's term",
        HelpName = "PACK",
    };
    private readonly Option<int?> _limit = Options.Whole("--limit", "The first items only", 1, int.MaxValue);

    internal void AddTo(Command command, bool withImages = true)
    {
        command.Arguments.Add(_manifest);
        foreach (Option option in new Option[] { _pack, _source, _target })
            command.Options.Add(option);
        if (withImages)
            foreach (Option option in new Option[] { _imageMode, _terms, _slides })
                command.Options.Add(option);
        else
            _images.Description = "Folder of wrong pictures for the spoken sentences";
        command.Options.Add(_images);
        command.Options.Add(_limit);
    }

    /// <summary>Whether any set is named.</summary>
    internal bool NamesSet(ParseResult arguments) => arguments.GetValue(_manifest) is not null || arguments.GetValue(_pack) is not null;

    /// <summary>The folder of unrelated pictures, or null.</summary>
    internal string? ImageFolder(ParseResult arguments) => arguments.GetValue(_images);

    /// <summary>How many items are wanted, or null for all.</summary>
    internal int? Limit(ParseResult arguments) => arguments.GetValue(_limit);

    /// <summary>Codes of the languages of <c>--to</c>.</summary>
    /// <exception cref="UsageException">None is named, one is named twice, or there is no such language.</exception>
    internal static IReadOnlyList<string> Languages(string? to)
    {
        string[] codes = [.. (to ?? throw new UsageException("--to LANG is missing."))
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name => LanguageOption.Code(name)!)];
        return codes.Length == 0 ? throw new UsageException("--to LANG is missing.")
            : codes.Distinct().Count() == codes.Length ? codes
            : throw new UsageException("--to names a language twice.");
    }

    /// <exception cref="UsageException">The options do not go together.</exception>
    /// <exception cref="OmniFusionException">The set cannot be read.</exception>
    internal SpeechTestSet Open(ParseResult arguments, IReadOnlyList<string> languages)
    {
        string[] targets = arguments.GetValue(_target) ?? [];
        int? limit = Limit(arguments);
        switch (arguments.GetValue(_manifest), arguments.GetValue(_pack), arguments.GetValue(_source))
        {
            case ({ }, null, null) when arguments.GetValue(_terms) is not null:
                throw new UsageException("--terms goes with --source; a MANIFEST has a 'term' in its lines.");
            case ({ } file, null, null) when targets.Length == 0:
                return SpeechTestSet.OfManifest(file, languages, limit);
            case (null, { } pack, { } source) when targets.Length == languages.Count:
                return SpeechTestSet.OfPack(pack, source, targets, languages, arguments.GetValue(_terms), limit);
            case (null, { }, { }) when targets.Length > 0:
                throw new UsageException(
                    $"--to names {languages.Count} languages and --target {targets.Length} files: give one file a language.");
            default:
                throw new UsageException("spoken sentences are either a MANIFEST, or --pack, --source and --target together.");
        }
    }

    /// <summary>The pictures that the options ask for.</summary>
    internal SpeechImages Images(ParseResult arguments, SpeechTestSet set) => arguments.GetValue(_slides) is not { } slides
        ? SpeechImages.Choose(set, arguments.GetValue(_imageMode), arguments.GetValue(_images))
        : arguments.GetValue(_imageMode) is null && arguments.GetValue(_images) is null ? SpeechImages.OfSlides(set, slides)
        : throw new UsageException("--slides does not go with --image-mode or --images.");
}
