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
        int headDim = model.HiddenSize / model.Heads, half = headDim / 2;
        return new OmniConfig
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
        };
    }

    /// <summary>A translator of the recipe's sizes.</summary>
    internal static MistralConfig Translator(RecipeModel model) => new()
    {
        VocabSize = model.Vocabulary, HiddenSize = model.HiddenSize, IntermediateSize = model.IntermediateSize, NumHiddenLayers = model.Layers,
        NumAttentionHeads = model.Heads, NumKeyValueHeads = model.KvHeads, HeadDim = model.HiddenSize / model.Heads, TieWordEmbeddings = true,
        RmsNormEps = 1e-5f,
    };

    /// <summary>Id of a token that must be there.</summary>
    internal static int Token(Tokenizer tokenizer, string token) =>
        tokenizer.TokenId(token) ?? throw new OmniFusionException($"The tokenizer has no token '{token}'.");

    /// <summary>The tensors of a model under their keys, each once.</summary>
    internal static IEnumerable<(string Name, Tensor Tensor)> Named(Weights weights) =>
        weights.Taken.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => (item.Key, item.Value));

    /// <summary>Puts the tokenizer's files beside a model.</summary>
    internal static void CopyTokenizer(string from, string to)
    {
        if (Path.GetFullPath(from) == Path.GetFullPath(to))
            return;
        foreach (string name in new[] { "tokenizer.json", "tokenizer_config.json" })
            AtomicFile.WriteText(Path.Combine(to, name), File.ReadAllText(Path.Combine(from, name)));
    }

    /// <summary>The published settings of the front ends.</summary>
    internal static void WritePreprocessorConfig(string folder) => AtomicFile.WriteText(Path.Combine(folder, "preprocessor_config.json"), """
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

        """);
}
