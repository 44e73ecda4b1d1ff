using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Data;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>
/// Trains a small thinker as a recogniser: character CTC on the audio tower, and cross entropy of the decoder that writes behind the chat
/// prompt what is said and, where the recipe gives pictures, what is seen.
/// </summary>
public sealed class RecognizerTask : TrainingTask
{
    private readonly Recipe _recipe;
    private readonly OmniConfig _config;
    private readonly Tokenizer _tokenizer;
    private readonly string _tokenizerFolder;
    private readonly Weights _weights, _ctcWeights;
    private readonly Thinker _thinker;
    private readonly CtcHead _ctcHead;
    private readonly SpeechBeginnings _beginnings;
    private readonly Tensor? _namingHead;
    private readonly TrainedFusion? _fusion;
    private readonly FusedTranslator? _fused;
    private readonly ThinkerPrompts _prompts;
    private readonly int _end;
    private readonly StateReader _reader;
    private readonly string[] _validationText;
    private readonly SpeechExamples _validation;
    private readonly TrainingData _data;
    private readonly Dictionary<(double, bool), Mixture> _mixtures = [];

    // Making examples takes time, and a watched step needs its batch twice.
    private (int Step, Example[] Examples) _lastBatch = (0, []);

    /// <summary>Makes or loads the model and opens the data.</summary>
    /// <param name="recipe">The training.</param>
    /// <param name="resume">Whether a vocabulary that was learnt before stays as it is.</param>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or two of them do not belong together.</exception>
    public RecognizerTask(Recipe recipe, bool resume = false)
    {
        _recipe = recipe;
        _data = new TrainingData(recipe);
        _validationText = TextLines.Read(recipe.Data.ValidationSource);
        _tokenizerFolder = recipe.Start ?? recipe.Output;
        if (recipe.Start is null && !(resume && NanoModels.HasTokenizer(recipe)))
        {
            BpeTrainer.TrainByteLevel(recipe.Model.VocabularyText.SelectMany(TextLines.Read), recipe.Model.Vocabulary,
                BpeTrainer.ThinkerSpecialTokens, recipe.Output);
        }
        _tokenizer = Tokenizer.Load(_tokenizerFolder);
        _config = recipe.Start is null
            ? NanoModels.Thinker(recipe.Model, _tokenizer)
            : NanoModels.WithEyes(OmniConfig.Load(Path.Combine(recipe.Start, "config.json")), recipe.Model);
        WeightInitializer initializer = new(recipe.Seed, recipe.Model.InitStd);
        // A model that could only hear gets new eyes.
        _weights = recipe.Start is null ? Weights.FromScratch(initializer)
            : new Weights(Checkpoint.Open(recipe.Start), trainable: true, initializer);
        string ctcFile = Path.Combine(recipe.Start ?? "", NanoModels.RecognizerFile);
        _ctcWeights = recipe.Start is null ? Weights.FromScratch(initializer) : new Weights(Checkpoint.Open(ctcFile), trainable: true);
        _thinker = new Thinker(_config, _weights.Under("thinker"));
        _ctcHead = new CtcHead(_config.AudioConfig.DModel, _ctcWeights.Under("ctc_head"));
        _beginnings = new SpeechBeginnings(_thinker, _ctcHead, _config.AudioConfig.NumMelBins);
        // Only helps to train the vision tower; no model needs it afterwards.
        _namingHead = _data.Things == 0 ? null
            : initializer.Make("naming_head.weight", new Shape(_data.Things, _thinker.HiddenSize)).RequireGrad();
        _thinker.SetDropout(recipe.Dropout);
        _prompts = new ThinkerPrompts(_tokenizer, generation: true);
        _end = NanoModels.Token(_tokenizer, "<|im_end|>");
        _reader = new StateReader(_tokenizer, _end, _thinker.Logits);
        if (recipe.Adapter is not null)
        {
            (MistralModel translator, Tokenizer words, int blank) = FrozenTranslator.Open(recipe.Translator!);
            _reader = new StateReader(words, blank, new PrefixGloss(translator, blank).Scores);
            _fusion = new TrainedFusion(recipe, recipe.Adapter, _thinker.HiddenSize, translator.HiddenSize);
            _fused = new FusedTranslator(_thinker, _fusion.Layer, _fusion.Projection, translator);
        }
        SpeechPack validation = SpeechExamples.Open(recipe.Data.ValidationSpeech, recipe.Data.ValidationSource);
        _validation = new SpeechExamples(validation, new LogMel(), recipe.Seed, SpeechExamples.MostSeconds, recipe.EvaluateItems);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Parameters =>
        _weights.Taken.Concat(_ctcWeights.Taken).Concat(_fusion?.Parameters ?? new Dictionary<string, Tensor>())
            .Concat(_namingHead is null ? [] : new Dictionary<string, Tensor> { ["naming_head.weight"] = _namingHead })
            .ToDictionary(item => item.Key, item => item.Value);

    /// <inheritdoc/>
    public override string DataSizes => _data.Sizes;

    /// <inheritdoc/>
    public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
    {
        RecipePhase phase = _recipe.PhaseAt(step);
        Example[] batch = BatchOf(step, phase);
        foreach (Example example in batch)
            report.Tally($"#{example.Kind}", 1);
        return Loss(c, batch, phase, report);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<PartialLoss> PartialLosses(int step)
    {
        // Before the decoder is trained, sounds and pictures have no weights in common.
        RecipePhase phase = _recipe.PhaseAt(step);
        return phase.Decoder == 0 ? [] :
        [
            .. from part in BatchOf(step, phase).GroupBy(example => example.Picture is not null)
               orderby part.Key
               select new PartialLoss(part.Key ? "picture" : "speech", c => Loss(c, [.. part], phase, new Dictionary<string, double>())),
        ];
    }

    private Tensor Loss(Compute c, Example[] batch, RecipePhase phase, IDictionary<string, double> report)
    {
        batch = _beginnings.Cut(c, batch);
        int[][] answers = [.. batch.Select(example => (int[])[.. _tokenizer.Encode(example.Answer, addSpecialTokens: false), _end])];
        // The last token of an answer is predicted, never read.
        ThinkerInput[] inputs =
            [.. batch.Zip(answers, (example, answer) => example.ToInput([.. _prompts.Ids(example), .. answer.SkipLast(1)]))];
        AudioStates? audio = _thinker.EncodeAudio(c, inputs);
        Tensor? images = _thinker.EncodeImages(c, inputs);
        List<(Tensor Loss, float Weight)> losses = [];
        void Write() => Answer(c, batch, inputs, answers, audio?.Embeddings, images, phase, report, losses);
        if (phase.Decoder > 0)
            Write();
        if (audio is { } heard)
            losses.Add((Spelling(c, heard, batch, report), phase.Ctc));
        if (images is not null)
        {
            int[][] rows = ImageRows(inputs);
            if (Naming(c, images, rows, batch, report) is { } naming)
                losses.Add((naming, phase.Naming));
            if (phase.Seeing > 0 && _reader.Seen(c, images, rows, batch, report) is { } seen)
                losses.Add((seen, phase.Seeing));
        }
        losses.RemoveAll(item => item.Weight == 0);
        // A batch of slides alone has nothing for the towers' own heads.
        if (losses.Count == 0)
            Write();
        // Weights are relative to the first, so that the rate means the same in every phase.
        (Tensor sum, float unit) = losses[0];
        return losses.Skip(1).Aggregate(sum, (all, item) => c.Add(all, item.Loss, item.Weight / unit));
    }

    // Cross entropy of what the thinker should write and, where the recipe asks for it, what its states tell before it writes.
    private void Answer(
        Compute c, Example[] batch, ThinkerInput[] inputs, int[][] answers, Tensor? audio, Tensor? images, RecipePhase phase,
        IDictionary<string, double> report, List<(Tensor Loss, float Weight)> losses)
    {
        ThinkerBatch layout = _thinker.Prepare(inputs);
        Tensor[] states = _thinker.Forward(c, _thinker.Embed(c, layout, audio, images), layout, null, Wanted);
        (int[] rows, int[] targets) = TextPairs.Targets(layout.Segments, answers);
        Tensor logits = _thinker.Logits(c, c.Gather(states[^1], rows));
        Tensor loss = c.CrossEntropy(logits, targets, _recipe.LabelSmoothing, out Tensor rowLosses);
        report.Tally("decoder", loss.Span[0]);
        report.TallyKinds(batch, answers, rowLosses);
        // A decoder trained only to write leaves recognition to the tokens it writes; a fusion reads the states of sound and image instead.
        losses.Add((loss, phase.Decoder == 0 ? 1 : phase.Decoder));
        if (phase.Reading == 0)
            return;
        FusedPrefix told = Told(c, states, layout);
        report.TallyGates(told.Gates);
        if (_reader.Loss(c, told, layout, batch, report) is { } read)
            losses.Add((read, phase.Reading));
    }

    // Numbers of the hidden states: what a fusion takes, where there is one, and the last, which writes.
    private int[] Wanted => [.. _fused?.Layers ?? [], _thinker.Layers];

    // What is read by itself: the last state, or what the fusion makes of those that it takes.
    private FusedPrefix Told(Compute c, Tensor[] states, ThinkerBatch layout) =>
        _fused is null ? FusedPrefix.Of(states[^1], layout) : _fused.Fuse(c, states.AsSpan(0, states.Length - 1), layout);

    // What the audio tower spells by itself.
    private Tensor Spelling(Compute c, AudioStates heard, Example[] batch, IDictionary<string, double> report)
    {
        int[][] spellings = [.. batch.Where(example => example.Mel is not null).Select(example => example.Letters ?? CtcHead.Encode(example.Answer))];
        Tensor loss = c.Ctc(_ctcHead.Forward(c, heard.Frames), heard.FrameSegments, spellings, CtcHead.Blank);
        report.Tally("ctc", loss.Span[0]);
        return loss;
    }

    // What the vision tower names by itself, from the mean of the tokens of each picture that shows one thing. Null where there is none.
    private Tensor? Naming(Compute c, Tensor images, int[][] rows, Example[] batch, IDictionary<string, double> report)
    {
        int[] single = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i].Shown is not null)];
        if (single.Length == 0)
            return null;
        Tensor loss = c.CrossEntropy(c.Linear(StateReader.Means(c, images, [.. single.Select(i => rows[i])]), _namingHead!),
            single.Select(i => batch[i].Shown!.Value).ToArray(), _recipe.LabelSmoothing);
        report.Tally("naming", loss.Span[0]);
        return loss;
    }

    // The rows of each item's image among those of all images.
    private int[][] ImageRows(ThinkerInput[] inputs)
    {
        int row = 0;
        return
        [
            .. inputs.Select(input =>
            {
                int tokens = input.Patches is null ? 0 : _thinker.VisionTower!.TokenCount(input.Grid);
                row += tokens;
                return (int[])[.. Enumerable.Range(row - tokens, tokens)];
            }),
        ];
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Evaluate(Compute c, int step, CancellationToken cancellation)
    {
        List<string> references = [], decoded = [], spelled = [], read = [];
        // Until the decoder is trained, its transcripts are not worth the time.
        RecipePhase phase = _recipe.PhaseAt(step);
        bool writes = phase.Decoder > 0, reads = writes && phase.Reading > 0;
        foreach (int[] items in Enumerable.Range(0, _validation.Count).Chunk(16))
        {
            cancellation.ThrowIfCancellationRequested();
            ThinkerInput[] inputs = [.. items.Select(item => new ThinkerInput { Ids = _prompts.Speech, Mel = _validation.Read(item) })];
            references.AddRange(items.Select(item => TextNormalizer.ForRecognition(_validationText[_validation.TextIndex(item)])));
            c.Arena.Reset();
            AudioStates audio = _thinker.EncodeAudio(c, inputs)!.Value;
            Tensor logits = _ctcHead.Forward(c, audio.Frames);
            for (int i = 0; i < items.Length; i++)
                spelled.Add(CtcHead.Decode(logits, audio.FrameSegments.Start(i), audio.FrameSegments.Length(i)));
            if (!writes)
                continue;
            ThinkerBatch layout = _thinker.Prepare(inputs);
            DecoderStart start = DecoderStart.Of(
                c, _thinker, _thinker.Embed(c, layout, audio.Embeddings, null), layout, Wanted, out Tensor[] states);
            // Before it writes, which takes the arena back.
            if (reads)
                read.AddRange(_reader.Tell(c, Told(c, states, layout), layout).Select(TextNormalizer.ForRecognition));
            decoded.AddRange(start.Write(c, _tokenizer, _end, cancellation).Select(TextNormalizer.ForRecognition));
        }
        Dictionary<string, double> quality = new()
        {
            ["ctc_wer"] = 100 * WordErrors.Compute(references, spelled).Wer,
            ["ctc_cer"] = 100 * WordErrors.Characters(references, spelled).Wer,
        };
        if (writes)
            quality["wer"] = 100 * WordErrors.Compute(references, decoded).Wer;
        if (reads)
            quality["read_wer"] = 100 * WordErrors.Compute(references, read).Wer;
        return quality;
    }

    /// <inheritdoc/>
    public override void Save(string folder)
    {
        AtomicFile.MakeFolder(folder);
        NanoModels.CopyTokenizer(_tokenizerFolder, folder);
        _config.Save(Path.Combine(folder, "config.json"));
        NanoModels.WritePreprocessorConfig(folder);
        SafeTensorsWriter.Write(Path.Combine(folder, "model.safetensors"), NanoModels.Named(_weights), storeAs: DType.BF16);
        SafeTensorsWriter.Write(Path.Combine(folder, NanoModels.RecognizerFile), NanoModels.Named(_ctcWeights), storeAs: DType.BF16);
        _fusion?.Save(Path.Combine(folder, "fusion"));
    }

    private Example[] BatchOf(int step, RecipePhase phase)
    {
        if (_lastBatch.Step != step)
            _lastBatch = (step, MixtureOf(phase).At(step));
        return _lastBatch.Examples;
    }

    private Mixture MixtureOf(RecipePhase phase)
    {
        if (!_mixtures.TryGetValue((phase.MaxSeconds, phase.PicturesOnly), out Mixture? found))
            _mixtures[(phase.MaxSeconds, phase.PicturesOnly)] = found = _data.ForRecognizer(phase.MaxSeconds, phase.PicturesOnly);
        return found;
    }
}
