using OmniFusion.Checkpoints;
using OmniFusion.Evaluation;
using OmniFusion.Generation;
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

    /// <summary>Makes or loads the model and opens the data.</summary>
    public RecognizerTask(Recipe recipe)
    {
        _recipe = recipe;
        _text = TextLines.Read(recipe.Data.Source);
        _validationText = TextLines.Read(recipe.Data.ValidationSource);
        _tokenizerFolder = recipe.Start ?? recipe.Output;
        if (recipe.Start is null && !File.Exists(Path.Combine(recipe.Output, "tokenizer.json")))
            BpeTrainer.TrainByteLevel(recipe.Model.VocabularyText.SelectMany(TextLines.Read), recipe.Model.Vocabulary, BpeTrainer.ThinkerSpecialTokens, recipe.Output);
        _tokenizer = Tokenizer.Load(_tokenizerFolder);
        _config = recipe.Start is null ? NanoModels.Thinker(recipe.Model, _tokenizer) : OmniConfig.Load(Path.Combine(recipe.Start, "config.json"));
        WeightInitializer initializer = new(recipe.Seed, recipe.Model.InitStd);
        _weights = recipe.Start is null ? Weights.FromScratch(initializer) : new Weights(Checkpoint.Open(recipe.Start), trainable: true);
        string ctcFile = Path.Combine(recipe.Start ?? "", NanoModels.RecognizerFile);
        _ctcWeights = recipe.Start is null ? Weights.FromScratch(initializer) : new Weights(Checkpoint.Open(ctcFile), trainable: true);
        _thinker = new Thinker(_config, _weights.Under("thinker"));
        _ctcHead = new CtcHead(_config.AudioConfig.DModel, _ctcWeights.Under("ctc_head"));
        _thinker.SetDropout(recipe.Dropout);
        _prompt = _tokenizer.Encode(PromptStyle.Compact.Chat(new PromptInput { Audio = true }, Languages.Find("en"), generationPrompt: true), addSpecialTokens: false);
        _end = NanoModels.Token(_tokenizer, "<|im_end|>");
        _transcripts = [.. _text.Select(line => _tokenizer.Encode(line, addSpecialTokens: false))];
        _logMel = new LogMel();
        _pack = SpeechPack.Open(recipe.Data.Speech);
        _validation = new SpeechExamples(SpeechPack.Open(recipe.Data.ValidationSpeech), _logMel, recipe.Seed, 30, recipe.EvaluateItems);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Parameters =>
        _weights.Taken.Concat(_ctcWeights.Taken).ToDictionary(item => item.Key, item => item.Value);

    /// <inheritdoc/>
    public override Tensor Loss(Compute c, int step, IDictionary<string, double> report)
    {
        RecipePhase phase = _recipe.PhaseAt(step);
        (SpeechExamples examples, Batches batches) = ExamplesOf(phase);
        int[] batch = batches.At(step);
        ThinkerInput[] inputs = [.. batch.Select(item => new ThinkerInput
        {
            Ids = [.. _prompt, .. _transcripts[examples.TextIndex(item)]],
            Mel = examples.ReadAugmented(item, batches.Epoch),
        })];
        Add(report, "#utterances", batch.Length);
        Add(report, "#audio_seconds", batch.Sum(examples.SecondsOf));

        AudioStates audio = _thinker.EncodeAudio(c, inputs)!.Value;
        Tensor loss = c.Ctc(_ctcHead.Forward(c, audio.Frames), audio.FrameSegments,
            [.. batch.Select(item => CtcHead.Encode(_text[examples.TextIndex(item)]))], CtcHead.Blank);
        Add(report, "ctc", loss.Span[0]);
        if (phase.Decoder == 0)
            return loss;

        ThinkerBatch layout = _thinker.Prepare(inputs);
        Tensor last = _thinker.Forward(c, _thinker.Embed(c, layout, audio.Embeddings, null), layout, null, _thinker.Layers)[0];
        (int[] rows, int[] targets) = Targets(layout, [.. batch.Select(item => _transcripts[examples.TextIndex(item)])]);
        Tensor entropy = c.CrossEntropy(_thinker.Logits(c, c.Gather(last, rows)), targets, _recipe.LabelSmoothing);
        Add(report, "decoder", entropy.Span[0]);
        // Weights are relative: the decoder's loss counts `decoder` times, the CTC loss `ctc` times.
        Tensor zero = c.Rent(new Shape(1));
        zero.Span[0] = 0;
        return c.Add(c.Add(zero, entropy, phase.Decoder), loss, phase.Ctc);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Evaluate(Compute c, CancellationToken cancellation)
    {
        List<string> references = [], decoded = [], spelled = [];
        bool writes = _recipe.Phases.Count == 0 || _thinkerWrites;
        for (int start = 0; start < _validation.Count; start += 16)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] items = [.. Enumerable.Range(start, Math.Min(16, _validation.Count - start))];
            ThinkerInput[] inputs = [.. items.Select(item => new ThinkerInput { Ids = _prompt, Mel = _validation.Read(item) })];
            references.AddRange(items.Select(item => TextNormalizer.ForRecognition(_validationText[_validation.TextIndex(item)])));
            c.Arena.Reset();
            AudioStates audio = _thinker.EncodeAudio(c, inputs)!.Value;
            Tensor logits = _ctcHead.Forward(c, audio.Frames);
            for (int i = 0; i < items.Length; i++)
                spelled.Add(CtcHead.Decode(logits, audio.FrameSegments.Start(i), audio.FrameSegments.Length(i)));
            if (writes)
                decoded.AddRange(Transcribe(c, _thinker, _tokenizer, inputs, audio, _end, cancellation).Select(TextNormalizer.ForRecognition));
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

    // Until the decoder is trained, its transcripts are not worth the time.
    private bool _thinkerWrites;

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

    internal static IEnumerable<string> Transcribe(
        Compute c, Thinker thinker, Tokenizer tokenizer, ThinkerInput[] inputs, AudioStates audio, int end, CancellationToken cancellation)
    {
        ThinkerBatch layout = thinker.Prepare(inputs);
        KvCache cache = new(thinker.Decoder.Shape, layout.Ids.Length + inputs.Length * 40);
        Tensor last = thinker.Forward(c, thinker.Embed(c, layout, audio.Embeddings, null), layout, cache, thinker.Layers)[0];
        int[] ends = [.. Enumerable.Range(0, inputs.Length).Select(i => layout.Segments.Start(i + 1) - 1)];
        DecoderSession session = new(thinker, cache, layout.Segments, layout.NextPositions, axes: 3);
        GenerationOptions options = new() { NumBeams = 1, NoRepeatNgramSize = 0, MaxNewTokens = 80, EndOfText = [end] };
        Generated[] found = Search.Run(c, session, thinker.Logits(c, c.Gather(last, ends)), [.. inputs.Select(_ => Array.Empty<int>())], options, cancellation);
        return found.Select(text => tokenizer.Decode(text.Ids, skipSpecialTokens: true).Trim());
    }

    private (SpeechExamples Examples, Batches Batches) ExamplesOf(RecipePhase phase)
    {
        _thinkerWrites = phase.Decoder > 0;
        if (!_bySeconds.TryGetValue(phase.MaxSeconds, out (SpeechExamples, Batches) found))
        {
            SpeechExamples examples = new(_pack, _logMel, _recipe.Seed, phase.MaxSeconds);
            _bySeconds[phase.MaxSeconds] = found = (examples, new Batches(examples.Seconds, _recipe.BatchSeconds, _recipe.Seed));
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

    private static void Add(IDictionary<string, double> report, string name, double value) =>
        report[name] = (report.TryGetValue(name, out double sum) ? sum : 0) + value;
}
