using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Data;

namespace OmniFusion.Training;

/// <summary>
/// Trains a small thinker as a recogniser: character CTC on the audio tower, and cross entropy of the decoder that writes the transcript
/// behind the chat prompt.
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
    private readonly int[] _prompt;
    private readonly int _end;
    private readonly string[] _text, _validationText;
    private readonly int[][] _transcripts;
    private readonly SpeechExamples _validation;
    private readonly SpeechPack _pack;
    private readonly LogMel _logMel;
    private readonly Dictionary<double, (SpeechExamples Examples, Batches Batches)> _bySeconds = [];

    // That of the last step: until the decoder is trained, its transcripts are not worth the time.
    private RecipePhase _phase;

    /// <summary>Makes or loads the model and opens the data.</summary>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or two of them do not belong together.</exception>
    public RecognizerTask(Recipe recipe)
    {
        _recipe = recipe;
        _text = TextLines.Read(recipe.Data.Source);
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
            : OmniConfig.Load(Path.Combine(recipe.Start, "config.json"));
        WeightInitializer initializer = new(recipe.Seed, recipe.Model.InitStd);
        _weights = recipe.Start is null ? Weights.FromScratch(initializer) : new Weights(Checkpoint.Open(recipe.Start), trainable: true);
        string ctcFile = Path.Combine(recipe.Start ?? "", NanoModels.RecognizerFile);
        _ctcWeights = recipe.Start is null ? Weights.FromScratch(initializer) : new Weights(Checkpoint.Open(ctcFile), trainable: true);
        _thinker = new Thinker(_config, _weights.Under("thinker"));
        _ctcHead = new CtcHead(_config.AudioConfig.DModel, _ctcWeights.Under("ctc_head"));
        _thinker.SetDropout(recipe.Dropout);
        string chat = PromptStyle.Compact.Chat(new PromptInput { Audio = true }, Languages.Find("en"), generationPrompt: true);
        _prompt = _tokenizer.Encode(chat, addSpecialTokens: false);
        _end = NanoModels.Token(_tokenizer, "<|im_end|>");
        _transcripts = [.. _text.Select(line => _tokenizer.Encode(line, addSpecialTokens: false))];
        _logMel = new LogMel();
        _pack = SpeechExamples.Open(recipe.Data.Speech, recipe.Data.Source);
        SpeechPack validation = SpeechExamples.Open(recipe.Data.ValidationSpeech, recipe.Data.ValidationSource);
        _validation = new SpeechExamples(validation, _logMel, recipe.Seed, SpeechExamples.MostSeconds, recipe.EvaluateItems);
        _phase = recipe.PhaseAt(1);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Parameters =>
        _weights.Taken.Concat(_ctcWeights.Taken).ToDictionary(item => item.Key, item => item.Value);

    /// <inheritdoc/>
    public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
    {
        _phase = _recipe.PhaseAt(step);
        (SpeechExamples examples, Batches batches) = ExamplesUpTo(_phase.MaxSeconds);
        int[] batch = batches.At(step);
        ThinkerInput[] inputs = [.. batch.Select(item => new ThinkerInput
        {
            Ids = [.. _prompt, .. _transcripts[examples.TextIndex(item)]],
            Mel = examples.ReadAugmented(item, batches.Epoch),
        })];
        report.Tally("#utterances", batch.Length);
        report.Tally("#audio_seconds", batch.Sum(examples.SecondsOf));

        AudioStates audio = _thinker.EncodeAudio(c, inputs)!.Value;
        Tensor loss = c.Ctc(_ctcHead.Forward(c, audio.Frames), audio.FrameSegments,
            [.. batch.Select(item => CtcHead.Encode(_text[examples.TextIndex(item)]))], CtcHead.Blank);
        report.Tally("ctc", loss.Span[0]);
        if (_phase.Decoder == 0)
            return loss;

        ThinkerBatch layout = _thinker.Prepare(inputs);
        Tensor last = _thinker.Forward(c, _thinker.Embed(c, layout, audio.Embeddings, null), layout, null, _thinker.Layers)[0];
        (int[] rows, int[] targets) = Targets(layout, [.. batch.Select(item => _transcripts[examples.TextIndex(item)])]);
        Tensor entropy = c.CrossEntropy(_thinker.Logits(c, c.Gather(last, rows)), targets, _recipe.LabelSmoothing);
        report.Tally("decoder", entropy.Span[0]);
        Tensor zero = c.Rent(new Shape(1));
        zero.Span[0] = 0;
        return c.Add(c.Add(zero, entropy, _phase.Decoder), loss, _phase.Ctc);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Evaluate(Compute c, CancellationToken cancellation)
    {
        List<string> references = [], decoded = [], spelled = [];
        bool writes = _phase.Decoder > 0;
        foreach (int[] items in Enumerable.Range(0, _validation.Count).Chunk(16))
        {
            cancellation.ThrowIfCancellationRequested();
            ThinkerInput[] inputs = [.. items.Select(item => new ThinkerInput { Ids = _prompt, Mel = _validation.Read(item) })];
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

    private (SpeechExamples Examples, Batches Batches) ExamplesUpTo(double seconds)
    {
        if (!_bySeconds.TryGetValue(seconds, out (SpeechExamples, Batches) found))
        {
            SpeechExamples examples = new(_pack, _logMel, _recipe.Seed, seconds) { NewVoices = _recipe.NewVoices };
            _bySeconds[seconds] = found = (examples, new Batches(examples.Seconds, _recipe.BatchSeconds, _recipe.Seed));
        }
        return found;
    }

    // The row before each transcript token predicts it, and the last one the end.
    private (int[] Rows, int[] Targets) Targets(ThinkerBatch layout, int[][] transcripts)
    {
        List<int> rows = [], targets = [];
        for (int i = 0; i < transcripts.Length; i++)
        {
            int first = layout.Segments.Start(i + 1) - transcripts[i].Length - 1;
            rows.AddRange(Enumerable.Range(first, transcripts[i].Length + 1));
            targets.AddRange(transcripts[i]);
            targets.Add(_end);
        }
        return ([.. rows], [.. targets]);
    }
}
