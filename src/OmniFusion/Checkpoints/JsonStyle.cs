using System.Text.Encodings.Web;
using System.Text.Json;

namespace OmniFusion.Checkpoints;

/// <summary>How settings files are written.</summary>
internal static class JsonStyle
{
    /// <summary>Indented, with letters of all languages as they are.</summary>
    public static JsonSerializerOptions Indented { get; } = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
