using OmniFusion.Checkpoints;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Training;

/// <summary>Configurations of models that are made here, in the published layouts.</summary>
internal static class NanoModels
{
    /// <summary>File with the CTC head, beside the thinker.</summary>
    internal const string RecognizerFile = "recognizer.safetensors";

    /// <summary>A thinker of the recipe's sizes.</summary>
    internal static OmniConfig Thinker(RecipeModel model, Tokenizer tokenizer)
    {
        CheckDecoder(model);
        if (model.AudioHeads < 1 || model.AudioLayers < 1 || model.AudioFfn < 1 || model.AudioSize < 1
            || model.AudioSize % model.AudioHeads != 0)
        {
            throw new OmniFusionException("The recipe's 'model' needs audio_layers, audio_ffn, audio_size (a multiple of audio_heads) and "
                + "audio_heads.");
        }
        int headDim = model.HiddenSize / model.Heads, half = headDim / 2;
        return WithEyes(new OmniConfig
        {
            AudioConfig = new OmniAudioConfig
            {
                DModel = model.AudioSize, EncoderLayers = model.AudioLayers, EncoderAttentionHeads = model.AudioHeads,
                EncoderFfnDim = model.AudioFfn, OutputDim = model.HiddenSize,
            },
            TextConfig = new OmniTextConfig
            {
                VocabSize = model.Vocabulary, HiddenSize = model.HiddenSize, IntermediateSize = model.IntermediateSize,
                NumHiddenLayers = model.Layers, NumAttentionHeads = model.Heads, NumKeyValueHeads = model.KvHeads, HeadDim = headDim,
                // The published shares of time, height and width: 16, 24 and 24 of 64.
                MropeSection = [half / 4, half * 3 / 8, half - half / 4 - half * 3 / 8], TieWordEmbeddings = true,
            },
            AudioTokenIndex = Token(tokenizer, "<|AUDIO|>"),
            ImageTokenIndex = Token(tokenizer, "<|IMAGE|>"),
            VideoTokenIndex = Token(tokenizer, "<|VIDEO|>"),
            AudioStartTokenId = Token(tokenizer, "<|audio_bos|>"),
            AudioEndTokenId = Token(tokenizer, "<|audio_eos|>"),
            VisionStartTokenId = Token(tokenizer, "<|vision_bos|>"),
            VisionEndTokenId = Token(tokenizer, "<|vision_eos|>"),
            PadTokenId = Token(tokenizer, "<|endoftext|>"),
            EosTokenIds = [Token(tokenizer, "<|im_end|>")],
        }, model);
    }

    /// <summary>The same thinker with a vision tower of the recipe's sizes, where the recipe has one and the thinker has none.</summary>
    internal static OmniConfig WithEyes(OmniConfig thinker, RecipeModel model)
    {
        if (model.VisionLayers < 1 || thinker.VisionConfig is not null)
            return thinker;
        if (model.VisionFfn < 1 || model.VisionHeads < 1 || model.VisionSize < 1 || model.VisionSize % (4 * model.VisionHeads) != 0)
            throw new OmniFusionException(
                "The recipe's 'model' with vision_layers needs vision_ffn, vision_size (a multiple of four times vision_heads) and vision_heads.");
        return thinker with
        {
            VisionConfig = new OmniVisionConfig
            {
                Depth = model.VisionLayers, HiddenSize = model.VisionSize, NumHeads = model.VisionHeads,
                IntermediateSize = model.VisionFfn, OutHiddenSize = thinker.TextConfig.HiddenSize,
                FullattBlockIndexes = [model.VisionLayers - 1],
            },
        };
    }

    /// <summary>A translator of the recipe's sizes.</summary>
    internal static MistralConfig Translator(RecipeModel model)
    {
        CheckDecoder(model);
        return new MistralConfig
        {
            VocabSize = model.Vocabulary, HiddenSize = model.HiddenSize, IntermediateSize = model.IntermediateSize,
            NumHiddenLayers = model.Layers, NumAttentionHeads = model.Heads, NumKeyValueHeads = model.KvHeads,
            HeadDim = model.HiddenSize / model.Heads, TieWordEmbeddings = true, RmsNormEps = 1e-5f,
        };
    }

    /// <summary>Whether the vocabulary of a new model has been learnt already, by the run that is now resumed.</summary>
    /// <exception cref="OmniFusionException">There is one, but of another size.</exception>
    internal static bool HasTokenizer(Recipe recipe)
    {
        string path = Path.Combine(recipe.Output, "tokenizer.json");
        if (!File.Exists(path))
            return false;
        int size = Tokenizer.Load(recipe.Output).VocabularySize;
        return size == recipe.Model.Vocabulary ? true : throw new OmniFusionException(
            $"{path} has {size} tokens and the recipe wants {recipe.Model.Vocabulary}, so it belongs to another recipe.");
    }

    /// <summary>Id of a token that must be there.</summary>
    internal static int Token(Tokenizer tokenizer, string token) =>
        tokenizer.TokenId(token) ?? throw new OmniFusionException($"The tokenizer has no token '{token}'.");

    /// <summary>The tensors of a model under their keys, each once.</summary>
    internal static IEnumerable<(string Name, Tensor Tensor)> Named(Weights weights) =>
        weights.Taken.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => (item.Key, item.Value));

    /// <summary>Puts the tokenizer's files beside a model.</summary>
    internal static void CopyTokenizer(string from, string to) =>
        ModelFolder.Copy(from, to, name => name is "tokenizer.json" or "tokenizer_config.json");

    /// <summary>The published settings of the front ends.</summary>
    internal static void WritePreprocessorConfig(string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, "preprocessor_config.json"), PreprocessorConfig);

    private const string PreprocessorConfig = """
        {
          "feature_extractor_type": "WhisperFeatureExtractor",
          "feature_size": 128,
          "hop_length": 160,
          "n_fft": 400,
          "sampling_rate": 16000,
          "chunk_length": 300,
          "image_processor_type": "Qwen2VLImageProcessor",
          "image_mean": [0.48145466, 0.4578275, 0.40821073],
          "image_std": [0.26862954, 0.26130258, 0.27577711],
          "min_pixels": 3136,
          "max_pixels": 12845056,
          "patch_size": 14,
          "merge_size": 2,
          "temporal_patch_size": 2
        }

        """;

    private static void CheckDecoder(RecipeModel model)
    {
        if (model.Vocabulary < 1 || model.Layers < 1 || model.IntermediateSize < 1 || model.Heads < 1 || model.KvHeads < 1
            || model.Heads % model.KvHeads != 0 || model.HiddenSize < 1 || model.HiddenSize % (2 * model.Heads) != 0)
        {
            throw new OmniFusionException("The recipe's 'model' needs vocabulary, layers, intermediate_size, hidden_size (a multiple of "
                + "twice heads), heads (a multiple of kv_heads) and kv_heads.");
        }
    }
}
