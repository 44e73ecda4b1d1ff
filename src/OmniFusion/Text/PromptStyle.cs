namespace OmniFusion.Text;

/// <summary>
/// The texts around the inputs, for the thinker (its chat) and for the translator (the "tower" text after the fused states). A model must
/// be given the style that it was trained with; the bundle names it.
/// </summary>
public sealed class PromptStyle
{
    private const string AudioPiece = "<|audio_bos|><|AUDIO|><|audio_eos|>";
    private const string ImagePiece = "<|vision_bos|><|IMAGE|><|vision_eos|>";

    private readonly Func<PromptInput, Language, string> _userText;
    private readonly Func<string, Language, Language, string> _translatorText;
    private readonly string _systemTurn;

    private PromptStyle(
        string name,
        string systemTurn,
        Func<PromptInput, Language, string> userText,
        Func<string, Language, Language, string> translatorText)
    {
        Name = name;
        _systemTurn = systemTurn;
        _userText = userText;
        _translatorText = translatorText;
    }

    /// <summary>The texts of the published system (see <see cref="Prompts"/>).</summary>
    public static PromptStyle Published { get; } =
        new("published", Turn("system", Prompts.System), Prompts.UserText, Prompts.TranslatorText);

    /// <summary>
    /// For small models: no system turn and no instructions. The user turn holds the media, after the sentence where there is one, and the
    /// translator reads the plain sentence and the language tag.
    /// </summary>
    public static PromptStyle Compact { get; } =
        new("compact", "", (input, _) => input.Text ?? "", (sentence, _, target) => Prompts.Transcribed(sentence, target));

    /// <summary>The name by which <c>omnifusion.json</c> calls for this style.</summary>
    public string Name { get; }

    /// <summary>Finds a style by its name.</summary>
    /// <exception cref="OmniFusionException">There is no style of this name.</exception>
    public static PromptStyle Named(string name) => name switch
    {
        "published" => Published,
        "compact" => Compact,
        _ => throw new OmniFusionException($"'{name}' is not a prompt style; known are published and compact"),
    };

    /// <summary>
    /// The thinker's text: the system turn where the style has one, and one user turn with the instruction, the image and the audio, in
    /// this order. <c>&lt;|IMAGE|&gt;</c> and <c>&lt;|AUDIO|&gt;</c> stand for as many tokens as their towers give.
    /// </summary>
    /// <param name="input">What there is to translate.</param>
    /// <param name="target">The language to translate into.</param>
    /// <param name="generationPrompt">Whether to open the assistant's turn: for text from the thinker itself, not for fusion.</param>
    /// <exception cref="OmniFusionException">The inputs together are no task that the thinker knows.</exception>
    public string Chat(PromptInput input, Language target, bool generationPrompt = false)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(target);
        input.Validate();
        string media = (input.Image ? ImagePiece : "") + (input.Audio ? AudioPiece : "");
        return _systemTurn + Turn("user", _userText(input, target) + media) + (generationPrompt ? Prompts.AssistantOpening : "");
    }

    /// <summary>
    /// The translator's text after the fused states, to be tokenised without special tokens. It is the same in both styles.
    /// </summary>
    /// <exception cref="OmniFusionException">The inputs together are no task that the thinker knows.</exception>
    public string Tower(PromptInput input, Language target)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(target);
        input.Validate();
        return Prompts.TowerText(input, target);
    }

    /// <summary>
    /// The translator's whole text when it translates a sentence by itself, as in a cascade; tokenised with its special tokens.
    /// </summary>
    public string TextAlone(string sentence, Language source, Language target)
    {
        ArgumentNullException.ThrowIfNull(sentence);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        return _translatorText(sentence, source, target);
    }

    private static string Turn(string role, string content) => $"<|im_start|>{role}\n{content}<|im_end|>\n";
}
