using OmniFusion.Checkpoints;
using OmniFusion.Models;

namespace OmniFusion.Cli;

/// <summary>A part of a model.</summary>
/// <param name="Part">Its name.</param>
/// <param name="Sizes">Layers, widths and the like.</param>
/// <param name="Tensors">Number of tensors.</param>
/// <param name="Parameters">Number of stored numbers.</param>
/// <param name="Bytes">What they take in the file.</param>
/// <param name="Types">Types they are stored in.</param>
/// <param name="Used">Whether translating needs it; the published checkpoint also holds the parts that speak.</param>
internal sealed record ModelPart(string Part, string Sizes, int Tensors, long Parameters, long Bytes, string[] Types, bool Used);

/// <summary>Memory in bytes.</summary>
/// <param name="Weights">Weights that are used, mapped from their files.</param>
/// <param name="Merged">Copies of the matrices that an adapter changes.</param>
/// <param name="Working">About what one recording of 30 seconds takes beside them, with the bundle's search.</param>
internal sealed record ModelMemory(long Weights, long Merged, long Working)
{
    /// <summary>What the process takes for itself, measured: .NET, the compiled code, tokenizers and tables.</summary>
    public long Runtime => 50_000_000;

    public long Total => Weights + Merged + Working + Runtime;
}

/// <summary>What <c>omnifusion info</c> tells.</summary>
internal sealed record ModelSummary
{
    private const string Unused = "speech output (not used)";

    private const int TypicalSeconds = 30, PromptTokens = 64;

    // Small models keep merged matrices exact, large ones in two bytes, see LoadOptions.MergedType.
    private const long LargestExact = 64 << 20;

    public required string Bundle { get; init; }

    public required ModelPart[] Parts { get; init; }

    public required ModelMemory Memory { get; init; }

    public required IReadOnlyList<string> Languages { get; init; }

    public required string Fusion { get; init; }

    public required int ProjectionDepth { get; init; }

    public required string Prompt { get; init; }

    public required int[] ImageSize { get; init; }

    public required BundleGeneration Generation { get; init; }

    public required IReadOnlyList<string> Unplaced { get; init; }

    /// <summary>Describes a loaded model.</summary>
    internal static ModelSummary Of(OmniFusionModel model, string name)
    {
        Bundle bundle = model.Bundle;
        OmniConfig omni = OmniConfig.Load(bundle.Mmfm);
        OmniAudioConfig audio = omni.AudioConfig;
        MistralConfig mistral = MistralConfig.Load(bundle.Translator);
        PeftAdapter adapter = PeftAdapter.Load(bundle.Adapter);
        Stored[] stored =
        [
            .. Entries(bundle.Mmfm).Select(entry => new Stored(ThinkerPart(entry.Name), entry)),
            .. Entries(bundle.Translator).Select(entry => new Stored("translator", entry)),
            .. Entries(bundle.Adapter).Select(entry => new Stored(AdapterPart(entry.Name), entry)),
            .. (bundle.Recognizer is null ? [] : Entries(bundle.Recognizer)).Select(entry => new Stored("CTC head", entry)),
        ];
        string text(int layers, int width, int heads, int kvHeads, int inner, int vocabulary) =>
            $"{layers} layers x {width}, {heads} heads ({kvHeads} for keys and values), MLP {inner}, vocabulary {vocabulary}";
        Dictionary<string, string> sizes = new()
        {
            ["audio tower"] = $"{audio.EncoderLayers} layers x {audio.DModel}, {audio.EncoderAttentionHeads} heads, "
                + $"MLP {audio.EncoderFfnDim}, {audio.NumMelBins} mel bins, window {audio.NWindow}",
            ["vision tower"] = omni.VisionConfig is { } vision
                ? $"{vision.Depth} layers x {vision.HiddenSize}, {vision.NumHeads} heads, MLP {vision.IntermediateSize}, "
                    + $"patches of {vision.PatchSize}"
                : "",
            ["decoder"] = text(omni.TextConfig.NumHiddenLayers, omni.TextConfig.HiddenSize, omni.TextConfig.NumAttentionHeads,
                omni.TextConfig.NumKeyValueHeads, omni.TextConfig.IntermediateSize, omni.TextConfig.VocabSize),
            ["translator"] = text(mistral.NumHiddenLayers, mistral.HiddenSize, mistral.NumAttentionHeads,
                mistral.NumKeyValueHeads, mistral.IntermediateSize, mistral.VocabSize),
            ["fusion"] = $"{bundle.FusionMode} of hidden states {string.Join(", ", model.Parts.Layers)}{(bundle.Gloss ? ", with a gloss" : "")}",
            ["projection"] = $"{omni.TextConfig.HiddenSize} to {mistral.HiddenSize}, {bundle.ProjectionDepth} layers",
            ["low-rank updates"] =
                $"rank {adapter.Config.Rank}, of {adapter.Translator.LowRank.Count + adapter.Thinker.LowRank.Count} matrices",
        };
        ModelPart[] parts = [.. stored.GroupBy(item => item.Part).Select(part => new ModelPart(
            part.Key, sizes.GetValueOrDefault(part.Key, ""), part.Count(),
            part.Sum(item => Numbers(item.Entry)), part.Sum(item => item.Entry.Bytes),
            [.. part.Select(item => item.Entry.Type).Distinct().Order(StringComparer.Ordinal)], part.Key != Unused))];
        return new ModelSummary
        {
            Bundle = name,
            Parts = parts,
            Memory = new ModelMemory(parts.Where(part => part.Used).Sum(part => part.Bytes),
                Merged(adapter.Translator, stored) + Merged(adapter.Thinker, stored), Working(omni, mistral, bundle.Generation)),
            Languages = bundle.Languages,
            Fusion = bundle.FusionMode,
            ProjectionDepth = bundle.ProjectionDepth,
            Prompt = bundle.Prompt,
            ImageSize = [bundle.ImageWidth, bundle.ImageHeight],
            Generation = bundle.Generation,
            Unplaced = model.UnplacedKeys,
        };
    }

    private static IEnumerable<SafeTensorsEntry> Entries(string path) => Checkpoint.Open(path).Entries;

    private static long Numbers(SafeTensorsEntry entry) => entry.Sizes.Aggregate(1L, (product, size) => product * size);

    private static string ThinkerPart(string key) =>
        key.StartsWith("thinker.audio_tower.", StringComparison.Ordinal) ? "audio tower"
        : key.StartsWith("thinker.visual.", StringComparison.Ordinal) ? "vision tower"
        : key.StartsWith("talker.", StringComparison.Ordinal) || key.StartsWith("token2wav.", StringComparison.Ordinal) ? Unused
        : "decoder";

    private static string AdapterPart(string key) =>
        key.Contains("omni_fusion", StringComparison.Ordinal) ? "fusion"
        : key.Contains("omni_projection", StringComparison.Ordinal) ? "projection"
        : key.Contains("lora_", StringComparison.Ordinal) ? "low-rank updates"
        : "other adapted tensors";

    private static long Merged(AdapterPart adapter, Stored[] stored)
    {
        long numbers = adapter.LowRank.Values.Sum(update => (long)update.MatrixShape.Count);
        double bytesPerNumber = stored.Sum(item => (double)item.Entry.Bytes) / Math.Max(1, stored.Sum(item => Numbers(item.Entry)));
        return numbers * (numbers * bytesPerNumber <= LargestExact ? sizeof(float) : sizeof(float) / 2);
    }

    // What is alive at once, counted in floats: the widest layer of the thinker and its kept states, or the translator with its cache.
    private static long Working(OmniConfig omni, MistralConfig mistral, BundleGeneration search)
    {
        const int tokensPerSecond = 25, framesPerSecond = 100, keptStates = 3;
        long tokens = TypicalSeconds * tokensPerSecond + PromptTokens, frames = TypicalSeconds * framesPerSecond;
        OmniAudioConfig audio = omni.AudioConfig;
        OmniTextConfig text = omni.TextConfig;
        long tower = frames * (audio.NumMelBins + audio.DModel + (4L * audio.DModel + audio.EncoderFfnDim) / 2);
        long thinker = tokens * ((keptStates + 5L) * text.HiddenSize + 2L * text.IntermediateSize);
        long positions = tokens + (long)search.NumBeams * search.MaxNewTokens;
        long cache = positions * 2 * mistral.NumHiddenLayers * mistral.NumKeyValueHeads * mistral.HeadDim;
        long translator = tokens * (5L * mistral.HiddenSize + 2L * mistral.IntermediateSize) + (long)search.NumBeams * mistral.VocabSize;
        return sizeof(float) * (Math.Max(tower, thinker) + cache + translator);
    }

    private readonly record struct Stored(string Part, SafeTensorsEntry Entry);
}
