using System.Text.Encodings.Web;
using System.Text.Json;

namespace OmniFusion.Cli;

/// <summary>JSON as the command prints it: names in camel case, other scripts readable.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions s_line = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
    private static readonly JsonSerializerOptions s_indented = new(s_line) { WriteIndented = true };

    internal static string Line<T>(T value) => JsonSerializer.Serialize(value, s_line);

    internal static string Indented<T>(T value) => JsonSerializer.Serialize(value, s_indented);
}
