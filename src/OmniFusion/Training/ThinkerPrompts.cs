using OmniFusion.Text;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>The chats of examples as token ids, in the compact style.</summary>
/// <param name="tokenizer">The thinker's.</param>
/// <param name="generation">Whether the thinker is to write behind them.</param>
internal sealed class ThinkerPrompts(Tokenizer tokenizer, bool generation)
{
    private static readonly Language English = Languages.Find("en");

    /// <summary>The chat of speech alone.</summary>
    internal int[] Speech { get; } = Encode(tokenizer, new PromptInput { Audio = true }, generation);

    /// <summary>The chat of an example.</summary>
    internal int[] Ids(Example example) => Encode(tokenizer, example.Prompt, generation);

    // The compact style's chat does not name the target language.
    private static int[] Encode(Tokenizer tokenizer, PromptInput input, bool generation) =>
        tokenizer.Encode(PromptStyle.Compact.Chat(input, English, generation), addSpecialTokens: false);
}
