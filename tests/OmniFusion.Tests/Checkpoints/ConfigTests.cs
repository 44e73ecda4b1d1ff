using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using OmniFusion.Checkpoints;

namespace OmniFusion.Tests.Checkpoints;

public sealed class ConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheTinyTranslatorIsReadAndWritten()
    {
        MistralConfig config = MistralConfig.Load(Golden.Tiny("translator"));
        Assert.Equal((700, 64, 128, 3, 4, 2, 16), (config.VocabSize, config.HiddenSize, config.IntermediateSize, config.NumHiddenLayers,
            config.NumAttentionHeads, config.NumKeyValueHeads, config.HeadDim));
        Assert.Equal((1e-5f, 10000f, 2048, false),
            (config.RmsNormEps, config.RopeTheta, config.MaxPositionEmbeddings, config.TieWordEmbeddings));
        Assert.Null(config.SlidingWindow);
        Assert.Equal(1, config.BosTokenId);
        Assert.Equal([2], config.EosTokenIds);
        MistralConfig other = config with { SlidingWindow = 99, BosTokenId = null, EosTokenIds = [2, 5], TieWordEmbeddings = true };
        other.Save(_folder["config.json"]);
        MistralConfig read = MistralConfig.Load(_folder.Path);
        Assert.Equal([2, 5], read.EosTokenIds);
        Assert.Equal(other, read with { EosTokenIds = other.EosTokenIds });
    }

    [Fact]
    public void TheTinyThinkerIsReadAndWritten()
    {
        OmniConfig config = OmniConfig.Load(Golden.Tiny("omni"));
        OmniAudioConfig audio = config.AudioConfig;
        Assert.Equal((128, 2, 2, 64, 32, 100, 48), (audio.NumMelBins, audio.EncoderLayers, audio.EncoderAttentionHeads,
            audio.EncoderFfnDim, audio.DModel, audio.NWindow, audio.OutputDim));
        OmniVisionConfig vision = config.VisionConfig!;
        Assert.Equal((4, 32, 64, 2, 112, 48), (vision.Depth, vision.HiddenSize, vision.IntermediateSize, vision.NumHeads,
            vision.WindowSize, vision.OutHiddenSize));
        Assert.Equal([1, 3], vision.FullattBlockIndexes);
        OmniTextConfig text = config.TextConfig;
        Assert.Equal((608, 48, 96, 4, 4, 2, 12), (text.VocabSize, text.HiddenSize, text.IntermediateSize, text.NumHiddenLayers,
            text.NumAttentionHeads, text.NumKeyValueHeads, text.HeadDim));
        Assert.Equal([2, 2, 2], text.MropeSection);
        Assert.Equal((583, 592, 584, 585, 589, 590, 872, 580), (config.AudioTokenIndex, config.ImageTokenIndex, config.AudioStartTokenId,
            config.AudioEndTokenId, config.VisionStartTokenId, config.VisionEndTokenId, config.UserTokenId, config.PadTokenId));
        config.Save(_folder["a.json"]);
        OmniConfig.Load(_folder["a.json"]).Save(_folder["b.json"]);
        Assert.Equal(File.ReadAllText(_folder["a.json"]), File.ReadAllText(_folder["b.json"]));
        Assert.Equal(config.AudioConfig, OmniConfig.Load(_folder["a.json"]).AudioConfig);
    }

    [Fact]
    public void AThinkerMayHaveNoVision()
    {
        OmniConfig blind = OmniConfig.Load(Golden.Tiny("omni")) with { VisionConfig = null, ImageTokenIndex = null, EosTokenIds = [3] };
        blind.Save(_folder["config.json"]);
        OmniConfig read = OmniConfig.Load(_folder.Path);
        Assert.Null(read.VisionConfig);
        Assert.Null(read.ImageTokenIndex);
        Assert.Equal([3], read.EosTokenIds);
    }

    [Theory]
    [InlineData("omni", "thinker_config", null, "'thinker_config' is missing")]
    [InlineData("omni", "thinker_config.audio_config.d_model", null, "'thinker_config.audio_config.d_model' is missing")]
    [InlineData("omni", "thinker_config.audio_config.d_model", "33", "'thinker_config.audio_config.d_model' is 33, which 2 heads")]
    [InlineData("omni", "thinker_config.audio_config.output_dim", "47", "is 47, but the decoder's hidden size is 48")]
    [InlineData("omni", "thinker_config.audio_config.n_window", "1501", "is beyond max_source_positions")]
    [InlineData("omni", "thinker_config.vision_config.num_heads", "0", "is 0, not a size")]
    [InlineData("omni", "thinker_config.vision_config.window_size", "27", "less than one merged patch")]
    [InlineData("omni", "thinker_config.text_config.rope_scaling", null, "'thinker_config.text_config.rope_scaling' is missing")]
    [InlineData("omni", "thinker_config.text_config.rope_scaling.mrope_section", "[2,2,3]", "half of the head's width, 6")]
    [InlineData("omni", "thinker_config.text_config.rope_scaling.rope_type", "\"yarn\"", "is yarn; only default")]
    [InlineData("omni", "thinker_config.text_config.use_sliding_window", "true", "use_sliding_window' is not supported")]
    [InlineData("omni", "thinker_config.audio_token_index", "608", "is 608, no id of a vocabulary of 608")]
    [InlineData("omni", "thinker_config.audio_token_index", null, "'thinker_config.audio_token_index' is missing")]
    [InlineData("translator", "model_type", "\"llama\"", "is llama, not mistral")]
    [InlineData("translator", "num_key_value_heads", "3", "does not divide the 4 query heads")]
    [InlineData("translator", "num_hidden_layers", "2000000", "is beyond 10000")]
    [InlineData("translator", "head_dim", "15", "'head_dim' is odd")]
    [InlineData("translator", "hidden_size", "\"64\"", "'hidden_size' is not a whole number")]
    [InlineData("translator", "hidden_act", "\"gelu\"", "is gelu; only silu")]
    [InlineData("translator", "rms_norm_eps", "-1", "is not positive")]
    [InlineData("translator", "eos_token_id", "[2,\"x\"]", "is not a list of whole numbers")]
    [InlineData("translator", "tie_word_embeddings", "1", "is not true or false")]
    public void AMissingOrWrongKeyIsOneSentence(string model, string key, string? value, string expected)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden.Tiny(model), "config.json")))!, parent = root;
        string[] path = key.Split('.');
        foreach (string name in path[..^1])
            parent = parent[name]!;
        parent[path[^1]] = value is null ? null : JsonNode.Parse(value);
        string file = _folder.Write("config.json", root.ToJsonString());
        string message = Assert.Throws<OmniFusionException>(() => Load(model)).Message;
        Assert.StartsWith(file, message);
        Assert.Contains(expected, message);
    }

    [Fact]
    public void FlippedBytesOfAConfigurationGiveASentenceOrAConfiguration()
    {
        foreach (string model in new[] { "omni", "translator" })
        {
            byte[] good = File.ReadAllBytes(Path.Combine(Golden.Tiny(model), "config.json"));
            int refused = 0;
            Prop.ForAll(Gen.Choose(0, good.Length - 1).Zip(Gen.Choose(1, 255)).ToArbitrary(), flip =>
            {
                byte[] bytes = (byte[])good.Clone();
                bytes[flip.Item1] ^= (byte)flip.Item2;
                File.WriteAllBytes(_folder["config.json"], bytes);
                try
                {
                    Load(model);
                }
                catch (OmniFusionException)
                {
                    refused++;
                }
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess(true).WithReplay(20251200234, 1));
            Assert.True(refused > 50);
        }
    }

    private void Load(string model)
    {
        if (model == "omni")
            OmniConfig.Load(_folder.Path);
        else
            MistralConfig.Load(_folder.Path);
    }
}
