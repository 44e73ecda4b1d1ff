using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>
/// The tensors of a model by name: a folder with <c>model.safetensors</c>, with <c>model.safetensors.index.json</c> and its shards, or
/// with a single file of whatever name; one file; or tensors in memory. It remembers which ones were asked for.
/// </summary>
public sealed class Checkpoint : IWeightSource
{
    private const string IndexName = "model.safetensors.index.json";

    private readonly Dictionary<string, SafeTensorsFile> _files;
    private readonly Dictionary<string, Tensor> _memory;
    private readonly HashSet<string> _asked = [];

    private Checkpoint(string source, Dictionary<string, SafeTensorsFile> files, Dictionary<string, Tensor> memory)
    {
        Source = source;
        _files = files;
        _memory = memory;
    }

    /// <summary>The folder or file it was opened from, or what it was called, for messages.</summary>
    public string Source { get; }

    /// <summary>The names of all tensors.</summary>
    public IEnumerable<string> Keys => _files.Keys.Concat(_memory.Keys);

    /// <summary>The tensors of files with their stored types and sizes; empty for tensors in memory.</summary>
    public IEnumerable<SafeTensorsEntry> Entries => _files.Select(item => item.Value.Entry(item.Key)!);

    /// <summary>Opens a folder, or one safetensors file.</summary>
    /// <exception cref="OmniFusionException">
    /// There are no weights, a shard is missing or lacks a tensor that the index promises, or a file is damaged.
    /// </exception>
    public static Checkpoint Open(string folderOrFile)
    {
        if (File.Exists(folderOrFile))
            return OfFile(folderOrFile, folderOrFile);
        if (!Directory.Exists(folderOrFile))
            throw new OmniFusionException($"{folderOrFile} does not exist");
        string index = Path.Combine(folderOrFile, IndexName), whole = Path.Combine(folderOrFile, "model.safetensors");
        if (File.Exists(whole))
            return OfFile(folderOrFile, whole);
        if (File.Exists(index))
            return OfShards(folderOrFile, index);
        return FilesIn(folderOrFile) switch
        {
            [string single] => OfFile(folderOrFile, single),
            [] => throw new OmniFusionException($"{folderOrFile} holds no *.safetensors file"),
            string[] several => throw new OmniFusionException(
                $"{folderOrFile} holds {several.Length} *.safetensors files, but neither model.safetensors nor {IndexName}"),
        };
    }

    /// <summary>A checkpoint of tensors in memory.</summary>
    /// <param name="tensors">Names and values; a later one replaces an earlier one of the same name.</param>
    /// <param name="source">What to call it in messages.</param>
    public static Checkpoint Of(IEnumerable<(string Name, Tensor Tensor)> tensors, string source = "memory")
    {
        Dictionary<string, Tensor> memory = [];
        foreach (var (name, tensor) in tensors)
            memory[name] = tensor;
        return new Checkpoint(source, [], memory);
    }

    /// <summary>Whether there is a tensor of this name; does not count as asking for it.</summary>
    public bool Has(string name) => _files.ContainsKey(name) || _memory.ContainsKey(name);

    /// <summary>A tensor, or null when there is none of this name.</summary>
    /// <exception cref="OmniFusionException">It is stored in a type that cannot be computed with, or has more than five axes.</exception>
    public Tensor? Find(string name)
    {
        Tensor? tensor = _memory.GetValueOrDefault(name) ?? _files.GetValueOrDefault(name)?.Tensor(name);
        if (tensor is not null)
            _asked.Add(name);
        return tensor;
    }

    /// <summary>A tensor of the given sizes; -1 stands for any size.</summary>
    /// <exception cref="OmniFusionException">It is not there or has other sizes.</exception>
    public Tensor Get(string name, params ReadOnlySpan<int> shape) => new Weights(this).Get(name, shape);

    /// <summary>The weights under a prefix, with or without its final dot.</summary>
    public Weights Under(string prefix) => new Weights(this).Under(prefix);

    /// <summary>Names that nobody has asked for, in order, without those that begin with one of the ignored prefixes.</summary>
    public IReadOnlyList<string> UnusedKeys(params ReadOnlySpan<string> ignoredPrefixes)
    {
        string[] ignored = ignoredPrefixes.ToArray();
        return [.. Keys.Where(key => !_asked.Contains(key) && !ignored.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    string IWeightSource.Where(string key) => _files.GetValueOrDefault(key)?.Path ?? Source;

    private static Checkpoint OfFile(string source, string path)
    {
        SafeTensorsFile file = SafeTensorsFile.Open(path);
        return new Checkpoint(source, file.Entries.ToDictionary(entry => entry.Name, _ => file), []);
    }

    private static Checkpoint OfShards(string folder, string index)
    {
        Dictionary<string, SafeTensorsFile> shards = [], files = [];
        JsonSection map = JsonSection.Open(index).Section("weight_map");
        foreach (string key in map.Entries.Select(entry => entry.Key))
        {
            string name = map.StringOrNull(key) ?? throw map.Wrong(key, "names no file");
            if (!shards.TryGetValue(name, out SafeTensorsFile? shard))
                shards[name] = shard = OpenShard(folder, index, name);
            if (!shard.Has(key))
                throw new OmniFusionException($"{shard.Path} lacks the tensor '{key}' that {index} promises");
            files[key] = shard;
        }
        return new Checkpoint(folder, files, []);
    }

    private static SafeTensorsFile OpenShard(string folder, string index, string name)
    {
        // An index must not reach out of its folder.
        if (name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\\', '\0'))
            throw new OmniFusionException($"{index} names the shard '{name}', which is no file of its folder");
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? SafeTensorsFile.Open(path)
            : throw new OmniFusionException($"the shard {path} that {index} names is missing");
    }

    private static string[] FilesIn(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, "*.safetensors");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{folder} cannot be read: {e.Message}", e);
        }
    }
}
