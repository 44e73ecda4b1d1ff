using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Media;
using OmniFusion.Models;
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
    private readonly ThinkerPrompts _prompts;
    private readonly int _end;
    private readonly string[] _validationText;
    private readonly SpeechExamples _validation;
    private readonly TrainingData _data;
    private readonly Dictionary<double, Mixture> _bySeconds = [];

    // That of the last step: until the decoder is trained, its transcripts are not worth the time.
    private RecipePhase _phase;

    /// <summary>Makes or loads the model and opens the data.</summary>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or two of them do not belong together.</exception>
    public RecognizerTask(Recipe recipe)
    {
        _recipe = recipe;
        _data = new TrainingData(recipe);
        _validationText = TextLines.Read(recipe.Data.ValidationSource);
        _tokenizerFolder = recipe.Start ?? recipe.Output;
        if (recipe.Start is null && !NanoModels.HasTokenizer(recipe))
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
        _thinker.SetDropout(recipe.Dropout);
        _prompts = new ThinkerPrompts(_tokenizer, generation: true);
        _end = NanoModels.Token(_tokenizer, "<|im_end|>");
        SpeechPack validation = SpeechExamples.Open(recipe.Data.ValidationSpeech, recipe.Data.ValidationSource);
        _validation = new SpeechExamples(validation, new LogMel(), recipe.Seed, SpeechExamples.MostSeconds, recipe.EvaluateItems);
        _phase = recipe.PhaseAt(1);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Parameters =>
        _weights.Taken.Concat(_ctcWeights.Taken).ToDictionary(item => item.Key, item => item.Value);

    /// <inheritdoc/>
    public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
    {
        _phase = _recipe.PhaseAt(step);
        Example[] batch = MixtureOf(_phase.MaxSeconds).At(step);
        int[][] answers = [.. batch.Select(example => (int[])[.. _tokenizer.Encode(example.Answer, addSpecialTokens: false), _end])];
        // The last token of an answer is predicted, never read.
        ThinkerInput[] inputs = [.. batch.Zip(answers, (example, answer) => example.ToInput([.. _prompts.Ids(example), .. answer.SkipLast(1)]))];
        foreach (Example example in batch)
            report.Tally($"#{example.Kind}", 1);

        Tensor? ctc = null;
        AudioStates? audio = _thinker.EncodeAudio(c, inputs);
        if (audio is { } heard)
        {
            int[][] spellings = [.. batch.Where(example => example.Mel is not null).Select(example => CtcHead.Encode(example.Answer))];
            ctc = c.Ctc(_ctcHead.Forward(c, heard.Frames), heard.FrameSegments, spellings, CtcHead.Blank);
            report.Tally("ctc", ctc.Span[0]);
            if (_phase.Decoder == 0)
                return ctc;
        }
        ThinkerBatch layout = _thinker.Prepare(inputs);
        Tensor embeddings = _thinker.Embed(c, layout, audio?.Embeddings, _thinker.EncodeImages(c, inputs));
        Tensor last = _thinker.Forward(c, embeddings, layout, null, _thinker.Layers)[0];
        (int[] rows, int[] targets) = TextPairs.Targets(layout.Segments, answers);
        Tensor entropy = c.CrossEntropy(_thinker.Logits(c, c.Gather(last, rows)), targets, _recipe.LabelSmoothing);
        report.Tally("decoder", entropy.Span[0]);
        return ctc is null ? entropy : c.Add(entropy, ctc, _phase.Ctc / _phase.Decoder);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Evaluate(Compute c, CancellationToken cancellation)
    {
        List<string> references = [], decoded = [], spelled = [];
        bool writes = _phase.Decoder > 0;
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
            DecoderStart start = DecoderStart.Of(c, _thinker, _thinker.Embed(c, layout, audio.Embeddings, null), layout);
            decoded.AddRange(start.Write(c, _tokenizer, _end, cancellation).Select(TextNormalizer.ForRecognition));
        }
        Dictionary<string, double> quality = new()
        {
            ["ctc_wer"] = 100 * WordErrors.Compute(references, spelled).Wer,
            ["ctc_cer"] = 100 * WordErrors.Characters(references, spelled).Wer,
        };
        if (writes)
            quality["wer"] = 100 * WordErrors.Compute(references, decoded).Wer;
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
    }

    private Mixture MixtureOf(double seconds)
    {
        if (!_bySeconds.TryGetValue(seconds, out Mixture? found))
            _bySeconds[seconds] = found = _data.ForRecognizer(seconds);
        return found;
    }
}
