using OmniFusion.Models.Fusion;
using OmniFusion.Tensors;
using OmniFusion.Training.Data;

namespace OmniFusion.Training;

/// <summary>A training, as written in a YAML file under <c>recipes/</c>. Keys are the property names in snake_case.</summary>
public sealed class Recipe
{
    /// <summary>recognizer, translator or fusion.</summary>
    public string Stage { get; set; } = "";

    /// <summary>Folder that the trained model is written to.</summary>
    public string Output { get; set; } = "";

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>Threads to compute on; 0: all cores.</summary>
    public int Threads { get; set; }

    /// <summary>Optimizer steps in all.</summary>
    public int Steps { get; set; }

    /// <summary>Steps over which the rate rises from zero.</summary>
    public int WarmupSteps { get; set; } = 300;

    /// <summary>Steps at the end over which the rate falls to zero; in between it is constant.</summary>
    public int DecaySteps { get; set; }

    /// <summary>Highest learning rate.</summary>
    public float LearningRate { get; set; } = 1e-3f;

    /// <summary>
    /// Factors on the rate for parameters whose name starts with the key; the first that fits counts. What has factor 0 stays as it is, and no
    /// gradient is computed for it.
    /// </summary>
    public Dictionary<string, float> RateFactors { get; set; } = [];

    /// <summary>Decoupled weight decay of matrices (vectors have none).</summary>
    public float WeightDecay { get; set; } = 0.01f;

    /// <summary>Norm to which the gradient of all parameters together is clipped.</summary>
    public float ClipNorm { get; set; } = 1;

    /// <summary>Share of the target spread over all tokens.</summary>
    public float LabelSmoothing { get; set; } = 0.1f;

    /// <summary>Dropout of what each block adds.</summary>
    public float Dropout { get; set; } = 0.1f;

    /// <summary>Whether each reading of an utterance is changed in speed, pitch and colour as well as in loudness and noise.</summary>
    public bool NewVoices { get; set; }

    /// <summary>Seconds of speech in a batch.</summary>
    public double BatchSeconds { get; set; } = 60;

    /// <summary>Tokens of text in a batch.</summary>
    public int BatchTokens { get; set; } = 1500;

    /// <summary>Steps between lines of the log.</summary>
    public int LogEvery { get; set; } = 20;

    /// <summary>
    /// Every how manieth step the gradients of examples with and without a picture are compared (fusion, recognizer); 0: never. Such a step
    /// takes about twice the time.
    /// </summary>
    public int WatchEvery { get; set; }

    /// <summary>Steps between evaluations on the validation set.</summary>
    public int EvaluateEvery { get; set; } = 500;

    /// <summary>Items of the validation set that are evaluated.</summary>
    public int EvaluateItems { get; set; } = 200;

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; set; } = 4;

    /// <summary>Data files.</summary>
    public RecipeData Data { get; set; } = new();

    /// <summary>Sizes of the model, where the stage makes one.</summary>
    public RecipeModel Model { get; set; } = new();

    /// <summary>What changes on the way (recognizer): the first phase whose <c>until_step</c> is not yet reached counts.</summary>
    public List<RecipePhase> Phases { get; set; } = [];

    /// <summary>Folder of the model to start from; without it, random weights.</summary>
    public string? Start { get; set; }

    /// <summary>Folder of the thinker (fusion).</summary>
    public string? Mmfm { get; set; }

    /// <summary>Folder of the translator (fusion; recognizer with an <see cref="Adapter"/>).</summary>
    public string? Translator { get; set; }

    /// <summary>
    /// Folder of a fusion (recognizer): states are read (<see cref="RecipePhase.Reading"/>) as it fuses and projects them, in the words of the
    /// <see cref="Translator"/>, and it learns with the thinker. What a thinker tells in its own tokens comes at places of its own; a projection,
    /// which sees one state at a time, cannot turn one token into two of the translator's.
    /// </summary>
    public string? Adapter { get; set; }

    /// <summary>
    /// Folder of a translator that teaches (fusion): the fused model learns from the teacher's distributions over the tokens of the
    /// translation, given the written sentence, and before it the name of what is seen where a picture decides
    /// (<see cref="RecipeAmbiguity.Told"/>). Its tokenizer is the translator's.
    /// </summary>
    public string? Teacher { get; set; }

    /// <summary>
    /// Folder of the teacher of what is seen (fusion): one that has learnt what a name before a sentence means translates other sentences
    /// worse than one that has not. Without it, <see cref="Teacher"/> teaches everything.
    /// </summary>
    public string? ToldTeacher { get; set; }

    /// <summary>Weight of the teacher in the loss, relative to the reference translation.</summary>
    public float TeacherWeight { get; set; } = 2;

    /// <summary>
    /// Weight of telling the right translation of an ambiguous sentence from the wrong one (fusion, translator): beside the reference, the translation
    /// of the other reading is to be less probable for each token, spoken or written with a picture (fusion) and told in words
    /// (<see cref="RecipeAmbiguity.Told"/>).
    /// </summary>
    public float PreferenceWeight { get; set; }

    /// <summary>
    /// Weight of reading the prefix by itself with the translator's output matrix (fusion), as <see cref="RecipePhase.Reading"/>: the translator
    /// gets a prefix that resembles the English it has learnt to read.
    /// </summary>
    public float PrefixWeight { get; set; }

    /// <summary>Whether the translator also gets what the prefix says (fusion; <see cref="Models.PrefixGloss"/>).</summary>
    public bool Gloss { get; set; }

    /// <summary>
    /// First steps of scenes alone, in which the prefix is only read by itself and the translator writes nothing (fusion): an image needs many
    /// examples before its states tell what is seen, and these are the cheap ones (as the first stage of LLaVA, Liu et al. 2023,
    /// arXiv 2304.08485).
    /// </summary>
    public int PrefixSteps { get; set; }

    /// <summary>
    /// Whether the vision tower learns, too (fusion); the rest of the thinker stays as it is, and so does what it hears. A tower that learns
    /// only to tell things apart gives each a code of its own, which a projection made for words cannot turn into words.
    /// </summary>
    public bool Eyes { get; set; }

    /// <summary>How hidden states become a prefix (fusion): one of <see cref="FusionLayer.Modes"/>.</summary>
    public string FusionMode { get; set; } = "gated";

    /// <summary>Numbers of the thinker's hidden states that are fused, 0 to its layers (fusion); without: first, middle, last.</summary>
    public List<int>? FusionLayers { get; set; }

    /// <summary>Linear layers of the projection (fusion).</summary>
    public int ProjectionDepth { get; set; } = 2;

    /// <summary>Rank of the translator's low-rank updates (fusion); 0 trains the whole translator.</summary>
    public int LoraRank { get; set; }

    /// <summary>Every how manieth step of fusion is a batch of text for the translator alone; 0: none.</summary>
    public int TextEvery { get; set; } = 4;

    /// <summary>Reads a recipe.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="variables">Values for <c>${name}</c> in it, such as the folder of the data.</param>
    /// <exception cref="OmniFusionException">The file cannot be read, or a key is unknown or has a wrong value.</exception>
    public static Recipe Load(string path, IReadOnlyDictionary<string, string>? variables = null)
    {
        Recipe recipe = YamlTemplate.Load<Recipe>(path, variables);
        recipe.Check(path);
        return recipe;
    }

    /// <summary>The learning rate at a step, counted from 1: it rises, holds and falls.</summary>
    public float RateAt(int step)
    {
        float rise = WarmupSteps > 0 ? Math.Min(1, step / (float)WarmupSteps) : 1;
        float fall = DecaySteps > 0 ? Math.Clamp((Steps - step + 1) / (float)DecaySteps, 0, 1) : 1;
        return LearningRate * rise * fall;
    }

    /// <summary>The phase that a step belongs to.</summary>
    internal RecipePhase PhaseAt(int step) => Phases.FirstOrDefault(phase => step <= phase.UntilStep) ?? new RecipePhase();

    private void Check(string path)
    {
        if (RecipeKeys.FirstWithoutValue(this) is { } empty)
            throw new OmniFusionException($"{path}: '{empty}' has no value; leave its name out instead.");
        if (string.IsNullOrEmpty(Output))
            throw new OmniFusionException($"{path} does not say where the model goes: 'output'.");
        if (!TrainingStages.Names.Contains(Stage))
            throw new OmniFusionException($"{path}: 'stage' is '{Stage}' and not {string.Join(", ", TrainingStages.Names)}.");
        if (Adapter is not null && Translator is null)
            throw new OmniFusionException($"{path}: 'adapter' needs a 'translator', whose words it tells.");
        if (Data.Beginnings > 0 && Stage == "translator")
            throw new OmniFusionException($"{path}: 'beginnings' are of a recognizer or a fusion, not of a translator.");
        if (Gloss && PrefixWeight == 0)
            throw new OmniFusionException($"{path}: 'gloss' needs a 'prefix_weight', which teaches the prefix to say something.");
        if (PrefixSteps > 0 && PrefixWeight == 0)
            throw new OmniFusionException($"{path}: 'prefix_steps' needs a 'prefix_weight'.");
        if (PrefixSteps > 0 && Data.Pictures is null)
            throw new OmniFusionException($"{path}: 'prefix_steps' needs 'pictures', which these steps are of.");
        if (Eyes && Data.Pictures is null)
            throw new OmniFusionException($"{path}: 'eyes' needs 'pictures', from which they learn.");
        if (Phases.Count > 0 && Stage != "recognizer")
            throw new OmniFusionException($"{path}: 'phases' are of a recognizer, not of a {Stage}.");
        if (Threads > CpuKernels.MostThreads)
            throw new OmniFusionException($"{path}: 'threads' must be at most {CpuKernels.MostThreads}.");
        if (!FusionLayer.Modes.Contains(FusionMode))
            throw new OmniFusionException($"{path}: 'fusion_mode' is '{FusionMode}' and not {string.Join(", ", FusionLayer.Modes)}.");
        try
        {
            FusionLayer.CheckLayers(FusionMode, FusionLayers);
        }
        catch (OmniFusionException error)
        {
            throw new OmniFusionException($"{path}: 'fusion_layers': {error.Message}", error);
        }
        RecipeNumbers numbers = new(path);
        numbers.AboveZero(
            ("steps", Steps), ("log_every", LogEvery), ("evaluate_every", EvaluateEvery), ("evaluate_items", EvaluateItems),
            ("batch_seconds", BatchSeconds), ("batch_tokens", BatchTokens), ("projection_depth", ProjectionDepth));
        numbers.NotBelowZero(
            ("threads", Threads), ("warmup_steps", WarmupSteps), ("decay_steps", DecaySteps), ("learning_rate", LearningRate),
            ("checkpoint_minutes", CheckpointMinutes), ("weight_decay", WeightDecay), ("clip_norm", ClipNorm), ("teacher_weight", TeacherWeight),
            ("preference_weight", PreferenceWeight), ("prefix_weight", PrefixWeight), ("prefix_steps", PrefixSteps),
            ("lora_rank", LoraRank), ("text_every", TextEvery), ("watch_every", WatchEvery));
        numbers.NotBelowZero([.. RateFactors.Select(item => ($"rate_factors: {item.Key}", (double)item.Value))]);
        numbers.BelowOne(("label_smoothing", LabelSmoothing), ("dropout", Dropout));
        Data.Check(path, numbers);
        Model.Check(path, numbers);
        foreach (RecipePhase phase in Phases)
            phase.Check(numbers);
        foreach ((string key, string file) in Data.Files(speech: Stage != "translator"))
            if (file.Length == 0)
                throw new OmniFusionException($"{path}: '{key}' is missing.");
    }
}

/// <summary>Data files of a <see cref="Recipe"/>; text files may be gzipped.</summary>
public sealed class RecipeData
{
    /// <summary>English lines for training.</summary>
    public string Source { get; set; } = "";

    /// <summary>Their translations, by language code.</summary>
    public Dictionary<string, string> Targets { get; set; } = [];

    /// <summary>The lines spoken: a speech pack.</summary>
    public string Speech { get; set; } = "";

    /// <summary>English lines for validation.</summary>
    public string ValidationSource { get; set; } = "";

    /// <summary>Their translations, by language code.</summary>
    public Dictionary<string, string> ValidationTargets { get; set; } = [];

    /// <summary>The validation lines spoken.</summary>
    public string ValidationSpeech { get; set; } = "";

    /// <summary>
    /// Share of the speech that a fusion translates with a chain of thought: the thinker writes what it hears, as it would when translating, and
    /// the translator reads that behind the fused states.
    /// </summary>
    public double Transcribed { get; set; }

    /// <summary>
    /// Share of the speech of which only a beginning is heard, up to any word but the last, as a simultaneous translation hears most of the time
    /// (Niehues et al. 2018, arXiv 1808.00491). A recognizer writes just that, a fusion what of the translation follows from it in the eyes of the
    /// <see cref="Recipe.Translator"/> that it begins with; and so a fusion does with this share of its text pairs.
    /// </summary>
    public double Beginnings { get; set; }

    /// <summary>
    /// More speech to learn from. A translator that reads on its own reads the lines of these texts, too, each once, unless they are those of <see cref="Source"/>.
    /// </summary>
    public List<RecipeSpeech> Further { get; set; } = [];

    /// <summary>Pictures to learn from, and to distract with; without it the model only hears and reads.</summary>
    public RecipePictures? Pictures { get; set; }

    /// <summary>Sentences whose reading a picture decides; needs <see cref="Pictures"/>.</summary>
    public RecipeAmbiguity? Ambiguity { get; set; }

    /// <summary>What must be named, by its key.</summary>
    /// <param name="speech">Whether the stage hears.</param>
    internal IEnumerable<(string Key, string File)> Files(bool speech) =>
    [
        ("data: source", Source),
        .. speech ? (IEnumerable<(string, string)>)
            [("data: speech", Speech), ("data: validation_source", ValidationSource), ("data: validation_speech", ValidationSpeech)] : [],
        .. Targets.Select(target => ($"data: targets: {target.Key}", target.Value)),
        .. ValidationTargets.Select(target => ($"data: validation_targets: {target.Key}", target.Value)),
        .. Further.SelectMany(part => ((string, string)[])
        [
            ("data: further: source", part.Source), ("data: further: speech", speech ? part.Speech : "-"),
            .. part.Targets.Select(target => ($"data: further: targets: {target.Key}", target.Value)),
        ]),
        .. Pictures is null ? [] : ((string, string)[])[("data: pictures: pictograms", Pictures.Pictograms)],
        .. Ambiguity is null ? [] : ((string, string)[])
            [("data: ambiguity: corpus", Ambiguity.Corpus), ("data: ambiguity: speech", speech ? Ambiguity.Speech : "-")],
    ];

    internal void Check(string path, RecipeNumbers numbers)
    {
        if (Further.Any(part => part.Slides is null != part.Terms is null))
            throw new OmniFusionException($"{path}: 'slides' and 'terms' go together.");
        if (Further.Any(part => part.Slides is not null) && Pictures is null)
            throw new OmniFusionException($"{path}: 'slides' needs 'pictures'.");
        if (Ambiguity is not null && Pictures is null)
            throw new OmniFusionException($"{path}: 'ambiguity' needs 'pictures', which decide it.");
        numbers.FromZeroToOne(("transcribed", Transcribed), ("beginnings", Beginnings));
        numbers.NotBelowZero([.. Further.Select(speech => ("repeat", (double)speech.Repeat))]);
        Pictures?.Check(numbers);
        Ambiguity?.Check(numbers);
    }
}

/// <summary>More speech of a <see cref="Recipe"/>.</summary>
public sealed class RecipeSpeech
{
    /// <summary>English lines.</summary>
    public string Source { get; set; } = "";

    /// <summary>Their translations, by language code.</summary>
    public Dictionary<string, string> Targets { get; set; } = [];

    /// <summary>The lines spoken: a speech pack.</summary>
    public string Speech { get; set; } = "";

    /// <summary>The term of each line, such as a name, that slides show; or null.</summary>
    public string? Terms { get; set; }

    /// <summary>Pack of slides with the terms: most utterances are heard beside a slide with theirs.</summary>
    public string? Slides { get; set; }

    /// <summary>Times that a pass goes through it.</summary>
    public int Repeat { get; set; } = 1;

    /// <summary>Whether the recipe's teacher, if it has one, has a say: not where lines are of a kind that it has never read, such as several sentences.</summary>
    public bool Taught { get; set; } = true;
}

/// <summary>Pictures of a <see cref="Recipe"/>.</summary>
public sealed class RecipePictures
{
    /// <summary>Pack of pictograms.</summary>
    public string Pictograms { get; set; } = "";

    /// <summary>Whose drawings are used.</summary>
    public List<string> Makers { get; set; } = [.. PictogramPackBuilder.UsualMakers.SkipLast(1)];

    /// <summary>Share of the spoken lines that come with a picture, half of them with one that shows something of the line.</summary>
    public double Share { get; set; } = 0.25;

    /// <summary>Pictures in a pass whose content is to be named, in English.</summary>
    public int Scenes { get; set; }

    /// <summary>Pack of slides whose text is to be read, or none.</summary>
    public string? Slides { get; set; }

    /// <summary>Written lines in a pass that come with a picture.</summary>
    public int Written { get; set; }

    internal void Check(RecipeNumbers numbers)
    {
        numbers.NotBelowZero(("scenes", Scenes), ("written", Written));
        numbers.BelowOne(("share", Share));
    }
}

/// <summary>Ambiguous sentences of a <see cref="Recipe"/>.</summary>
public sealed class RecipeAmbiguity
{
    /// <summary>Folder of the corpus.</summary>
    public string Corpus { get; set; } = "";

    /// <summary>All its sentences spoken: a speech pack.</summary>
    public string Speech { get; set; } = "";

    /// <summary>Times that a pass goes through the training sentences, spoken.</summary>
    public int Repeat { get; set; } = 1;

    /// <summary>Times that it goes through them as text beside a picture; not given: as often as spoken.</summary>
    public int? Written { get; set; }

    /// <summary>
    /// Times that it goes through them as text alone, the name of a picture that decides before each sentence (translator; text steps of a
    /// fusion): what is seen decides for somebody who is told, too, and that is learnt a lot faster. Of three times, one is a plain text, and
    /// in two the words stand where a fusion's prefix has image and speech.
    /// </summary>
    public int Told { get; set; }

    internal void Check(RecipeNumbers numbers) => numbers.NotBelowZero(("repeat", Repeat), ("written", Written ?? 0), ("told", Told));
}

/// <summary>Sizes of a model that a <see cref="Recipe"/> makes.</summary>
public sealed class RecipeModel
{
    /// <summary>Tokens of the vocabulary.</summary>
    public int Vocabulary { get; set; }

    /// <summary>Length of a hidden state of the decoder.</summary>
    public int HiddenSize { get; set; }

    /// <summary>Decoder layers.</summary>
    public int Layers { get; set; }

    /// <summary>Query heads.</summary>
    public int Heads { get; set; }

    /// <summary>Key and value heads.</summary>
    public int KvHeads { get; set; }

    /// <summary>Width of the decoder's gated unit.</summary>
    public int IntermediateSize { get; set; }

    /// <summary>Length of a state of the audio tower.</summary>
    public int AudioSize { get; set; }

    /// <summary>Layers of the audio tower.</summary>
    public int AudioLayers { get; set; }

    /// <summary>Heads of the audio tower.</summary>
    public int AudioHeads { get; set; }

    /// <summary>Width of the audio tower's feed-forward part.</summary>
    public int AudioFfn { get; set; }

    /// <summary>Length of a state of the vision tower.</summary>
    public int VisionSize { get; set; }

    /// <summary>Blocks of the vision tower; 0: the model has no eyes.</summary>
    public int VisionLayers { get; set; }

    /// <summary>Heads of the vision tower.</summary>
    public int VisionHeads { get; set; }

    /// <summary>Width of the vision tower's gated unit.</summary>
    public int VisionFfn { get; set; }

    /// <summary>Standard deviation of the first weights.</summary>
    public float InitStd { get; set; } = 0.04f;

    /// <summary>Files whose lines the vocabulary is learnt from.</summary>
    public List<string> VocabularyText { get; set; } = [];

    // Which sizes a model needs hangs on the stage that makes it.
    internal void Check(string path, RecipeNumbers numbers)
    {
        numbers.AboveZero(("init_std", InitStd));
        // No tensor has more numbers than an array; four tokens of the vision tower become one.
        double wide = Math.Max(HiddenSize, Math.Max(AudioSize, 4.0 * VisionSize));
        double most = wide * new double[] { wide, 3.0 * AudioSize, Vocabulary, IntermediateSize, AudioFfn, VisionFfn }.Max();
        if (most > Array.MaxLength)
            throw new OmniFusionException($"{path}: the sizes of 'model' are too large.");
    }
}

/// <summary>A stretch of a recogniser's training.</summary>
public sealed class RecipePhase
{
    /// <summary>Last step of the phase.</summary>
    public int UntilStep { get; set; } = int.MaxValue;

    /// <summary>Weight of the CTC loss of the audio tower, relative to <see cref="Decoder"/>.</summary>
    public float Ctc { get; set; } = 0.3f;

    /// <summary>
    /// Weight of reading the decoder's last hidden states by themselves, relative to <see cref="Decoder"/>: the words said where the audio
    /// stands, by CTC over the decoder's own tokens, and the names of what is seen where the image stands. It makes the states that a fusion
    /// reads tell what is said and seen before anything is written.
    /// </summary>
    public float Reading { get; set; }

    /// <summary>Weight of the decoder's cross entropy; 0 leaves the decoder alone, and the audio tower learns to spell by itself.</summary>
    public float Decoder { get; set; } = 1;

    /// <summary>
    /// Weight of naming what a picture shows from the vision tower alone, relative to <see cref="Decoder"/>: what CTC is to the audio tower.
    /// </summary>
    public float Naming { get; set; } = 0.3f;

    /// <summary>
    /// Weight of reading the names of what is seen, as words, in what the vision tower gives the decoder, relative to <see cref="Decoder"/>.
    /// An image then resembles the embeddings of the words for it, as what the decoder hears comes to resemble the words said.
    /// </summary>
    public float Seeing { get; set; }

    /// <summary>Whether there are only pictures to name in this phase: the vision tower learns to see.</summary>
    public bool PicturesOnly { get; set; }

    /// <summary>Utterances longer than this wait.</summary>
    public double MaxSeconds { get; set; } = 30;

    internal void Check(RecipeNumbers numbers)
    {
        numbers.AboveZero(("until_step", UntilStep), ("max_seconds", MaxSeconds));
        numbers.NotBelowZero(("ctc", Ctc), ("reading", Reading), ("decoder", Decoder), ("naming", Naming), ("seeing", Seeing));
    }
}
