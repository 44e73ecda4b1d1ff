namespace OmniFusion.Training.Data;

/// <summary>Lists that come with the program.</summary>
internal static class EmbeddedLines
{
    internal static string[] Read(string name)
    {
        using Stream list = typeof(EmbeddedLines).Assembly.GetManifestResourceStream("OmniFusion.Training.Data." + name)!;
        using StreamReader reader = new(list);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
