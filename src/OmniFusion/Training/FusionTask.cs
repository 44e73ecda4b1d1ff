using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Data;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>
/// Trains the fusion of a frozen thinker with a translator: fusion layer and projection from nothing, and either low-rank updates of the
/// translator or all of it. Steps of speech and pictures alternate with a batch of text alone now and then, so that the translator does not
/// forget. Of the thinker, only the vision tower may learn with them (<see cref="Recipe.Eyes"/>).
/// </summary>
public sealed class FusionTask : TrainingTask
{
    private const string Eyes = "thinker.visual.";

    private readonly Recipe _recipe;
    private readonly Tokenizer _tokenizer;
    private readonly int _end;
    private readonly float _trainedSeconds;
    private readonly Thinker _thinker;
    private readonly MistralModel _translator;
    private readonly FusedTranslator _model;
    private readonly Weights _thinkerWeights, _translatorWeights;
    private readonly TrainedFusion _fusion;
    private readonly Teaching _teaching;
    private readonly SpeechBeginnings? _speechBeginnings;
    private readonly TranslationBeginnings? _translationBeginnings;
    private readonly StateReader? _reader;
    private readonly PeftAdapter? _lowRank;
    private readonly ThinkerPrompts _prompts, _transcription;
    private readonly Tokenizer _thinkerTokenizer;
    private readonly TextPairs _pairs;
    private readonly Batches _textBatches;
    private readonly SpeechExamples _validation;
    private readonly Mixture _mixture;
    private readonly Mixture? _scenes;
    private readonly Dictionary<string, (string[] Source, string[] Target)> _validationText = [];

    // Making examples takes time, and a watched step needs its batch twice.
    private (int Number, Example[] Examples) _lastBatch = (0, []);

    /// <summary>Loads both models and opens the data.</summary>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or two of them do not belong together.</exception>
    public FusionTask(Recipe recipe)
    {
        _recipe = recipe;
        string mmfm = recipe.Mmfm ?? throw new OmniFusionException("A fusion recipe names the thinker's folder under 'mmfm'.");
        string translator = recipe.Translator
            ?? throw new OmniFusionException("A fusion recipe names the translator's folder under 'translator'.");
        if (recipe.Data.Targets.Count == 0)
            throw new OmniFusionException("A fusion recipe names at least one file of translations under 'data: targets:'.");
        OmniConfig thinkerConfig = OmniConfig.Load(Path.Combine(mmfm, "config.json"));
        _thinkerTokenizer = Tokenizer.Load(mmfm);
        _tokenizer = Tokenizer.Load(translator);
        _thinkerWeights = new Weights(
            Checkpoint.Open(mmfm), key => recipe.Eyes && key.StartsWith(Eyes, StringComparison.Ordinal));
        _thinker = new Thinker(thinkerConfig, _thinkerWeights.Under("thinker"));
        MistralConfig translatorConfig = MistralConfig.Load(translator);
        _end = FrozenTranslator.EndOf(_tokenizer, translatorConfig, translator);
        _lowRank = recipe.LoraRank > 0 ? PeftAdapter.ForTranslator(translatorConfig, recipe.LoraRank, recipe.Seed) : null;
        _translatorWeights = _lowRank is null
            ? new Weights(Checkpoint.Open(translator), trainable: true)
            : new Weights(Checkpoint.Open(translator)).Beside(_lowRank.Translator);
        _translator = new MistralModel(translatorConfig, _translatorWeights);
        _translator.Decoder.Dropout = recipe.Dropout;
        _teaching = new Teaching(recipe, _tokenizer, translatorConfig.VocabSize);
        _fusion = new TrainedFusion(recipe, recipe.Start, _thinker.HiddenSize, _translator.HiddenSize);
        PrefixGloss gloss = new(_translator, _end);
        _model = new FusedTranslator(_thinker, _fusion.Layer, _fusion.Projection, _translator, recipe.Gloss ? gloss : null);
        _reader = recipe.PrefixWeight > 0 ? new StateReader(_tokenizer, _end, gloss.Scores) : null;
        if (recipe.Data.Beginnings > 0)
        {
            OmniAudioConfig ears = thinkerConfig.AudioConfig;
            CtcHead ctcHead = new(ears.DModel, new Weights(Checkpoint.Open(Path.Combine(mmfm, NanoModels.RecognizerFile))).Under("ctc_head"));
            _speechBeginnings = new SpeechBeginnings(_thinker, ctcHead, ears.NumMelBins);
            // As it is now: one that learns to stop early would find ever less that follows.
            _translationBeginnings = new TranslationBeginnings(FrozenTranslator.Open(translator).Model, _tokenizer);
        }
        _prompts = new ThinkerPrompts(_thinkerTokenizer, generation: false);
        _transcription = new ThinkerPrompts(_thinkerTokenizer, generation: true);
        foreach ((string language, string file) in recipe.Data.ValidationTargets)
            _validationText[language] = TextLines.ReadPair(recipe.Data.ValidationSource, file);
        _pairs = new TextPairs(recipe.Data, _tokenizer);
        _textBatches = new Batches(_pairs.Tokens, recipe.BatchTokens, recipe.Seed);
        TrainingData data = new(recipe);
        _mixture = data.ForFusion();
        _scenes = recipe.PrefixSteps > 0 ? data.ForScenes() : null;
        DataSizes = $"{data.Sizes}, {_pairs.Items.Count} pairs";
        _trainedSeconds = MathF.Ceiling(data.LongestSeconds);
        SpeechPack validation = SpeechExamples.Open(recipe.Data.ValidationSpeech, recipe.Data.ValidationSource);
        _validation = new SpeechExamples(validation, new LogMel(), recipe.Seed, SpeechExamples.MostSeconds, recipe.EvaluateItems);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Parameters =>
        (_lowRank?.Tensors ?? _translatorWeights.Taken.ToDictionary(item => "translator." + item.Key, item => item.Value))
        .Concat(_fusion.Parameters)
        .Concat(_recipe.Eyes ? _thinkerWeights.Under(Eyes).Taken : new Dictionary<string, Tensor>())
        .ToDictionary(item => item.Key, item => item.Value);

    /// <inheritdoc/>
    public override string DataSizes { get; }

    /// <inheritdoc/>
    public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
    {
        if (step <= _recipe.PrefixSteps)
            return ReadLoss(c, _scenes!.At(step), report);
        if (_recipe.TextEvery > 0 && step % _recipe.TextEvery == 0)
        {
            int number = step / _recipe.TextEvery;
            TextPairs.Pair[] pairs = Begin(c, number, _textBatches.At(number));
            Tensor text = TextPairs.Loss(c, _translator, pairs, _recipe.LabelSmoothing, _recipe.PreferenceWeight, report);
            report.TallyLoss("text", text);
            return text;
        }
        (Example[] batch, string[] languages) = BatchOf(step);
        foreach (Example example in batch)
            report.Tally($"#{example.Kind}", 1);
        return FusedLoss(c, batch, languages, report);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<PartialLoss> PartialLosses(int step)
    {
        (Example[] batch, string[] languages) = BatchOf(step);
        return [.. from part in batch.Zip(languages).GroupBy(item => item.First.Picture is not null)
                   orderby part.Key
                   select new PartialLoss(part.Key ? "picture" : "speech", c => FusedLoss(c, [.. part.Select(item => item.First)],
                       [.. part.Select(item => item.Second)], new Dictionary<string, double>()))];
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Evaluate(Compute c, int step, CancellationToken cancellation)
    {
        Dictionary<string, List<string>> translations = _validationText.Keys.ToDictionary(language => language, _ => new List<string>());
        // A search takes its arena back, and a prefix serves one for each language.
        Compute ears = new(c.Kernels);
        foreach (int[] items in Enumerable.Range(0, _validation.Count).Chunk(16))
        {
            ears.Arena.Reset();
            FusedPrefix prefix = _model.Encode(
                ears, [.. items.Select(item => new ThinkerInput { Ids = _prompts.Speech, Mel = _validation.Read(item) })]);
            foreach ((string language, List<string> written) in translations)
            {
                cancellation.ThrowIfCancellationRequested();
                c.Arena.Reset();
                int[] tower = Tower(new PromptInput { Audio = true }, language);
                written.AddRange(_model.Start(c, prefix, [.. items.Select(_ => tower)]).Write(c, _tokenizer, _end, cancellation));
            }
        }
        Dictionary<string, double> quality = [];
        foreach ((string language, (string[] source, string[] target)) in _validationText)
        {
            string[] references = [.. Enumerable.Range(0, _validation.Count).Select(item => target[_validation.TextIndex(item)])];
            int count = Math.Min(_recipe.EvaluateItems, source.Length);
            quality[$"speech_bleu_{language}"] = Bleu.Corpus(translations[language], references).Score;
            quality[$"text_bleu_{language}"] = Bleu.Corpus(
                TranslatorTask.Translate(c, _translator, _tokenizer, source[..count], language, cancellation), target[..count]).Score;
        }
        return quality;
    }

    /// <inheritdoc/>
    public override void Save(string folder)
    {
        AtomicFile.MakeFolder(folder);
        string thinker = Path.Combine(folder, "omni"), translator = Path.Combine(folder, "translator");
        string adapter = Path.Combine(folder, "fusion"), recognizer = Path.Combine(thinker, NanoModels.RecognizerFile);
        // Weights that learn are written here, the others copied; what the thinker hears with does not learn.
        ModelFolder.Copy(_recipe.Mmfm!, thinker, name => !_recipe.Eyes || name == NanoModels.RecognizerFile || !IsWeights(name));
        if (_recipe.Eyes)
            SafeTensorsWriter.Write(Path.Combine(thinker, "model.safetensors"), NanoModels.Named(_thinkerWeights), storeAs: DType.BF16);
        ModelFolder.Copy(_recipe.Translator!, translator, name => _lowRank is not null || !IsWeights(name));
        if (_lowRank is null)
        {
            SafeTensorsWriter.Write(
                Path.Combine(translator, "model.safetensors"), NanoModels.Named(_translatorWeights), storeAs: DType.BF16);
        }
        _fusion.Save(adapter, _lowRank);
        new Bundle
        {
            Mmfm = thinker, Translator = translator, Adapter = adapter, Recognizer = File.Exists(recognizer) ? recognizer : null,
            FusionMode = _recipe.FusionMode, FusionLayers = _recipe.FusionLayers, Gloss = _recipe.Gloss,
            ProjectionDepth = _recipe.ProjectionDepth, Prompt = PromptStyle.Compact.Name,
            Languages = [.. _recipe.Data.Targets.Keys],
            ImageWidth = PictureBook.Side, ImageHeight = PictureBook.Side,
            Generation = new BundleGeneration { MaxNewTokens = 128, ChainOfThought = _recipe.Data.Transcribed > 0 },
            TrainedSeconds = _trainedSeconds,
            Simultaneous = BundleSimultaneous.Of(folder),
        }.Save(folder);
    }

    // Shards and their index as well.
    private static bool IsWeights(string name) => name.Contains(".safetensors", StringComparison.Ordinal);

    // A step of text alone has the batch of the step before.
    private (Example[] Batch, string[] Languages) BatchOf(int step)
    {
        int number = _recipe.TextEvery > 0 ? step - step / _recipe.TextEvery : step;
        if (_lastBatch.Number != number)
            _lastBatch = (number, _mixture.At(number));
        // Items of one batch may have different target languages; which one an item has changes from pass to pass.
        return (_lastBatch.Examples, [.. _lastBatch.Examples.Select((example, i) => Wanted(example, i + step))]);
    }

    // What the prefix tells by itself.
    private Tensor ReadLoss(Compute c, Example[] batch, IDictionary<string, double> report)
    {
        report.Tally("#image", batch.Length);
        (FusedPrefix prefix, ThinkerBatch layout) = Perceive(c, [.. batch.Select(example => example.ToInput(_prompts.Ids(example)))]);
        report.TallyGates(prefix.Gates);
        return _reader!.Loss(c, prefix, layout, batch, report)!;
    }

    private Tensor FusedLoss(Compute c, Example[] batch, string[] languages, IDictionary<string, double> report)
    {
        batch = Transcribe(c, _speechBeginnings?.Cut(c, batch) ?? batch);
        int[][] targets = [.. batch.Zip(languages, (example, language) => TextPairs.Target(_tokenizer, example.Translations[language]))];
        int[] begun = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i].Whole is not null)];
        foreach ((int i, int[] target) in begun.Zip(
            _translationBeginnings?.Of(c, [.. begun.Select(i => (batch[i].Whole!, batch[i].Answer, languages[i], targets[i]))]) ?? []))
            targets[i] = target;
        // What a picture decides is written twice: right, and as it would be without.
        int[] decided = [.. Enumerable.Range(0, batch.Length).Where(i => _recipe.PreferenceWeight > 0 && batch[i].Mistranslations is not null)];
        int[] items = [.. Enumerable.Range(0, batch.Length), .. decided];
        int[][] written = [.. targets, .. decided.Select(i => TextPairs.Target(_tokenizer, batch[i].Mistranslations![languages[i]]))];
        // The last target token is predicted, never read.
        int[][] texts = [.. items.Select((item, i) => (int[])[.. Tower(batch[item].Prompt, languages[item]), .. written[i].SkipLast(1)])];
        (FusedPrefix prefix, ThinkerBatch layout) = Perceive(c, [.. batch.Select(example => example.ToInput(_prompts.Ids(example)))]);
        (Tensor embeddings, Segments segments) = _model.Join(c, _model.Glossed(c, prefix, layout).With(c, decided), texts);
        Tensor last = _translator.Forward(c, embeddings, segments);
        (int[] rows, int[] labels) = TextPairs.Targets(segments, written);
        labels.AsSpan(targets.Sum(target => target.Length)).Fill(TextPairs.NoTarget);
        Tensor logits = _translator.Logits(c, c.Gather(last, rows));
        Tensor loss = c.CrossEntropy(logits, labels, _recipe.LabelSmoothing, out Tensor rowLosses);
        report.TallyKinds(batch, targets, rowLosses);
        report.TallyLoss("fused", loss);
        loss = Preference.Add(c, loss, _recipe.PreferenceWeight, logits, written, decided, report);
        loss = _teaching.Add(c, batch, languages, targets, logits, loss, report);
        if (_reader?.Loss(c, prefix, layout, batch, report) is { } read)
            loss = c.Add(loss, read, _recipe.PrefixWeight);
        report.TallyGates(prefix.Gates);
        return loss;
    }

    // Gives the examples that ask for one the transcript that the thinker writes, errors and all: with the true ones the translator would
    // learn to believe every word. It comes before all else in a step, because a search takes the arena back.
    private Example[] Transcribe(Compute c, Example[] batch)
    {
        int[] asked = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i].Transcribed)];
        if (asked.Length == 0)
            return batch;
        string[] written = c.Unrecorded(() => _model
            .StartThinker(c, [.. asked.Select(i => batch[i].ToInput(_transcription.Ids(batch[i])))])
            .Write(c, _thinkerTokenizer, NanoModels.Token(_thinkerTokenizer, "<|im_end|>"), CancellationToken.None).ToArray());
        Example[] result = [.. batch];
        foreach ((int i, string text) in asked.Zip(written))
            result[i] = batch[i] with { Transcript = text.Trim() };
        return result;
    }

    // Of some pairs only a beginning is read, and what of the translation follows from it is written.
    private TextPairs.Pair[] Begin(Compute c, int number, int[] items)
    {
        TextPairs.Pair[] pairs = [.. items.Select(item => _pairs.Items[item])];
        if (_translationBeginnings is null)
            return pairs;
        List<(int Item, string Begun)> begun = [];
        for (int i = 0; i < pairs.Length; i++)
        {
            Random chance = Chance.OfContent(_recipe.Seed, number, items[i]);
            string[] words = pairs[i].Sentence?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            if (words.Length > 1 && chance.NextDouble() < _recipe.Data.Beginnings)
                begun.Add((i, SpeechBeginnings.Beginning(words, chance.Next(1, words.Length))));
        }
        int[][] targets = _translationBeginnings.Of(c, [.. begun.Select(part => (pairs[part.Item].Sentence!, part.Begun, pairs[part.Item].Language!, pairs[part.Item].Target))]);
        foreach (((int i, string text), int[] target) in begun.Zip(targets))
            pairs[i] = new TextPairs.Pair(TextPairs.Prompt(_tokenizer, text, pairs[i].Language!), target);
        return pairs;
    }

    private string Wanted(Example example, int chance)
    {
        string[] languages = [.. _recipe.Data.Targets.Keys.Where(example.Translations.ContainsKey)];
        // What a picture shows is named in English alone.
        if (languages.Length == 0)
            languages = [.. example.Translations.Keys];
        return languages.Length > 0 ? languages[chance % languages.Length] : throw new OmniFusionException(
            $"No translation of \"{example.Answer}\" is given in any language of 'targets'; a fusion cannot learn from it.");
    }

    private int[] Tower(PromptInput input, string language) =>
        _tokenizer.Encode(PromptStyle.Compact.Tower(input, Languages.Find(language)), addSpecialTokens: false);

    // Sounds and pictures to the translator's prefix. Where the thinker is frozen, its memory is used again while it computes.
    private (FusedPrefix Prefix, ThinkerBatch Layout) Perceive(Compute c, ThinkerInput[] inputs)
    {
        ThinkerBatch batch = _thinker.Prepare(inputs);
        Tensor[] Think() => _thinker.Forward(c, inputs, batch, cache: null, [.. _model.Layers]);
        bool learns = _recipe.Eyes && inputs.Any(input => input.Patches is not null);
        return (_model.Fuse(c, learns ? Think() : c.Unrecorded(Think), batch), batch);
    }
}
