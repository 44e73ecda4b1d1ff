namespace OmniFusion.Text;

/// <summary>
/// The texts that the published models were trained with: Qwen2.5-Omni's system prompt (arXiv 2503.20215), OmniFusion's instructions
/// (arXiv 2512.00234) and Seed-X's translation prompt (arXiv 2507.13618). Every character counts.
/// </summary>
public static class Prompts
{
    /// <summary>The system prompt of Qwen2.5-Omni.</summary>
    public const string System =
        "You are Qwen, a virtual human developed by the Qwen Team, Alibaba Group, capable of perceiving auditory and visual inputs, "
        + "as well as generating text and speech.";

    /// <summary>The instruction for speech, with or without an image.</summary>
    public const string Speech =
        "Transcribe the audio using the image for context along with OCR on it for spelling keywords and names: ";

    /// <summary>What opens the thinker's own turn when it is to write text.</summary>
    public const string AssistantOpening = "<|im_start|>assistant\n";

    /// <summary>The instruction for a sentence with an image; the sentence is empty for an image alone.</summary>
    public static string SentenceWithImage(string sentence, Language target) =>
        $"Translate the following sentence into {target.Name} using the image for context. <IMG> denotes the image. "
        + $"Use the image for formality, gender, keywords, and important disambiguation cues.\n{sentence} <IMG>";

    internal static string UserText(PromptInput input, Language target) =>
        input.Audio ? Speech : SentenceWithImage(input.Text ?? "", target);

    internal static string TowerText(PromptInput input, Language target)
    {
        if (input.Audio)
            return Transcribed(input.Transcript ?? "", target);
        return string.IsNullOrEmpty(input.Text) ? " <OCR> " : $" <SRC> {input.Text}</s> <{target.Code}> ";
    }

    internal static string Transcribed(string transcript, Language target) => $"{transcript} <{target.Code}> ";

    internal static string TranslatorText(string sentence, Language source, Language target) =>
        $"Translate the following {source.Name} sentence into {target.Name}:\n{sentence} <{target.Code}>";
}
