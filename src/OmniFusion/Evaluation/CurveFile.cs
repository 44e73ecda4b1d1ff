using System.Text;
using System.Text.Json;

namespace OmniFusion.Evaluation;

/// <summary>
/// Points of quality-latency curves, one JSON object a line, only ever appended to: a sweep that was stopped goes on where it was.
/// </summary>
public sealed class CurveFile
{
    private readonly string _path;
    private readonly List<CurvePoint> _points = [];

    private CurveFile(string path) => _path = path;

    /// <summary>The points so far.</summary>
    public IReadOnlyList<CurvePoint> Points => _points;

    /// <summary>Opens a file or begins one; of a last line without an end nothing stays unless it is a whole point.</summary>
    /// <exception cref="OmniFusionException">The file cannot be read, or a whole line is no point.</exception>
    public static CurveFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        CurveFile file = new(path);
        if (!File.Exists(path))
            return file;
        Guard(path, () =>
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite);
            long end = EndOfLines(stream);
            if (end == stream.Length)
                return;
            byte[] rest = new byte[stream.Length - end];
            stream.Position = end;
            stream.ReadExactly(rest);
            if (IsPoint(rest))
                stream.Write("\n"u8);
            else
                stream.SetLength(end);
        });
        JsonLines.Read(path, line => file._points.Add(Point(line) ?? throw new OmniFusionException("it is no point of a curve.")));
        return file;
    }

    /// <summary>The point that was measured with a setting, if there is one.</summary>
    public CurvePoint? Find(CurveSetting setting) => _points.Find(point => point.Setting == setting);

    /// <summary>Adds a point, in the file and here.</summary>
    /// <exception cref="OmniFusionException">The file cannot be written.</exception>
    public void Add(CurvePoint point)
    {
        byte[] line = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(point, JsonSerializerOptions.Web) + "\n");
        Guard(_path, () =>
        {
            using FileStream stream = new(_path, FileMode.Append, FileAccess.Write);
            stream.Write(line);
            stream.Flush(flushToDisk: true);
        });
        _points.Add(point);
    }

    private static CurvePoint? Point(JsonElement line) => line.Deserialize<CurvePoint>(JsonSerializerOptions.Web)
        is { Setting: { Policy: not null, System: not null }, Scores: not null } point ? point : null;

    private static bool IsPoint(byte[] line)
    {
        try
        {
            return Point(JsonSerializer.Deserialize<JsonElement>(line)) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static long EndOfLines(FileStream stream)
    {
        for (long end = stream.Length; end > 0; end--)
        {
            stream.Position = end - 1;
            if (stream.ReadByte() == '\n')
                return end;
        }
        return 0;
    }

    private static void Guard(string path, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{path} cannot be read or written: {e.Message}", e);
        }
    }
}
