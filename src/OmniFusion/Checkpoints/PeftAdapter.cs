using System.Text.RegularExpressions;
using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>
/// An adapter in the layout of the PEFT library, as OmniFusion is published: low-rank updates of the translator (and of the thinker under
/// <c>omni_model.</c>), and whole tensors: the fusion layer and projection, and embeddings or output layers.
/// </summary>
public sealed partial class PeftAdapter
{
    private const string Wrapper = "base_model.model.";

    private readonly Dictionary<string, Tensor> _tensors;
    private readonly Dictionary<(AdapterPart? Part, string Key), List<string>> _names = [];
    private readonly List<string> _formless = [];

    private PeftAdapter(string source, PeftConfig config, Dictionary<string, Tensor> tensors, params IEnumerable<string> uncomputable)
    {
        Source = source;
        Config = config;
        _tensors = tensors;
        PartBuilder translator = new(source, config), thinker = new(source, config);
        List<(string Key, Tensor Tensor)> fusion = [];
        foreach (var (name, tensor) in tensors)
        {
            Form form = Form.Parse(name);
            if (form.Room == Room.Fusion && form.Side is null)
                fusion.Add((form.Key, tensor));
            else if (form.Room == Room.None || form.Room == Room.Fusion)
                _formless.Add(name);
            else
                (form.Room == Room.Thinker ? thinker : translator).Add(form, name, tensor);
        }
        _formless.AddRange(uncomputable);
        Translator = translator.Build();
        Thinker = thinker.Build();
        Fusion = Checkpoint.Of(fusion, source);
        foreach (string name in tensors.Keys)
            NameIt(name, Form.Parse(name));
    }

    /// <summary>The folder it was read from, or what it was called.</summary>
    public string Source { get; }

    /// <summary>Its settings.</summary>
    public PeftConfig Config { get; }

    /// <summary>All its tensors under the names of the file.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>What it changes in the translator: <c>weights.With(adapter.Translator)</c>.</summary>
    public AdapterPart Translator { get; }

    /// <summary>What it changes in the thinker (keys under <c>omni_model.</c>); mostly nothing.</summary>
    public AdapterPart Thinker { get; }

    /// <summary>The fusion layer and the projection: keys <c>omni_fusion.*</c> and <c>omni_projection.*</c>.</summary>
    public Checkpoint Fusion { get; }

    /// <summary>
    /// Names in the file that found no place so far: their form is unknown, no model that took the adapter has such a tensor, or nobody
    /// asked for them.
    /// </summary>
    public IReadOnlyList<string> UnplacedKeys
    {
        get
        {
            IEnumerable<string> names = Translator.Unplaced.SelectMany(key => _names[(Translator, key)])
                .Concat(Thinker.Unplaced.SelectMany(key => _names[(Thinker, key)]))
                .Concat(Fusion.UnusedKeys().SelectMany(key => _names[(null, key)]));
            return [.. names.Concat(_formless).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Reads <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or the adapter is of a kind that is not supported.</exception>
    public static PeftAdapter Load(string folder)
    {
        PeftConfig config = PeftConfig.Load(Path.Combine(folder, "adapter_config.json"));
        SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors"));
        // What is stored in a type that nobody computes with has no place, whatever its name is.
        ILookup<bool, string> names = file.Entries.ToLookup(entry => entry.DType is not null, entry => entry.Name);
        return new PeftAdapter(folder, config, names[true].ToDictionary(name => name, file.Tensor), names[false]);
    }

    /// <summary>An adapter of tensors in memory, under names as in PEFT's files.</summary>
    /// <exception cref="OmniFusionException">The tensors do not fit each other or the settings.</exception>
    public static PeftAdapter Of(PeftConfig config, IEnumerable<(string Name, Tensor Tensor)> tensors, string source = "a new adapter") =>
        new(source, config, tensors.ToDictionary(item => item.Name, item => item.Tensor));

    /// <summary>New low-rank updates of every matrix of a translator's layers, to be trained: they start as nothing.</summary>
    /// <param name="translator">Its sizes.</param>
    /// <param name="rank">Rank of the updates; their alpha is twice that.</param>
    /// <param name="seed">Of the first weights.</param>
    public static PeftAdapter ForTranslator(MistralConfig translator, int rank, int seed)
    {
        PeftConfig peft = new()
        {
            Rank = rank, Alpha = 2 * rank, ModulesToSave = ["omni_fusion", "omni_projection"],
            TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        };
        int d = translator.HiddenSize, f = translator.IntermediateSize;
        int q = translator.NumAttentionHeads * translator.HeadDim, kv = translator.NumKeyValueHeads * translator.HeadDim;
        WeightInitializer initializer = new(seed, 1 / MathF.Sqrt(d));
        List<(string, Tensor)> tensors = [];
        for (int layer = 0; layer < translator.NumHiddenLayers; layer++)
            foreach ((string name, int rows, int columns) in new[]
            {
                ("self_attn.q_proj", q, d), ("self_attn.k_proj", kv, d), ("self_attn.v_proj", kv, d), ("self_attn.o_proj", d, q),
                ("mlp.gate_proj", f, d), ("mlp.up_proj", f, d), ("mlp.down_proj", d, f),
            })
            {
                string path = $"{Wrapper}model.layers.{layer}.{name}.";
                // A random, B zero (Hu et al. 2022).
                tensors.Add((path + "lora_A.weight", initializer.Make(path + "lora_A.weight", new Shape(rank, columns))));
                tensors.Add((path + "lora_B.weight", Tensor.Zeros(new Shape(rows, rank))));
            }
        return Of(peft, tensors).Trainable();
    }

    /// <summary>
    /// The same adapter with copies in single precision that require a gradient: its <see cref="Tensors"/> are the parameters.
    /// </summary>
    public PeftAdapter Trainable() =>
        new(Source, Config, _tensors.ToDictionary(item => item.Key, item => item.Value.ToF32().RequireGrad()));

    /// <summary>Writes both files into a folder, which is made when it is missing; tensors keep their names.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="storeAs">F32 or BF16 for all; null: each as it is.</param>
    /// <exception cref="OmniFusionException">The files cannot be written.</exception>
    public void Save(string folder, DType? storeAs = null)
    {
        AtomicFile.MakeFolder(folder);
        SafeTensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"),
            _tensors.Select(item => (item.Key, item.Value)), storeAs: storeAs);
        Config.Save(Path.Combine(folder, "adapter_config.json"));
    }

    private void NameIt(string name, Form form)
    {
        AdapterPart? part = form.Room switch { Room.Translator => Translator, Room.Thinker => Thinker, _ => null };
        if (!_names.TryGetValue((part, form.Key), out List<string>? names))
            _names[(part, form.Key)] = names = [];
        names.Add(name);
    }

    private enum Room
    {
        None,
        Translator,
        Thinker,
        Fusion,
    }

    // What a name in the file means: the tensor it changes, and how. Side is 'A' or 'B' of an update, null for a whole tensor.
    private sealed partial record Form(Room Room, string Key, char? Side, bool Embedding)
    {
        public string Module => Key[..^".weight".Length];

        public static Form Parse(string name)
        {
            string key = name.StartsWith(Wrapper, StringComparison.Ordinal) ? name[Wrapper.Length..] : name;
            char? side = null;
            Match update = UpdateName().Match(key);
            if (update.Success)
            {
                side = update.Groups["side"].Value[0];
                key = update.Groups["module"].Value + ".weight";
            }
            else if (key.Contains(".lora_", StringComparison.Ordinal))
            {
                return new Form(Room.None, name, null, false);
            }
            key = SavedWhole().Replace(key, ".");
            bool embedding = update.Groups["embedding"].Success;
            if (FusionName().Match(key) is { Success: true } fusion)
                return new Form(Room.Fusion, key[fusion.Groups["name"].Index..], side, embedding);
            return ThinkerName().Match(key) is { Success: true } thinker
                ? new Form(Room.Thinker, thinker.Groups["name"].Value, side, embedding)
                : new Form(Room.Translator, key, side, embedding);
        }

        [GeneratedRegex(@"^(?<module>.+)\.lora_(?:(?<embedding>embedding_)(?<side>[AB])(?:\.[^.]+)?|(?<side>[AB])(?:\.[^.]+)?\.weight)$")]
        private static partial Regex UpdateName();

        [GeneratedRegex(@"\.(?:modules_to_save(?:\.default)?|base_layer)\.")]
        private static partial Regex SavedWhole();

        [GeneratedRegex(@"(?:^|\.)(?<name>omni_(?:fusion|projection)\.)")]
        private static partial Regex FusionName();

        [GeneratedRegex(@"(?:^|\.)omni_model\.(?:thinker\.)?(?<name>.+)$")]
        private static partial Regex ThinkerName();
    }

    // Brings the two halves of each update together and checks that they belong together.
    private sealed class PartBuilder(string source, PeftConfig config)
    {
        private readonly Dictionary<string, (Tensor? A, Tensor? B, bool Embedding, string Module)> _halves = [];
        private readonly Dictionary<string, Tensor> _whole = [];

        public void Add(Form form, string name, Tensor tensor)
        {
            if (form.Side is null)
            {
                if (!_whole.TryAdd(form.Key, tensor))
                    throw new OmniFusionException($"{source}: '{name}' says '{form.Key}' a second time");
                return;
            }
            var (a, b, _, _) = _halves.GetValueOrDefault(form.Key);
            if ((form.Side == 'A' ? a : b) is not null)
                throw new OmniFusionException($"{source}: '{name}' is a second update of '{form.Key}'");
            _halves[form.Key] = form.Side == 'A' ? (tensor, b, form.Embedding, form.Module) : (a, tensor, form.Embedding, form.Module);
        }

        public AdapterPart Build() => new(source, _halves.ToDictionary(item => item.Key, item => Update(item.Key, item.Value)), _whole);

        private LowRankUpdate Update(string key, (Tensor? A, Tensor? B, bool Embedding, string Module) halves)
        {
            if (halves is not { A: { } a, B: { } b })
                throw new OmniFusionException($"{source}: the update of '{key}' has only lora_{(halves.A is null ? 'B' : 'A')}");
            if (a.Shape.Rank != 2 || b.Shape.Rank != 2)
                throw new OmniFusionException($"{source}: the update of '{key}' is not made of matrices, but of {a.Shape} and {b.Shape}");
            int rank = config.RankOf(halves.Module);
            if (a.Rows != rank || b.Columns != rank)
                throw new OmniFusionException(
                    $"{source}: the update of '{key}' is {b.Shape} times {a.Shape}, but adapter_config.json says rank {rank}");
            return new LowRankUpdate(a, b, config.ScaleOf(halves.Module), halves.Embedding || config.FanInFanOut);
        }
    }
}
