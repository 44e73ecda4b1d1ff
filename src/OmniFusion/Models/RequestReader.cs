using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using OmniFusion.Checkpoints;
using OmniFusion.Media;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Models;

/// <summary>A request as the models take it.</summary>
/// <param name="Language">The language to translate into.</param>
/// <param name="Input">What the thinker gets; null when the translator works alone.</param>
/// <param name="Text">What the translator reads behind the fused states, or alone.</param>
/// <param name="Seconds">What reading it took.</param>
/// <param name="Prefix">What the fusion made of the thinker's tokens when it wrote about them, without a gloss; null: not known yet.</param>
internal sealed record PreparedRequest(Language Language, ThinkerInput? Input, int[] Text, double Seconds, FusedPrefix? Prefix = null);

/// <summary>What the thinker heard and saw on the pass in which it wrote.</summary>
/// <param name="Input">Its input, without what asked it to write.</param>
/// <param name="Prefix">What the fusion made of its tokens (<see cref="FusedPrefix.Own"/>).</param>
internal sealed record Perceived(ThinkerInput Input, FusedPrefix Prefix);

/// <summary>The texts around speech that is still arriving.</summary>
/// <param name="Head">The thinker's chat before the audio, with the image where there is one.</param>
/// <param name="AudioToken">What the chat has for each token of audio.</param>
/// <param name="Tail">The chat behind the audio.</param>
/// <param name="Tower">What the translator reads behind the fused states.</param>
internal sealed record SpeechPrompt(ThinkerInput Head, int AudioToken, int[] Tail, int[] Tower);

/// <summary>Reads the files of requests and makes token ids, spectrograms and patches of them.</summary>
internal sealed class RequestReader
{
    /// <summary>The longest recording in seconds: what the published feature extractor keeps of one.</summary>
    internal const int MaxSeconds = 300;

    // Of 16 bits: what never leaves it is a recording of nothing, at most dithered. Any microphone is louder.
    private const float QuantisationStep = 1 / 32768f;

    private readonly OmniConfig _omni;
    private readonly MistralConfig _mistral;
    private readonly Tokenizer _thinkerTokenizer, _translatorTokenizer;
    private readonly LogMel _logMel;
    private readonly ImageProcessorConfig _imageConfig;
    private readonly ImageSize _imageSize;
    private readonly PromptStyle _style;
    private readonly IReadOnlyList<string> _languages;
    private readonly float? _trainedSeconds;
    private FusedTranslator? _parts;

    internal RequestReader(Bundle bundle, OmniConfig omni, MistralConfig mistral, Tokenizer thinkerTokenizer, Tokenizer translatorTokenizer)
    {
        (_omni, _mistral, _thinkerTokenizer, _translatorTokenizer) = (omni, mistral, thinkerTokenizer, translatorTokenizer);
        string preprocessor = Path.Combine(bundle.Mmfm, "preprocessor_config.json");
        _logMel = LogMel.FromConfig(preprocessor);
        if (_logMel.Bins != omni.AudioConfig.NumMelBins)
            throw new OmniFusionException(
                $"{preprocessor} has feature_size {_logMel.Bins}, but the model takes {omni.AudioConfig.NumMelBins} mel bins.");
        _imageConfig = ImageProcessorConfig.Load(preprocessor);
        _imageSize = new ImageSize(bundle.ImageWidth, bundle.ImageHeight);
        if (omni.VisionConfig is { } vision)
        {
            CheckImageSize(preprocessor);
            CheckPatches(preprocessor, "patch_size", _imageConfig.PatchSize, vision.PatchSize);
            CheckPatches(preprocessor, "merge_size", _imageConfig.MergeSize, vision.SpatialMergeSize);
            CheckPatches(preprocessor, "temporal_patch_size", _imageConfig.TemporalPatchSize, vision.TemporalPatchSize);
        }
        _style = PromptStyle.Named(bundle.Prompt);
        _languages = bundle.Languages;
        _trainedSeconds = bundle.TrainedSeconds;
    }

    /// <summary>The same for a translator, which says how long prefixes become.</summary>
    internal RequestReader For(FusedTranslator parts)
    {
        RequestReader other = (RequestReader)MemberwiseClone();
        other._parts = parts;
        return other;
    }

    /// <summary>Prepares a translation; what the thinker perceived already is not read again.</summary>
    /// <exception cref="OmniFusionException">The inputs cannot be read, or are together no task of the model.</exception>
    internal PreparedRequest Read(
        TranslationRequest request, ImageSize? imageSize, int newTokens, CancellationToken cancellation, Perceived? perceived = null)
    {
        long started = Stopwatch.GetTimestamp();
        Language target = Target(request.TargetLanguage);
        ThinkerInput? input = null;
        int[] text;
        if (request.HasAudio || request.HasImage)
        {
            PromptInput prompt = PromptOf(request);
            input = perceived is null ? ThinkerInputOf(request, _style.Chat(prompt, target), imageSize, cancellation)
                : perceived.Input with { Transcribed = IsTranscribed(request) };
            text = _translatorTokenizer.Encode(_style.Tower(prompt, target), addSpecialTokens: false);
        }
        else
        {
            if (!string.IsNullOrEmpty(request.Transcript))
                throw new OmniFusionException("A transcript needs the recording that it belongs to.");
            if (string.IsNullOrWhiteSpace(request.Text))
                throw new OmniFusionException("There is nothing to translate: give a recording, an image or a text.");
            string alone = _style.TextAlone(request.Text, Languages.Find(request.SourceLanguage), target);
            text = _translatorTokenizer.Encode(alone, addSpecialTokens: true);
        }
        CheckLength((input is null ? 0 : _parts!.MostRows(TokensOf(input))) + text.Length, newTokens);
        return new PreparedRequest(target, input, text, Stopwatch.GetElapsedTime(started).TotalSeconds, perceived?.Prefix);
    }

    /// <summary>Prepares what the thinker itself is to write about.</summary>
    internal ThinkerInput ReadForThinker(TranslationRequest request, ImageSize? imageSize, CancellationToken cancellation)
    {
        if (!request.HasAudio && !request.HasImage)
            throw new OmniFusionException("There is nothing to transcribe: give a recording or an image.");
        string chat = _style.Chat(PromptOf(request), Languages.Find(request.TargetLanguage), generationPrompt: true);
        return ThinkerInputOf(request, chat, imageSize, cancellation);
    }

    /// <summary>Why not to trust what is made of an input, or null.</summary>
    internal string? WarningOf(ThinkerInput input)
    {
        // A frame of the spectrogram is a hundredth of a second.
        float seconds = (input.Mel?.Length ?? 0) / _logMel.Bins / 100f;
        return _trainedSeconds is { } trained && seconds > trained ? string.Create(CultureInfo.InvariantCulture,
            $"It takes {seconds:F0} s, and the model was trained with at most {trained:F0} s at a time: of longer recordings it makes things up.")
            : null;
    }

    /// <summary>Tokens at the end of such an input that ask the thinker to write.</summary>
    internal int GenerationPromptLength => _thinkerTokenizer.Encode(Prompts.AssistantOpening, addSpecialTokens: false).Length;

    /// <summary>Prepares the texts around speech that is still arriving.</summary>
    /// <param name="language">The language to translate into.</param>
    /// <param name="image">What is seen, or null.</param>
    /// <param name="imageSize">Size to which it is brought; null: the bundle's.</param>
    /// <param name="transcribe">Whether the thinker itself is to write.</param>
    /// <exception cref="OmniFusionException">There is an image and the model has no vision tower.</exception>
    internal SpeechPrompt ReadForSpeech(Language language, RgbImage? image, ImageSize? imageSize, bool transcribe)
    {
        CheckRate();
        PromptInput prompt = new() { Audio = true, Image = image is not null };
        int[] ids = _thinkerTokenizer.Encode(_style.Chat(prompt, language, transcribe), addSpecialTokens: false);
        CheckPlaceholder(ids, _omni.AudioTokenIndex, given: true);
        int audio = Array.IndexOf(ids, _omni.AudioTokenIndex);
        ImagePatches? patches = image is null ? null
            : PatchesOf(new TranslationRequest { Picture = image, TargetLanguage = language.Code }, imageSize, CancellationToken.None);
        ThinkerInput head = new()
        {
            Ids = ids[..audio],
            Patches = patches?.Values,
            Grid = patches is null ? default : new ImageGrid(patches.Time, patches.Height, patches.Width),
        };
        int[] tower = _translatorTokenizer.Encode(_style.Tower(prompt, language), addSpecialTokens: false);
        return new SpeechPrompt(head, _omni.AudioTokenIndex, ids[(audio + 1)..], tower);
    }

    /// <summary>What the translator reads behind the fused states of speech and its transcript.</summary>
    internal int[] ReadBehindSpeech(string transcript, bool image, Language language) => _translatorTokenizer.Encode(
        _style.Tower(new PromptInput { Audio = true, Image = image, Transcript = transcript }, language), addSpecialTokens: false);

    /// <summary>The translator's whole text for a sentence alone.</summary>
    internal int[] ReadSentence(string sentence, Language source, Language target) =>
        _translatorTokenizer.Encode(_style.TextAlone(sentence, source, target), addSpecialTokens: true);

    /// <summary>Makes spectrograms as the model listens.</summary>
    internal LogMel LogMel => _logMel;

    /// <exception cref="OmniFusionException">The thinker does not take so many tokens.</exception>
    internal void CheckThinkerLength(int tokens)
    {
        if (tokens > _omni.TextConfig.MaxPositionEmbeddings)
            throw TooLong(tokens, _omni.TextConfig.MaxPositionEmbeddings);
    }

    /// <summary>Finds a language that the model translates into.</summary>
    /// <exception cref="OmniFusionException">There is none of this name, or the model does not know it.</exception>
    internal Language Target(string name)
    {
        Language language = Languages.Find(name);
        return _languages.Contains(language.Code) ? language
            : throw new OmniFusionException($"The model does not translate into {language.Name}, only into {string.Join(", ", _languages)}.");
    }

    private void CheckImageSize(string preprocessor)
    {
        try
        {
            _ = new ImageProcessor(_imageConfig, _imageSize);
        }
        catch (OmniFusionException error)
        {
            throw new OmniFusionException($"The bundle's image_size does not go with {preprocessor}: {error.Message}", error);
        }
    }

    private static void CheckPatches(string preprocessor, string key, int given, int taken)
    {
        if (given != taken)
            throw new OmniFusionException($"{preprocessor} has {key} {given}, but the vision tower takes {taken}.");
    }

    private static bool IsTranscribed(TranslationRequest request) => !string.IsNullOrEmpty(request.Transcript);

    private static PromptInput PromptOf(TranslationRequest request) =>
        new() { Audio = request.HasAudio, Image = request.HasImage, Text = request.Text, Transcript = request.Transcript };

    private ThinkerInput ThinkerInputOf(TranslationRequest request, string chat, ImageSize? imageSize, CancellationToken cancellation)
    {
        int[] ids = _thinkerTokenizer.Encode(chat, addSpecialTokens: false);
        // A text that spells out a placeholder would ask for a sound or an image that nobody gave.
        CheckPlaceholder(ids, _omni.AudioTokenIndex, request.HasAudio);
        if (_omni.ImageTokenIndex is { } image)
            CheckPlaceholder(ids, image, request.HasImage);
        bool silent = false;
        float[]? mel = request.HasAudio ? MelOf(request, cancellation, out silent) : null;
        ImagePatches? patches = request.HasImage ? PatchesOf(request, imageSize, cancellation) : null;
        ThinkerInput input = new()
        {
            Ids = ids,
            Mel = mel,
            Silent = silent,
            Patches = patches?.Values,
            Grid = patches is null ? default : new ImageGrid(patches.Time, patches.Height, patches.Width),
            Transcribed = IsTranscribed(request),
        };
        CheckThinkerLength(TokensOf(input));
        return input;
    }

    private void CheckPlaceholder(int[] ids, int placeholder, bool given)
    {
        if (ids.Count(id => id == placeholder) != (given ? 1 : 0))
            throw new OmniFusionException(
                $"The text must not contain '{_thinkerTokenizer.TokenText(placeholder)}', which stands for a recording or an image.");
    }

    private float[] MelOf(TranslationRequest request, CancellationToken cancellation, out bool silent)
    {
        if (request.Audio is not null && request.Samples is not null)
            throw new OmniFusionException("A recording is given as a file or as samples, not as both.");
        string name = request.Audio ?? "The recording";
        float[] samples = request.Samples ?? AudioFile.ReadMono16k(request.Audio!, MaxSeconds, cancellation);
        CheckRate();
        if (samples.Length > MaxSeconds * AudioFile.ModelRate)
            throw new OmniFusionException($"{name} is too long: the model takes at most {MaxSeconds} seconds in one recording.");
        if (!samples.All(float.IsFinite))
            throw new OmniFusionException($"{name} holds samples that are not numbers.");
        silent = samples.Length > 0 && TensorPrimitives.MaxMagnitude<float>(samples) is <= QuantisationStep and >= -QuantisationStep;
        int tokens = AudioTower.TokenCount(_logMel.FrameCount(samples.Length));
        if (tokens == 0)
            throw new OmniFusionException($"{name} is too short: {samples.Length} samples at 16 kHz do not make one audio token.");
        // Said before the spectrogram takes its memory.
        CheckThinkerLength(tokens);
        cancellation.ThrowIfCancellationRequested();
        return _logMel.Compute(samples);
    }

    private void CheckRate()
    {
        if (_logMel.SamplingRate != AudioFile.ModelRate)
            throw new OmniFusionException(
                $"The model listens at {_logMel.SamplingRate} samples a second; only {AudioFile.ModelRate} is supported.");
    }

    private ImagePatches PatchesOf(TranslationRequest request, ImageSize? imageSize, CancellationToken cancellation)
    {
        if (request.Image is not null && request.Picture is not null)
            throw new OmniFusionException("An image is given as a file or as pixels, not as both.");
        if (_omni.VisionConfig is null)
            throw new OmniFusionException("This model has no vision tower, so it cannot take an image.");
        RgbImage image = request.Picture ?? ImageFile.Read(request.Image!, cancellation);
        return new ImageProcessor(_imageConfig, imageSize ?? _imageSize).Process(image);
    }

    private int TokensOf(ThinkerInput input)
    {
        int tokens = input.Ids.Length;
        if (input.Mel is not null)
            tokens += AudioTower.TokenCount(input.Mel.Length / _logMel.Bins) - 1;
        if (input.Patches is not null)
            tokens += input.Grid.Patches / (_omni.VisionConfig!.SpatialMergeSize * _omni.VisionConfig.SpatialMergeSize) - 1;
        return tokens;
    }

    /// <exception cref="OmniFusionException">The translator does not take so many tokens.</exception>
    internal void CheckLength(int tokens, int newTokens)
    {
        if (tokens > _mistral.MaxPositionEmbeddings)
            throw TooLong(tokens, _mistral.MaxPositionEmbeddings);
        if (_mistral.SlidingWindow is { } window && tokens > window - newTokens)
            throw new OmniFusionException($"The input is too long: it makes {tokens} tokens, and in the translator's sliding window of {window} "
                + $"there is room for {Math.Max(0, window - newTokens)} beside {newTokens} new ones.");
    }

    private static OmniFusionException TooLong(int tokens, int most) =>
        new($"The input is too long: it makes {tokens} tokens, and the model takes at most {most} (a second of speech is 25).");
}
