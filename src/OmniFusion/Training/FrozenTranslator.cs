using OmniFusion.Checkpoints;
using OmniFusion.Models.Mistral;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Training;

/// <summary>A translator that stays as it is.</summary>
/// <param name="Model">The decoder.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
/// <param name="End">The token that ends a text, and the blank where states are read by CTC.</param>
internal sealed record FrozenTranslator(MistralModel Model, Tokenizer Tokenizer, int End)
{
    /// <summary>Opens a folder.</summary>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or two of them do not agree.</exception>
    internal static FrozenTranslator Open(string folder)
    {
        MistralConfig config = MistralConfig.Load(folder);
        Tokenizer tokenizer = Tokenizer.Load(folder);
        int end = EndOf(tokenizer, config, folder);
        return new FrozenTranslator(new MistralModel(config, new Weights(Checkpoint.Open(folder))), tokenizer, end);
    }

    /// <summary>The end token, which training takes from the tokenizer and translating from the configuration.</summary>
    /// <exception cref="OmniFusionException">They do not agree.</exception>
    internal static int EndOf(Tokenizer tokenizer, MistralConfig config, string folder) =>
        TextPairs.EndOf(tokenizer) is var end && config.EosTokenIds is [var first, ..] && first == end ? end : throw new OmniFusionException(
            $"The tokenizer in {folder} ends a text with token {end}, but config.json with {string.Join(", ", config.EosTokenIds)}.");
}
