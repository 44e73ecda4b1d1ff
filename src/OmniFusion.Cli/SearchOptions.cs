using System.CommandLine;
using OmniFusion.Models;
using OmniFusion.Media;

namespace OmniFusion.Cli;

/// <summary>The options that say how to search; what is not given is as the bundle says.</summary>
internal sealed class SearchOptions
{
    private const int MostBeams = 1024, MostTokens = 1 << 20, LargestBatch = 1024;

    private readonly Option<int?> _beams = Options.Whole("--beams", "Beams of the search; 1 is greedy", 1, MostBeams);
    private readonly Option<int?> _noRepeatNgram = Options.Whole(
        "--no-repeat-ngram", "No sequence of so many tokens appears twice; 0 allows all", 0, int.MaxValue);
    private readonly Option<double?> _lengthPenalty = Options.Number(
        "--length-penalty", "Exponent of the length by which scores are divided");
    private readonly Option<int?> _maxNewTokens = Options.Whole("--max-new-tokens", "Tokens to write at most", 1, MostTokens);
    private readonly Option<ImageSize?> _imageSize = Options.Size("--image-size", "Size to which images are brought");
    private readonly Option<int?> _batchSize;
    private readonly int _defaultBatch;

    internal SearchOptions(int defaultBatch)
    {
        _defaultBatch = defaultBatch;
        _batchSize = Options.Whole("--batch-size", $"Items computed together (default: {defaultBatch})", 1, LargestBatch);
    }

    internal void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _beams, _noRepeatNgram, _lengthPenalty, _maxNewTokens, _imageSize, _batchSize })
            command.Options.Add(option);
    }

    internal TranslationOptions Read(ParseResult arguments) => new()
    {
        Beams = arguments.GetValue(_beams),
        NoRepeatNgramSize = arguments.GetValue(_noRepeatNgram),
        LengthPenalty = (float?)arguments.GetValue(_lengthPenalty),
        MaxNewTokens = arguments.GetValue(_maxNewTokens),
        ImageSize = arguments.GetValue(_imageSize),
        BatchSize = arguments.GetValue(_batchSize) ?? _defaultBatch,
    };
}
