using System.Text.Encodings.Web;
using System.Text.Json;

namespace OmniFusion.Evaluation;

/// <summary>Reads a file with one JSON object a line; whatever is wrong with it becomes one sentence that names file and line.</summary>
internal static class JsonLines
{
    private static readonly JsonSerializerOptions s_style = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object as a line with its end.</summary>
    public static string Line<T>(T value) => JsonSerializer.Serialize(value, s_style) + "\n";

    public static void Read(string path, Action<JsonElement> take)
    {
        int number = 0;
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                number++;
                if (string.IsNullOrWhiteSpace(line))
                    continue;
                using JsonDocument document = JsonDocument.Parse(line);
                take(document.RootElement);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new OmniFusionException($"{path} cannot be read: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new OmniFusionException($"Line {number} of {path} is not JSON.", e);
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new OmniFusionException($"Line {number} of {path} lacks a value, or one is of the wrong kind.", e);
        }
        catch (OmniFusionException e)
        {
            throw new OmniFusionException($"Line {number} of {path}: {e.Message}", e);
        }
    }

    public static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetDouble())];

    public static string[] Strings(JsonElement array) =>
        [.. array.EnumerateArray().Select(e => e.GetString() ?? throw new InvalidOperationException())];
}
