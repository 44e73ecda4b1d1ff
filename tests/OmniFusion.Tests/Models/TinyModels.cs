using System.Text.Json;
using OmniFusion.Checkpoints;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Mistral;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Tests.Models;

/// <summary>The small random checkpoints of the goldens, and the inputs of their cases.</summary>
internal static class TinyModels
{
    public static OmniConfig Config { get; } = OmniConfig.Load(Golden.Tiny("omni"));

    public static MistralConfig TranslatorConfig { get; } = MistralConfig.Load(Golden.Tiny("translator"));

    private static readonly Lazy<Thinker> s_thinker = new(() =>
        new Thinker(Config, new Weights(Checkpoint.Open(Golden.Tiny("omni"))).Under("thinker")));

    private static readonly Lazy<Tokenizer> s_omniTokenizer = new(() => Tokenizer.Load(Golden.Tiny("omni")));

    private static readonly Lazy<OmniFusionModel> s_model = new(() =>
        OmniFusionModel.Load(Golden.Tiny("omni"), Golden.Tiny("translator"), Golden.Tiny("fusion")));

    public static Thinker Thinker => s_thinker.Value;

    public static Tokenizer OmniTokenizer => s_omniTokenizer.Value;

    public static OmniFusionModel Model => s_model.Value;

    /// <summary>The thinker's inputs of a case: its chat texts, sounds and images.</summary>
    public static ThinkerInput[] Inputs(string thinkerCase, bool generationPrompt = false)
    {
        JsonElement json = Golden.Load(thinkerCase).Json;
        string[] chats = [.. json.GetProperty("chat_text").EnumerateArray().Select(chat => chat.GetString()!)];
        return [.. json.GetProperty("inputs").EnumerateArray().Select((input, i) =>
            Input(chats[i] + (generationPrompt ? "<|im_start|>assistant\n" : ""), input, json.GetProperty("image_size")))];
    }

    public static ThinkerInput Input(string chat, JsonElement input, JsonElement imageSize)
    {
        ImagePatches? patches = input.GetProperty("image").GetString() is { } image
            ? new ImageProcessor(ImageProcessorConfig.Load(Path.Combine(Golden.Tiny("omni"), "preprocessor_config.json")),
                new ImageSize(imageSize[0].GetInt32(), imageSize[1].GetInt32())).Process(ImageFile.Read(Golden.Media(image)))
            : null;
        return new ThinkerInput
        {
            Ids = OmniTokenizer.Encode(chat, addSpecialTokens: false),
            Mel = input.GetProperty("audio").GetString() is { } audio ? Mel(audio) : null,
            Patches = patches?.Values,
            Grid = patches is null ? default : new ImageGrid(patches.Time, patches.Height, patches.Width),
        };
    }

    private static float[] Mel(string audio) => new LogMel().Compute(AudioFile.ReadMono16k(Golden.Media(audio)));

    /// <summary>Asserts that a tensor has the expected values, within a share of the largest of them.</summary>
    public static void AssertClose(float[] expected, ReadOnlySpan<float> actual, float tolerance, string what)
    {
        Assert.True(expected.Length == actual.Length, $"{what}: {actual.Length} values instead of {expected.Length}");
        float largest = expected.Max(Math.Abs), worst = 0;
        int at = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            float difference = Math.Abs(expected[i] - actual[i]);
            // Nothing compares with it: a later difference would take its place, or be taken for smaller.
            if (float.IsNaN(difference))
                Assert.Fail($"{what}: {actual[i]} instead of {expected[i]} at {i}");
            if (difference > worst)
                (worst, at) = (difference, i);
        }
        Assert.True(worst <= tolerance * largest, $"{what}: {actual[at]} instead of {expected[at]} at {at} (largest {largest})");
    }
}
