using OmniFusion.Checkpoints;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>The file of <c>--save</c>.</summary>
internal sealed class StreamRecord
{
    private readonly string _path;
    private readonly Subtitles? _subtitles;
    private readonly List<string> _lines = [];

    private StreamRecord(string path, bool subtitles) => (_path, _subtitles) = (path, subtitles ? new Subtitles() : null);

    /// <exception cref="UsageException">The name ends in nothing known.</exception>
    /// <exception cref="OmniFusionException">There is no such folder: to be told before an hour of talk, not after it.</exception>
    internal static StreamRecord? Of(string? path)
    {
        if (path is null)
            return null;
        bool subtitles = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".srt" or ".vtt" => true,
            ".jsonl" => false,
            _ => throw new UsageException($"--save writes .srt, .vtt or .jsonl, not '{path}'."),
        };
        return Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))) ? new StreamRecord(path, subtitles)
            : throw new OmniFusionException($"--save {path}: its folder does not exist.");
    }

    internal void Add(StreamEvent happened)
    {
        if (_subtitles is null)
            _lines.Add(StreamView.Line(happened));
        _subtitles?.Add(happened);
    }

    /// <exception cref="OmniFusionException">The place cannot be written.</exception>
    internal void Save()
    {
        if (_subtitles is null)
            AtomicFile.WriteText(_path, string.Concat(_lines.Select(line => line + "\n")));
        _subtitles?.Save(_path);
    }
}
