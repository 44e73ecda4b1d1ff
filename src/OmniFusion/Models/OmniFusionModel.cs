using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using OmniFusion.Checkpoints;
using OmniFusion.Generation;
using OmniFusion.Models.Fusion;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Models;

/// <summary>
/// The whole system, ready to translate. It may be used from several threads at once; each call takes memory of its own.
/// <code>
/// OmniFusionModel model = OmniFusionModel.Load("models/nano");
/// Translation translation = await model.TranslateAsync(new() { Audio = "speech.wav", TargetLanguage = "de" });
/// Console.WriteLine(translation.Text);
/// </code>
/// </summary>
public sealed partial class OmniFusionModel
{
    private readonly Bundle _bundle;
    private readonly CpuKernels _kernels;
    private readonly ConcurrentBag<Compute> _computes = [];
    private readonly ConcurrentBag<DecoderMemory> _memories = [];
    private readonly IReadOnlyList<int> _endOfTranslation, _endOfTranscript;
    private RequestReader _reader;

    private OmniFusionModel(Bundle bundle, LoadOptions options)
    {
        long started = Stopwatch.GetTimestamp();
        _bundle = bundle;
        _kernels = options.Threads is not { } threads ? CpuKernels.Default
            : threads > 0 ? new CpuKernels(threads) : throw new OmniFusionException($"A model computes on at least 1 thread, not {threads}.");
        OmniConfig omni = OmniConfig.Load(bundle.Mmfm);
        MistralConfig mistral = MistralConfig.Load(bundle.Translator);
        ThinkerTokenizer = Tokenizer.Load(bundle.Mmfm);
        TranslatorTokenizer = Tokenizer.Load(bundle.Translator);
        // As the published code does where a tokenizer has none: the row it adds takes part in the softmax.
        if (TranslatorTokenizer.PadId is null)
            TranslatorTokenizer.AddToken("<pad>");
        RequestReader reader = new(bundle, omni, mistral, ThinkerTokenizer, TranslatorTokenizer);

        Checkpoint thinkerFiles = Checkpoint.Open(bundle.Mmfm), translatorFiles = Checkpoint.Open(bundle.Translator);
        PeftAdapter adapter = PeftAdapter.Load(bundle.Adapter);
        Thinker thinker = new(omni, new Weights(thinkerFiles).With(adapter.Thinker, options.MergedType).Under("thinker"));
        MistralModel translator = new(mistral, new Weights(translatorFiles).With(adapter.Translator, options.MergedType),
            Math.Max(0, TranslatorTokenizer.VocabularySize - mistral.VocabSize));
        Weights fusion = new(adapter.Fusion);
        Parts = new FusedTranslator(
            thinker,
            FusionLayer.Create(bundle.FusionMode, thinker.HiddenSize, fusion.Under("omni_fusion"), bundle.FusionLayers),
            new Projection(thinker.HiddenSize, translator.HiddenSize, bundle.ProjectionDepth, fusion.Under("omni_projection")),
            translator, bundle.Gloss ? new PrefixGloss(translator, mistral.EosTokenIds[0]) : null);
        _reader = reader.For(Parts);
        Checkpoint? recognizerFile = bundle.Recognizer is null ? null : Checkpoint.Open(bundle.Recognizer);
        Recognizer = recognizerFile is null ? null : new CtcHead(omni.AudioConfig.DModel, recognizerFile.Under("ctc_head"));
        // The published checkpoint also holds the parts that speak.
        UnplacedKeys =
        [
            .. thinkerFiles.UnusedKeys("talker.", "token2wav."), .. translatorFiles.UnusedKeys(), .. adapter.UnplacedKeys,
            .. recognizerFile?.UnusedKeys() ?? [],
        ];
        CheckEnds(mistral.EosTokenIds, bundle.Translator, translator.VocabularySize);
        CheckEnds(omni.EosTokenIds, bundle.Mmfm, omni.TextConfig.VocabSize);
        _endOfTranslation = mistral.EosTokenIds;
        int? endOfTurn = ThinkerTokenizer.TokenId("<|im_end|>");
        _endOfTranscript = [.. omni.EosTokenIds.Concat(endOfTurn is null ? [] : [endOfTurn.Value]).Distinct()];
        LoadSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>The models, for streaming, training and whoever wants hidden states.</summary>
    public FusedTranslator Parts { get; private set; }

    /// <summary>The thinker's tokenizer.</summary>
    public Tokenizer ThinkerTokenizer { get; }

    /// <summary>The translator's tokenizer, with <c>&lt;pad&gt;</c> added where it had none.</summary>
    public Tokenizer TranslatorTokenizer { get; }

    /// <summary>Spells what the audio tower hears; null in a bundle without it.</summary>
    public CtcHead? Recognizer { get; }

    /// <summary>The bundle it was loaded from; for three folders, the published defaults.</summary>
    public Bundle Bundle => _bundle;

    /// <summary>Keys of the checkpoints and the adapter that found no place in the models.</summary>
    public IReadOnlyList<string> UnplacedKeys { get; }

    /// <summary>Seconds that loading took.</summary>
    public double LoadSeconds { get; }

    /// <summary>Loads a bundle.</summary>
    /// <param name="bundleFolder">The folder with <c>omnifusion.json</c>, or that file.</param>
    /// <param name="options">Threads and the like.</param>
    /// <exception cref="OmniFusionException">A part is missing, damaged, or does not fit the others.</exception>
    public static OmniFusionModel Load(string bundleFolder, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(bundleFolder);
        return Build(Bundle.Load(bundleFolder), options ?? new LoadOptions());
    }

    /// <summary>Loads three checkpoints in the published layout.</summary>
    /// <param name="mmfmFolder">Qwen2.5-Omni.</param>
    /// <param name="translatorFolder">A Mistral translator such as Seed-X.</param>
    /// <param name="adapterFolder">The adapter with fusion layer and projection.</param>
    /// <param name="options">Threads, fusion mode and the like.</param>
    /// <exception cref="OmniFusionException">A part is missing, damaged, or does not fit the others.</exception>
    public static OmniFusionModel Load(string mmfmFolder, string translatorFolder, string adapterFolder, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(mmfmFolder);
        ArgumentNullException.ThrowIfNull(translatorFolder);
        ArgumentNullException.ThrowIfNull(adapterFolder);
        return Build(new Bundle { Mmfm = mmfmFolder, Translator = translatorFolder, Adapter = adapterFolder }, options ?? new LoadOptions());
    }

    /// <summary>Translates one input.</summary>
    /// <exception cref="OmniFusionException">The inputs cannot be read, or are together no task of the model.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public async Task<Translation> TranslateAsync(
        TranslationRequest request, TranslationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        TranslationOptions how = options ?? new TranslationOptions();
        GenerationOptions search = SearchOf(how);
        TranslationResult result =
            await Task.Run(() => TranslateBatch([request], how, search, cancellation)[0], cancellation).ConfigureAwait(false);
        return result.Translation ?? throw result.Error!;
    }

    /// <summary>
    /// Translates inputs, some at a time (<see cref="TranslationOptions.BatchSize"/>), and hands out the results in their order. What becomes
    /// of an input does not depend on its neighbours: a bad one yields its error, and the rest goes on.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public IAsyncEnumerable<TranslationResult> TranslateBatchAsync(
        IReadOnlyList<TranslationRequest> requests, TranslationOptions? options = null, CancellationToken cancellation = default) =>
        InBatches(requests, options, TranslateBatch, cancellation);

    /// <summary>
    /// Translates speech by the cascade, the paper's baseline: the thinker writes a transcript, and the translator translates that by itself.
    /// Both search in the same way. The transcript stands in <see cref="Translation.Transcript"/>.
    /// </summary>
    /// <param name="requests">Recordings, with images where there are any; a request that has its transcript is translated from that.</param>
    /// <param name="options">The search of both stages, and how many requests are computed together.</param>
    /// <param name="cancellation">Checked at each step.</param>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public IAsyncEnumerable<TranslationResult> TranslateCascadeBatchAsync(
        IReadOnlyList<TranslationRequest> requests, TranslationOptions? options = null, CancellationToken cancellation = default) =>
        InBatches(requests, options, TranslateCascade, cancellation);

    /// <summary>Translates one recording by the cascade; see <see cref="TranslateCascadeBatchAsync"/>.</summary>
    /// <exception cref="OmniFusionException">The inputs cannot be read, or there is no recording.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public async Task<Translation> TranslateCascadeAsync(
        TranslationRequest request, TranslationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        GenerationOptions search = SearchOf(options ?? new TranslationOptions());
        TranslationResult result = await Task.Run(
            () => TranslateCascade([request], options ?? new TranslationOptions(), search, cancellation)[0], cancellation).ConfigureAwait(false);
        return result.Translation ?? throw result.Error!;
    }

    /// <summary>The thinker's own text about a recording or an image, greedily: what a recogniser writes.</summary>
    /// <param name="request">The inputs; the languages matter only to the published prompt about images.</param>
    /// <param name="maxNewTokens">Tokens to write at most.</param>
    /// <param name="cancellation">Checked at each step.</param>
    /// <exception cref="OmniFusionException">The inputs cannot be read.</exception>
    public async Task<string> TranscribeAsync(TranslationRequest request, int maxNewTokens = 256, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return (await TranscribeBatchAsync([request], maxNewTokens, cancellation).ConfigureAwait(false))[0];
    }

    /// <summary>The thinker's own text about several recordings or images, computed together.</summary>
    /// <inheritdoc cref="TranscribeAsync(TranslationRequest, int, CancellationToken)"/>
    public async Task<IReadOnlyList<string>> TranscribeBatchAsync(
        IReadOnlyList<TranslationRequest> requests, int maxNewTokens = 256, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (requests.Count == 0)
            return [];
        GenerationOptions search = new()
        {
            NumBeams = 1, NoRepeatNgramSize = 0, MaxNewTokens = maxNewTokens, EndOfText = _endOfTranscript,
        };
        search.Check();
        return await Task.Run(
            () =>
            {
                ThinkerInput[] inputs = [.. requests.Select(request => _reader.ReadForThinker(request, imageSize: null, cancellation))];
                ThinkerInput[] heard = [.. inputs.Where(input => !input.Silent)];
                Queue<string> written = new(heard.Length == 0 ? []
                    : Transcribe(heard, fuse: false, search, cancellation).Select(said => said.Text));
                return inputs.Select(input => input.Silent ? "" : written.Dequeue()).ToArray();
            },
            cancellation).ConfigureAwait(false);
    }

    /// <summary>A place to compute on this model's threads, for whoever uses <see cref="Parts"/>; one thread at a time.</summary>
    public Compute CreateCompute() => new(_kernels);

    internal RequestReader Reader => _reader;

    internal IReadOnlyList<int> EndOfTranslation => _endOfTranslation;

    internal IReadOnlyList<int> EndOfTranscript => _endOfTranscript;

    /// <summary>Memory for a decoder, used before where there is some.</summary>
    internal DecoderMemory BorrowMemory() =>
        _memories.TryTake(out DecoderMemory? memory) ? memory
            : new DecoderMemory(CreateCompute(), Parts.Thinker.Decoder.Shape, Parts.Translator.Decoder.Shape);

    /// <summary>Takes memory back; more than the processor can use at once is not kept.</summary>
    internal void Return(DecoderMemory memory)
    {
        memory.Clear();
        if (_memories.Count < MostKept)
            _memories.Add(memory);
    }

    private static int MostKept => 2 * Environment.ProcessorCount;

    private static void CheckEnds(IReadOnlyList<int> ids, string folder, int vocabulary)
    {
        foreach (int id in ids.Where(id => id < 0 || id >= vocabulary))
            throw new OmniFusionException($"eos_token_id {id} of {Path.Combine(folder, "config.json")} is no token of {vocabulary}.");
    }

    private static OmniFusionModel Build(Bundle bundle, LoadOptions options) => new(
        bundle with
        {
            FusionMode = options.FusionMode ?? bundle.FusionMode,
            FusionLayers = options.FusionLayers ?? bundle.FusionLayers,
            ProjectionDepth = options.ProjectionDepth ?? bundle.ProjectionDepth,
            Gloss = options.Gloss ?? bundle.Gloss,
            Prompt = options.Prompt ?? bundle.Prompt,
        },
        options);

    private GenerationOptions SearchOf(TranslationOptions options)
    {
        GenerationOptions search = new()
        {
            NumBeams = options.Beams ?? _bundle.Generation.NumBeams,
            NoRepeatNgramSize = options.NoRepeatNgramSize ?? _bundle.Generation.NoRepeatNgramSize,
            LengthPenalty = options.LengthPenalty ?? _bundle.Generation.LengthPenalty,
            MaxNewTokens = options.MaxNewTokens ?? _bundle.Generation.MaxNewTokens,
            EndOfText = _endOfTranslation,
        };
        search.Check();
        return search;
    }

    private static int BatchSizeOf(TranslationOptions options) => options.BatchSize >= 1 ? options.BatchSize
        : throw new OmniFusionException($"A batch holds at least 1 request, not {options.BatchSize}.");

    private TranslationResult[] TranslateCascade(
        TranslationRequest[] requests, TranslationOptions options, GenerationOptions search, CancellationToken cancellation)
    {
        Heard[] heard = [.. Hear(requests, fuse: false, options, search, cancellation).Zip(requests, (said, request) => request.HasAudio ? said
            : said with { Error = new OmniFusionException("A cascade translates speech: give a recording.") })];
        return TranslateHeard(requests, heard, options, search, cancellation, (request, said) => said.Text.Length == 0 ? null
            : new TranslationRequest { Text = said.Text, SourceLanguage = request.SourceLanguage, TargetLanguage = request.TargetLanguage });
    }

    // The fused model with the thinker's own transcript of whatever speech has none.
    private TranslationResult[] TranslateThinking(
        TranslationRequest[] requests, TranslationOptions options, GenerationOptions search, CancellationToken cancellation) =>
        TranslateHeard(requests, Hear(requests, fuse: true, options, search, cancellation), options with { ChainOfThought = false }, search,
            cancellation, WithTranscript);

    private static TranslationRequest WithTranscript(TranslationRequest request, Heard heard) =>
        heard.Text.Length == 0 ? request : request with { Transcript = heard.Text };

    // Translates what becomes of each request when its recording has been heard; where nothing does, the translation is empty.
    private TranslationResult[] TranslateHeard(
        TranslationRequest[] requests, Heard[] heard, TranslationOptions options, GenerationOptions search, CancellationToken cancellation,
        Func<TranslationRequest, Heard, TranslationRequest?> then)
    {
        (int Place, TranslationRequest Request)[] second =
            [.. from i in Enumerable.Range(0, requests.Length)
                where heard[i].Error is null
                let request = then(requests[i], heard[i])
                where request is not null
                select (i, request)];
        Dictionary<int, TranslationResult> translated = second.Select(item => item.Place)
            .Zip(TranslateBatch([.. second.Select(item => (item.Request, heard[item.Place].Perceived))], options, search, cancellation))
            .ToDictionary(item => item.First, item => item.Second);
        return [.. requests.Select((request, i) =>
        {
            if (heard[i].Error is { } error)
                return new TranslationResult(null, error);
            TranslationResult result = translated.GetValueOrDefault(i)
                ?? new TranslationResult(new Translation("", _reader.Target(request.TargetLanguage).Code, [], null, default), null);
            return result.Translation is not { } translation || !request.HasAudio ? result : new TranslationResult(
                translation with
                {
                    Transcript = heard[i].Text,
                    Warning = heard[i].Warning ?? translation.Warning,
                    Seconds = new Timings(heard[i].Load + translation.Seconds.Load,
                        heard[i].Encode + translation.Seconds.Encode, translation.Seconds.Decode),
                },
                null);
        })];
    }

    // What the thinker writes about each recording, or its transcript where that is given; nothing where there is no recording.
    private Heard[] Hear(
        TranslationRequest[] requests, bool fuse, TranslationOptions options, GenerationOptions search, CancellationToken cancellation)
    {
        Heard[] heard = [.. requests.Select(request => new Heard(request.HasAudio ? request.Transcript?.Trim() ?? "" : ""))];
        List<(int Place, ThinkerInput Input)> inputs = [];
        for (int i = 0; i < requests.Length; i++)
        {
            try
            {
                if (!requests[i].HasAudio || heard[i].Text.Length > 0)
                    continue;
                _reader.Target(requests[i].TargetLanguage);
                long started = Stopwatch.GetTimestamp();
                ThinkerInput input = _reader.ReadForThinker(requests[i], options.ImageSize, cancellation);
                if (!input.Silent)
                    inputs.Add((i, input));
                heard[i] = heard[i] with { Load = Stopwatch.GetElapsedTime(started).TotalSeconds, Warning = _reader.WarningOf(input) };
            }
            catch (OmniFusionException error)
            {
                heard[i] = heard[i] with { Error = error };
            }
        }
        if (inputs.Count > 0)
        {
            long started = Stopwatch.GetTimestamp();
            (string Text, Perceived? Perceived)[] written =
                Transcribe([.. inputs.Select(item => item.Input)], fuse, search with { EndOfText = _endOfTranscript }, cancellation);
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds / inputs.Count;
            foreach (((int place, _), (string text, Perceived? perceived)) in inputs.Zip(written))
                heard[place] = heard[place] with { Text = text.Trim(), Encode = seconds, Perceived = perceived };
        }
        return heard;
    }

    // What the thinker writes, and where it is to be fused what else it made of the inputs: one pass of it serves both.
    private (string Text, Perceived? Perceived)[] Transcribe(
        ThinkerInput[] inputs, bool fuse, GenerationOptions search, CancellationToken cancellation) => WithCompute(c =>
    {
        cancellation.ThrowIfCancellationRequested();
        (DecoderStart start, Perceived?[] perceived) = fuse ? Perceive(c, inputs) : (Parts.StartThinker(c, inputs), new Perceived?[inputs.Length]);
        return start.Search(c, search, cancellation)
            .Zip(perceived, (text, own) => (ThinkerTokenizer.Decode(text.Ids, skipSpecialTokens: true), own)).ToArray();
    });

    // The search takes the arena back, so what was perceived is kept elsewhere.
    private (DecoderStart Start, Perceived?[] Perceived) Perceive(Compute c, ThinkerInput[] inputs)
    {
        int prompt = _reader.GenerationPromptLength;
        (DecoderStart start, FusedPrefix prefix, ThinkerBatch layout) = Parts.StartThinker(c, inputs, prompt);
        return (start, [.. inputs.Select((input, i) => new Perceived(
            input with { Ids = input.Ids[..^prompt] }, prefix.Own(i, layout.Segments.Start(i))))]);
    }

    private delegate TranslationResult[] BatchTranslation(
        TranslationRequest[] batch, TranslationOptions options, GenerationOptions search, CancellationToken cancellation);

    private IAsyncEnumerable<TranslationResult> InBatches(
        IReadOnlyList<TranslationRequest> requests, TranslationOptions? options, BatchTranslation translate, CancellationToken cancellation)
    {
        // What is wrong with the call is said at the call, not when the first result is asked for.
        ArgumentNullException.ThrowIfNull(requests);
        TranslationOptions how = options ?? new TranslationOptions();
        return Run(SearchOf(how), BatchSizeOf(how), cancellation);

        async IAsyncEnumerable<TranslationResult> Run(
            GenerationOptions search, int batchSize, [EnumeratorCancellation] CancellationToken stop)
        {
            foreach (TranslationRequest[] batch in requests.Chunk(batchSize))
            {
                TranslationResult[] results = await Task.Run(() => OneByOneIfNeeded(batch, search, stop), stop).ConfigureAwait(false);
                foreach (TranslationResult result in results)
                    yield return result;
            }
        }

        // What goes wrong while a batch is computed is not said of any one request: each by itself shows whose it is.
        TranslationResult[] OneByOneIfNeeded(TranslationRequest[] batch, GenerationOptions search, CancellationToken stop)
        {
            try
            {
                return translate(batch, how, search, stop);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                return batch.Length > 1 ? [.. batch.SelectMany(request => OneByOneIfNeeded([request], search, stop))]
                    : [new TranslationResult(null, error as OmniFusionException
                        ?? new OmniFusionException($"An unexpected fault, {error.GetType().Name}: {error.Message}", error))];
            }
        }
    }

    private TranslationResult[] TranslateBatch(
        TranslationRequest[] requests, TranslationOptions options, GenerationOptions search, CancellationToken cancellation) =>
        Thinks(options) ? TranslateThinking(requests, options, search, cancellation)
            : TranslateBatch([.. requests.Select(request => (request, (Perceived?)null))], options, search, cancellation);

    private bool Thinks(TranslationOptions options) => options.ChainOfThought ?? _bundle.Generation.ChainOfThought;

    private TranslationResult[] TranslateBatch(
        (TranslationRequest Request, Perceived? Perceived)[] requests, TranslationOptions options, GenerationOptions search,
        CancellationToken cancellation)
    {
        TranslationResult[] results = new TranslationResult[requests.Length];
        List<(int Place, PreparedRequest Request)> prepared = [];
        for (int i = 0; i < requests.Length; i++)
        {
            try
            {
                PreparedRequest request = _reader.Read(
                    requests[i].Request, options.ImageSize, search.MaxNewTokens, cancellation, requests[i].Perceived);
                // Of silence a model makes something up.
                if (request.Input is { Silent: true, Transcribed: false })
                    results[i] = new TranslationResult(
                        new Translation("", request.Language.Code, [], null, new Timings(request.Seconds, 0, 0)) { Gloss = _bundle.Gloss ? "" : null },
                        null);
                else
                    prepared.Add((i, request));
            }
            catch (OmniFusionException error)
            {
                results[i] = new TranslationResult(null, error);
            }
        }
        foreach (IGrouping<Way, (int Place, PreparedRequest Request)> group in prepared.GroupBy(item => WayOf(item.Request)))
        {
            Translation[] translations = Translate([.. group.Select(item => item.Request)], search, cancellation);
            foreach ((int place, Translation translation) in group.Zip(translations, (item, translation) => (item.Place, translation)))
                results[place] = new TranslationResult(translation, null);
        }
        return results;
    }

    private static Way WayOf(PreparedRequest request) =>
        request.Input is null ? Way.Alone : request.Prefix is null ? Way.Fused : Way.Perceived;

    // The prefix of requests that go one way; null where the translator reads alone.
    private FusedPrefix? Encode(Compute c, PreparedRequest[] requests)
    {
        if (requests[0].Input is null)
            return null;
        ThinkerInput[] inputs = [.. requests.Select(request => request.Input!)];
        if (requests[0].Prefix is null)
            return Parts.Encode(c, inputs);
        ThinkerBatch batch = Parts.Thinker.Prepare(inputs);
        return Parts.Glossed(c, FusedPrefix.Pack(c, [.. requests.Select(request => request.Prefix!)], batch.Segments), batch);
    }

    // All of them go one way.
    private Translation[] Translate(PreparedRequest[] requests, GenerationOptions search, CancellationToken cancellation) => WithCompute(c =>
    {
        cancellation.ThrowIfCancellationRequested();
        long started = Stopwatch.GetTimestamp();
        FusedPrefix? prefix = Encode(c, requests);
        double encode = Stopwatch.GetElapsedTime(started).TotalSeconds / requests.Length;
        cancellation.ThrowIfCancellationRequested();
        started = Stopwatch.GetTimestamp();
        Generated[] found = Parts.Start(c, prefix, [.. requests.Select(request => request.Text)]).Search(c, search, cancellation);
        double decode = Stopwatch.GetElapsedTime(started).TotalSeconds / requests.Length;
        return requests.Select((request, i) => new Translation(
            Decoded(found[i].Ids), request.Language.Code, found[i].Ids, found[i].Score, new Timings(request.Seconds, encode, decode))
        {
            Gloss = prefix?.Glosses is { } glosses ? Decoded(glosses[i]).Trim() : null,
            Warning = request.Input is null ? null : _reader.WarningOf(request.Input),
        }).ToArray();

        string Decoded(int[] ids) => TranslatorTokenizer.Decode(ids, skipSpecialTokens: true);
    });

    // What the thinker wrote about a recording, the seconds that took, and what else it made of it; or why it could not.
    private sealed record Heard(
        string Text, double Load = 0, double Encode = 0, OmniFusionException? Error = null, Perceived? Perceived = null, string? Warning = null);

    // Requests that go one way are computed together: the translator reads them alone, they go through the thinker, or they went through it already.
    private enum Way
    {
        Alone,
        Fused,
        Perceived,
    }

    private T WithCompute<T>(Func<Compute, T> work)
    {
        if (!_computes.TryTake(out Compute? c))
            c = CreateCompute();
        try
        {
            return work(c);
        }
        finally
        {
            c.Arena.Reset();
            if (_computes.Count < MostKept)
                _computes.Add(c);
        }
    }
}
