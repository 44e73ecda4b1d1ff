using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Media;
using OmniFusion.Models.Fusion;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Data;

namespace OmniFusion.Training;

/// <summary>
/// Trains the fusion of a frozen thinker with a translator: fusion layer and projection from nothing, and either low-rank updates of the
/// translator or all of it. Steps of speech alternate with a batch of text now and then, so that the translator does not forget.
/// </summary>
public sealed class FusionTask : TrainingTask
{
    private const string TranslatorFolder = "translator", ThinkerFolder = "omni", AdapterFolder = "fusion", AdapterPrefix = "base_model.model.model.";

    private readonly Recipe _recipe;
    private readonly MistralConfig _translatorConfig;
    private readonly Tokenizer _thinkerTokenizer, _tokenizer;
    private readonly Thinker _thinker;
    private readonly MistralModel _translator;
    private readonly FusionLayer _fusion;
    private readonly Projection _projection;
    private readonly Weights _translatorWeights, _fusionWeights;
    private readonly PeftAdapter? _lowRank;
    private readonly int[] _prompt;
    private readonly TextPairs _pairs;
    private readonly Batches _textBatches;
    private readonly SpeechExamples _speech, _validation;
    private readonly Batches _speechBatches;
    private readonly Dictionary<string, (string[] Source, string[] Target)> _validationText = [];
    private readonly Dictionary<string, int[][]> _targets = [];
    private readonly Dictionary<string, int[]> _tower = [];

    /// <summary>Loads both models and opens the data.</summary>
    public FusionTask(Recipe recipe)
    {
        _recipe = recipe;
        string mmfm = recipe.Mmfm ?? throw new OmniFusionException("A fusion recipe names the thinker's folder under 'mmfm'.");
        string translator = recipe.Translator ?? throw new OmniFusionException("A fusion recipe names the translator's folder under 'translator'.");
        OmniConfig thinkerConfig = OmniConfig.Load(Path.Combine(mmfm, "config.json"));
        _thinkerTokenizer = Tokenizer.Load(mmfm);
        _tokenizer = Tokenizer.Load(translator);
        _thinker = new Thinker(thinkerConfig, new Weights(Checkpoint.Open(mmfm)).Under("thinker"));
        _translatorConfig = MistralConfig.Load(Path.Combine(translator, "config.json"));
        _lowRank = recipe.LoraRank > 0 ? NewLowRank(recipe, _translatorConfig) : null;
        _translatorWeights = _lowRank is null
            ? new Weights(Checkpoint.Open(translator), trainable: true)
            : new Weights(Checkpoint.Open(translator)).Beside(_lowRank.Translator);
        _translator = new MistralModel(_translatorConfig, _translatorWeights);
        _translator.Decoder.Dropout = recipe.Dropout;
        _fusionWeights = recipe.Start is null
            ? Weights.FromScratch(new WeightInitializer(recipe.Seed, recipe.Model.InitStd))
            : new Weights(PeftAdapter.Load(recipe.Start).Fusion, trainable: true);
        _fusion = FusionLayer.Create(recipe.FusionMode, _thinker.HiddenSize, _fusionWeights.Under("omni_fusion"));
        _projection = new Projection(_thinker.HiddenSize, _translator.HiddenSize, recipe.ProjectionDepth, _fusionWeights.Under("omni_projection"));

        Language english = Languages.Find("en");
        _prompt = _thinkerTokenizer.Encode(PromptStyle.Compact.Chat(new PromptInput { Audio = true }, english), addSpecialTokens: false);
        foreach ((string language, string file) in recipe.Data.Targets)
        {
            _targets[language] = [.. TextLines.ReadPair(recipe.Data.Source, file).Target.Select(line => TextPairs.Target(_tokenizer, line))];
            _tower[language] = _tokenizer.Encode(PromptStyle.Compact.Tower(new PromptInput { Audio = true }, Languages.Find(language)), addSpecialTokens: false);
        }
        foreach ((string language, string file) in recipe.Data.ValidationTargets)
            _validationText[language] = TextLines.ReadPair(recipe.Data.ValidationSource, file);
        _pairs = new TextPairs(recipe.Data, _tokenizer);
        _textBatches = new Batches(_pairs.Items.Select(pair => (double)(pair.Prompt.Length + pair.Target.Length)), recipe.BatchTokens, recipe.Seed);
        LogMel logMel = new();
        _speech = new SpeechExamples(SpeechPack.Open(recipe.Data.Speech), logMel, recipe.Seed, 30);
        _speechBatches = new Batches(_speech.Seconds, recipe.BatchSeconds, recipe.Seed);
        _validation = new SpeechExamples(SpeechPack.Open(recipe.Data.ValidationSpeech), logMel, recipe.Seed, 30, recipe.EvaluateItems);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Parameters =>
        (_lowRank is null ? _translatorWeights.Taken.Select(item => ("translator." + item.Key, item.Value)) : _lowRank.Tensors.Select(item => (item.Key, item.Value)))
        .Concat(_fusionWeights.Taken.Select(item => (item.Key, item.Value))).ToDictionary(item => item.Item1, item => item.Value);

    /// <inheritdoc/>
    public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
    {
        if (_recipe.TextEvery > 0 && step % _recipe.TextEvery == 0)
        {
            Tensor text = _pairs.Loss(c, _translator, _textBatches.At(step / _recipe.TextEvery), _recipe.LabelSmoothing);
            Add(report, "#text_loss", text.Span[0]);
            Add(report, "#text_steps", 1);
            return text;
        }
        int[] batch = _speechBatches.At(_recipe.TextEvery > 0 ? step - step / _recipe.TextEvery : step);
        // Items of one batch may have different target languages; which one an item has changes from pass to pass.
        string[] languages = [.. _targets.Keys];
        string[] wanted = [.. batch.Select((item, i) => languages[(item + i + _speechBatches.Epoch) % languages.Length])];
        ThinkerInput[] inputs = [.. batch.Select(item => new ThinkerInput { Ids = _prompt, Mel = _speech.ReadAugmented(item, _speechBatches.Epoch) })];
        int[][] targets = [.. batch.Select((item, i) => _targets[wanted[i]][_speech.TextIndex(item)])];
        (Tensor prefix, Segments prefixes, Tensor? gates) = Prefix(c, inputs);
        (Tensor embeddings, Segments segments) = Join(c, prefix, prefixes, [.. wanted.Select((language, i) => _tower[language].Concat(targets[i].SkipLast(1)).ToArray())]);
        Tensor last = _translator.Forward(c, embeddings, segments);
        (int[] rows, int[] labels) = TextPairs.Targets(segments, targets);
        Tensor loss = c.CrossEntropy(_translator.Logits(c, c.Gather(last, rows)), labels, _recipe.LabelSmoothing);
        Add(report, "#speech_loss", loss.Span[0]);
        Add(report, "#speech_steps", 1);
        Add(report, "#utterances", batch.Length);
        ReportGates(gates, report);
        return loss;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Evaluate(Compute c, CancellationToken cancellation)
    {
        Dictionary<string, double> quality = [];
        foreach ((string language, (string[] source, string[] target)) in _validationText)
        {
            List<string> translations = [], references = [];
            for (int start = 0; start < _validation.Count; start += 16)
            {
                cancellation.ThrowIfCancellationRequested();
                int[] items = [.. Enumerable.Range(start, Math.Min(16, _validation.Count - start))];
                references.AddRange(items.Select(item => target[_validation.TextIndex(item)]));
                c.Arena.Reset();
                (Tensor prefix, Segments prefixes, _) = Prefix(c, [.. items.Select(item => new ThinkerInput { Ids = _prompt, Mel = _validation.Read(item) })]);
                (Tensor embeddings, Segments segments) = Join(c, prefix, prefixes, [.. items.Select(_ => _tower[language])]);
                translations.AddRange(TranslatorTask.Greedy(c, _translator, _tokenizer, embeddings, segments, cancellation));
            }
            int count = Math.Min(_recipe.EvaluateItems, source.Length);
            quality[$"speech_bleu_{language}"] = Bleu.Corpus(translations, references).Score;
            quality[$"text_bleu_{language}"] = Bleu.Corpus(
                TranslatorTask.Translate(c, _translator, _tokenizer, source[..count], language, cancellation), target[..count]).Score;
        }
        return quality;
    }

    /// <inheritdoc/>
    public override void Save(string folder)
    {
        AtomicFile.MakeFolder(folder);
        CopyFolder(_recipe.Mmfm!, Path.Combine(folder, ThinkerFolder));
        CopyFolder(_recipe.Translator!, Path.Combine(folder, TranslatorFolder));
        if (_lowRank is null)
            SafeTensorsWriter.Write(Path.Combine(folder, TranslatorFolder, "model.safetensors"), NanoModels.Named(_translatorWeights), storeAs: DType.BF16);
        PeftConfig config = _lowRank?.Config ?? new PeftConfig { ModulesToSave = ["omni_fusion", "omni_projection"] };
        PeftAdapter.Of(config, NanoModels.Named(_fusionWeights).Select(item => (AdapterPrefix + item.Name, item.Tensor))
            .Concat((_lowRank?.Tensors ?? new Dictionary<string, Tensor>()).Select(item => (item.Key, item.Value))))
            .Save(Path.Combine(folder, AdapterFolder), DType.BF16);
        string recognizer = Path.Combine(folder, ThinkerFolder, NanoModels.RecognizerFile);
        new Bundle
        {
            Mmfm = Path.Combine(folder, ThinkerFolder), Translator = Path.Combine(folder, TranslatorFolder), Adapter = Path.Combine(folder, AdapterFolder),
            Recognizer = File.Exists(recognizer) ? recognizer : null,
            FusionMode = _recipe.FusionMode, ProjectionDepth = _recipe.ProjectionDepth, Prompt = PromptStyle.Compact.Name, Languages = [.. _targets.Keys],
            Generation = new BundleGeneration { MaxNewTokens = 128 },
        }.Save(folder);
    }

    // The thinker is frozen: no tape runs while it computes.
    private (Tensor Prefix, Segments Segments, Tensor? Gates) Prefix(Compute c, ThinkerInput[] inputs)
    {
        Tape? tape = c.Tape;
        Random? dropout = c.DropoutRandom;
        (c.Tape, c.DropoutRandom) = (null, null);
        ThinkerBatch layout = _thinker.Prepare(inputs);
        Tensor[] states = _thinker.Forward(c, inputs, layout, null, _fusion.Selected(_thinker.Layers));
        (c.Tape, c.DropoutRandom) = (tape, dropout);
        FusedStates fused = _fusion.Forward(c, states);
        return (_projection.Forward(c, fused.States), layout.Segments, fused.Gates);
    }

    // Behind the prefix of each item, the embeddings of its text.
    private (Tensor Embeddings, Segments Segments) Join(Compute c, Tensor prefix, Segments prefixes, int[][] texts)
    {
        List<int> fromPrefix = [], fromText = [];
        int text = 0;
        for (int i = 0; i < texts.Length; i++)
        {
            fromPrefix.AddRange(Enumerable.Range(prefixes.Start(i), prefixes.Length(i)));
            fromText.AddRange(Enumerable.Repeat(-1, prefixes.Length(i)));
            for (int j = 0; j < texts[i].Length; j++)
            {
                fromPrefix.Add(-1);
                fromText.Add(text++);
            }
        }
        Tensor embedded = _translator.EmbedTokens(c, texts.SelectMany(ids => ids).ToArray());
        Segments segments = new([.. texts.Select((ids, i) => prefixes.Length(i) + ids.Length)]);
        return (c.Interleave(embedded, fromText.ToArray(), prefix, fromPrefix.ToArray()), segments);
    }

    private static void ReportGates(Tensor? gates, IDictionary<string, double> report)
    {
        if (gates is null)
            return;
        double[] means = new double[gates.Columns];
        double entropy = 0;
        for (int row = 0; row < gates.Rows; row++)
            for (int column = 0; column < gates.Columns; column++)
            {
                double gate = gates.Row(row)[column];
                means[column] += gate / gates.Rows;
                entropy -= gate > 0 ? gate * Math.Log(gate) / gates.Rows : 0;
            }
        for (int column = 0; column < means.Length; column++)
            Add(report, $"#gate_{column}", means[column]);
        Add(report, "#gate_entropy", entropy);
    }

    private static PeftAdapter NewLowRank(Recipe recipe, MistralConfig config)
    {
        PeftConfig peft = new()
        {
            Rank = recipe.LoraRank, Alpha = 2 * recipe.LoraRank, ModulesToSave = ["omni_fusion", "omni_projection"],
            TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        };
        int d = config.HiddenSize, q = config.NumAttentionHeads * config.HeadDim, kv = config.NumKeyValueHeads * config.HeadDim, f = config.IntermediateSize;
        WeightInitializer initializer = new(recipe.Seed, 1 / MathF.Sqrt(d));
        List<(string, Tensor)> tensors = [];
        for (int layer = 0; layer < config.NumHiddenLayers; layer++)
            foreach ((string name, int rows, int columns) in new[]
            {
                ("self_attn.q_proj", q, d), ("self_attn.k_proj", kv, d), ("self_attn.v_proj", kv, d), ("self_attn.o_proj", d, q),
                ("mlp.gate_proj", f, d), ("mlp.up_proj", f, d), ("mlp.down_proj", d, f),
            })
            {
                string path = $"{AdapterPrefix}layers.{layer}.{name}.";
                // A random, B zero: the update starts as nothing (Hu et al. 2022).
                tensors.Add((path + "lora_A.weight", initializer.Make(path + "lora_A.weight", new Shape(recipe.LoraRank, columns))));
                tensors.Add((path + "lora_B.weight", Tensor.Zeros(new Shape(rows, recipe.LoraRank))));
            }
        return PeftAdapter.Of(peft, tensors).Trainable();
    }

    private static void CopyFolder(string from, string to)
    {
        AtomicFile.MakeFolder(to);
        foreach (string file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }

    private static void Add(IDictionary<string, double> report, string name, double value) =>
        report[name] = (report.TryGetValue(name, out double sum) ? sum : 0) + value;
}
