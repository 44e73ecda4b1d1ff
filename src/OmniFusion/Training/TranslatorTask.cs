using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Models;
using OmniFusion.Models.Mistral;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Training;

/// <summary>
/// Trains a small Mistral-style translator on pairs of sentences: it reads the sentence and the language tag and writes the translation.
/// </summary>
public sealed class TranslatorTask : TrainingTask
{
    private readonly Recipe _recipe;
    private readonly MistralConfig _config;
    private readonly Tokenizer _tokenizer;
    private readonly string _tokenizerFolder;
    private readonly Weights _weights;
    private readonly MistralModel _model;
    private readonly TextPairs _pairs;
    private readonly Batches _batches;
    private readonly Dictionary<string, (string[] Source, string[] Target)> _validation = [];

    /// <summary>Makes or loads the model and reads the data.</summary>
    /// <param name="recipe">The training.</param>
    /// <param name="resume">Whether a vocabulary that was learnt before stays as it is.</param>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or two of them do not belong together.</exception>
    public TranslatorTask(Recipe recipe, bool resume = false)
    {
        _recipe = recipe;
        _tokenizerFolder = recipe.Start ?? recipe.Output;
        if (recipe.Start is null && !(resume && NanoModels.HasTokenizer(recipe)))
            BpeTrainer.TrainSentencePiece(recipe.Model.VocabularyText.SelectMany(TextLines.Read), recipe.Model.Vocabulary, recipe.Output);
        _tokenizer = Tokenizer.Load(_tokenizerFolder);
        _config = recipe.Start is null
            ? NanoModels.Translator(recipe.Model)
            : MistralConfig.Load(Path.Combine(recipe.Start, "config.json"));
        _weights = recipe.Start is null
            ? Weights.FromScratch(new WeightInitializer(recipe.Seed, recipe.Model.InitStd))
            : new Weights(Checkpoint.Open(recipe.Start), trainable: true);
        _model = new MistralModel(_config, _weights);
        _model.Decoder.Dropout = recipe.Dropout;
        _pairs = new TextPairs(recipe.Data, _tokenizer);
        _batches = new Batches(_pairs.Tokens, recipe.BatchTokens, recipe.Seed);
        foreach ((string language, string file) in recipe.Data.ValidationTargets)
            _validation[language] = TextLines.ReadPair(recipe.Data.ValidationSource, file);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Parameters => _weights.Taken;

    /// <inheritdoc/>
    public override string DataSizes => $"{_pairs.Items.Count} pairs";

    /// <inheritdoc/>
    public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
    {
        int[] batch = _batches.At(step);
        report.Tally("#pairs", batch.Length);
        return TextPairs.Loss(c, _model, [.. batch.Select(i => _pairs.Items[i])], _recipe.LabelSmoothing, _recipe.PreferenceWeight, report);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Evaluate(Compute c, int step, CancellationToken cancellation)
    {
        Dictionary<string, double> quality = [];
        foreach ((string language, (string[] source, string[] target)) in _validation)
        {
            int count = Math.Min(_recipe.EvaluateItems, source.Length);
            List<string> translations = Translate(c, _model, _tokenizer, source[..count], language, cancellation);
            quality[$"bleu_{language}"] = Bleu.Corpus(translations, target[..count]).Score;
        }
        return quality;
    }

    /// <inheritdoc/>
    public override void Save(string folder)
    {
        AtomicFile.MakeFolder(folder);
        NanoModels.CopyTokenizer(_tokenizerFolder, folder);
        _config.Save(Path.Combine(folder, "config.json"));
        SafeTensorsWriter.Write(Path.Combine(folder, "model.safetensors"), NanoModels.Named(_weights), storeAs: DType.BF16);
    }

    /// <summary>Translates sentences greedily.</summary>
    internal static List<string> Translate(
        Compute c, MistralModel model, Tokenizer tokenizer, IEnumerable<string> source, string language, CancellationToken cancellation)
    {
        List<string> translations = [];
        foreach (string[] lines in source.Chunk(32))
        {
            cancellation.ThrowIfCancellationRequested();
            int[][] prompts = [.. lines.Select(line => TextPairs.Prompt(tokenizer, line, language))];
            Segments segments = new([.. prompts.Select(prompt => prompt.Length)]);
            c.Arena.Reset();
            Tensor embeddings = model.EmbedTokens(c, prompts.SelectMany(ids => ids).ToArray());
            translations.AddRange(DecoderStart.Of(c, model, embeddings, segments, prompts)
                .Write(c, tokenizer, TextPairs.EndOf(tokenizer), cancellation));
        }
        return translations;
    }
}
