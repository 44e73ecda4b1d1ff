using System.Text;
using OmniFusion.Simultaneous;

namespace OmniFusion.Cli;

/// <summary>
/// The file of <c>--save</c>. It is opened before anything is heard, so that a place that cannot be written is told at once; what stood
/// there goes with the first thing that is heard, and from then on each event or subtitle is in the file as soon as it is there.
/// </summary>
internal sealed class StreamRecord : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private readonly bool _isNew, _web;
    private readonly Subtitles? _subtitles;
    private readonly StringBuilder _waiting = new();
    private bool _heard, _begun;
    private int _cues;

    private StreamRecord(string path, bool subtitles)
    {
        (_path, _subtitles) = (path, subtitles ? new Subtitles() : null);
        _web = path.EndsWith(".vtt", StringComparison.OrdinalIgnoreCase);
        _waiting.Append(_web ? Subtitles.WebHeader : "");
        _isNew = !File.Exists(path);
        _file = Writing(() => new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0));
    }

    /// <exception cref="UsageException">The name ends in nothing known.</exception>
    internal static void Check(string? path)
    {
        if (path is not null && Path.GetExtension(path).ToLowerInvariant() is not (".srt" or ".vtt" or ".jsonl"))
            throw new UsageException($"--save writes .srt, .vtt or .jsonl, not '{path}'.");
    }

    /// <exception cref="OmniFusionException">The place cannot be written.</exception>
    internal static StreamRecord? Open(string? path) => path is null ? null
        : !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))
            ? throw new OmniFusionException($"--save {path}: its folder does not exist.")
            : new StreamRecord(path, !path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase));

    /// <exception cref="OmniFusionException">The place cannot be written any more.</exception>
    internal void Add(StreamEvent happened)
    {
        if (_subtitles is null)
        {
            _waiting.Append(StreamView.Line(happened)).Append('\n');
            _heard |= happened.EndsSegment || happened.Committed.Length > 0 || happened.Tentative.Length > 0;
        }
        else
        {
            _subtitles.Add(happened);
            for (; _cues < _subtitles.Cues.Count; _cues++)
                _waiting.Append(_subtitles.Cues[_cues].Entry(_cues + 1, _web));
            _heard = _cues > 0;
        }
        if (_heard)
            Write();
    }

    /// <summary>Nothing failed. Of a stream that came to its end, a record of silence is one, too; of one that was stopped it is not.</summary>
    /// <exception cref="OmniFusionException">The place cannot be written any more.</exception>
    internal void Complete(bool stopped)
    {
        if (!stopped)
            Write();
    }

    public void Dispose()
    {
        _file.Dispose();
        if (_isNew && !_begun)
            File.Delete(_path);
    }

    private void Write() => Writing(() =>
    {
        // A pipe or a device has nothing to replace.
        if (!_begun && _file.CanSeek && _file.Length > 0)
            _file.SetLength(0);
        _begun = true;
        _file.Write(Encoding.UTF8.GetBytes(_waiting.ToString()));
        _waiting.Clear();
        return true;
    });

    private T Writing<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new OmniFusionException($"--save {_path} cannot be written: {error.Message}", error);
        }
    }
}
