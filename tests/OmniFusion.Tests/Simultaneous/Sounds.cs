using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Tests.Models;

namespace OmniFusion.Tests.Simultaneous;

/// <summary>Models and recordings for the tests of growing sources.</summary>
internal static class Sounds
{
    private static readonly string s_root = Path.GetFullPath(Path.Combine(Golden.Root, "..", ".."));

    private static readonly Lazy<OmniFusionModel> s_nano = new(() =>
        OmniFusionModel.Load(Path.Combine(s_root, "models", "nano"), new LoadOptions { Threads = 1 }));

    private static readonly Lazy<OmniFusionModel> s_glossed = new(() => OmniFusionModel.Load(
        Golden.Tiny("omni"), Golden.Tiny("translator"), Golden.Tiny("fusion"), new LoadOptions { Gloss = true, Threads = 1 }));

    private static readonly Lazy<OmniFusionModel> s_pooled = new(() => OmniFusionModel.Load(
        Golden.Tiny("omni"), Golden.Tiny("translator"), Golden.Tiny("fusion"),
        new LoadOptions { FusionMode = "pooled", Gloss = true, Threads = 1 }));

    /// <summary>The shipped model.</summary>
    public static OmniFusionModel Nano => s_nano.Value;

    /// <summary>Random weights, the published prompts, key heads in groups, and a vision tower.</summary>
    public static OmniFusionModel Tiny => TinyModels.Model;

    /// <summary><see cref="Tiny"/> with a gloss, which says something at random.</summary>
    public static OmniFusionModel Glossed => s_glossed.Value;

    /// <summary><see cref="Glossed"/> with a prefix of fewer rows than tokens.</summary>
    public static OmniFusionModel Pooled => s_pooled.Value;

    /// <summary>One of these models.</summary>
    public static OmniFusionModel Model(string name) => name switch
    {
        nameof(Nano) => Nano,
        nameof(Tiny) => Tiny,
        nameof(Pooled) => Pooled,
        _ => Glossed,
    };

    /// <summary>A recording of samples/speech.</summary>
    public static float[] Speech(string name) => AudioFile.ReadMono16k(Path.Combine(s_root, "samples", "speech", name + ".wav"));

    /// <summary>Speech whose loudest moment comes early, so that the maximum of the log-mel does not rise after the first chunk.</summary>
    public static float[] LoudAtFirst(double seconds)
    {
        float[] speech = Looped("ducks", seconds);
        for (int i = 0; i < 800; i++)
            speech[2400 + i] = i % 16 < 8 ? 1 : -1;
        return speech;
    }

    /// <summary>Speech that begins in digital silence and grows louder and louder, by 80 dB and more.</summary>
    public static float[] EverLouder(double seconds)
    {
        float[] speech = Looped("garage", seconds);
        for (int i = 0; i < speech.Length; i++)
            speech[i] *= i < 4000 ? 0 : MathF.Pow(10, -5 + 5f * i / speech.Length);
        return speech;
    }

    private static float[] Looped(string name, double seconds)
    {
        float[] speech = Speech(name), longer = new float[(int)(seconds * AudioFile.ModelRate)];
        for (int i = 0; i < longer.Length; i++)
            longer[i] = speech[i % speech.Length];
        return longer;
    }
}
