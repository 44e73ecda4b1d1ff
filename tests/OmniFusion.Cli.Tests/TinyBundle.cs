using System.Text.Json;
using System.Text.Json.Nodes;

namespace OmniFusion.Cli.Tests;

/// <summary>A bundle of the small random checkpoints in a folder of its own, for tests to break.</summary>
internal sealed class TinyBundle : IDisposable
{
    public TinyBundle()
    {
        foreach (string part in new[] { "omni", "translator", "fusion" })
        {
            Directory.CreateDirectory(this[part]);
            foreach (string file in Directory.GetFiles(Path.Combine(Goldens, "tiny", part)))
                File.Copy(file, this[$"{part}/{Path.GetFileName(file)}"]);
        }
        Write("omnifusion.json", """{"generation": {"max_new_tokens": 24}}""");
    }

    public static string Goldens { get; } = FindGoldens();

    public string Folder { get; } = Directory.CreateTempSubdirectory("omnifusion-cli-").FullName;

    public string this[string name] => Path.Combine(Folder, name);

    public static string Media(string name) => Path.Combine(Goldens, "media", Path.GetFileName(name));

    public static JsonElement Case(string name) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Goldens, "cases", name + ".json"))).RootElement;

    /// <summary>What the published code writes for the first input of a case, with the default search.</summary>
    public static string Expected(string name) =>
        Case(name).GetProperty("text").GetProperty("beam5_ngram5_lp1.0")[0].GetString()!;

    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public void EditJson(string name, Action<JsonObject> edit)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(this[name]))!.AsObject();
        edit(json);
        Write(name, json.ToJsonString());
    }

    public void Truncate(string name)
    {
        using FileStream file = File.OpenWrite(this[name]);
        file.SetLength(file.Length / 2);
    }

    public Task<Outcome> Translate(params string[] arguments) =>
        CommandLine.Run(["translate", .. arguments, "--model", Folder]);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static string FindGoldens()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "tests", "goldens")))
                return Path.Combine(folder.FullName, "tests", "goldens");
        throw new DirectoryNotFoundException("tests/goldens");
    }
}
