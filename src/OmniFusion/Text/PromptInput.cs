namespace OmniFusion.Text;

/// <summary>
/// What is given for one translation, and so which task it is: speech; speech with an image; speech with its transcript (chain of thought);
/// a sentence with an image; an image alone (the text in it is translated).
/// </summary>
public sealed record PromptInput
{
    /// <summary>Whether there is a recording.</summary>
    public bool Audio { get; init; }

    /// <summary>Whether there is an image.</summary>
    public bool Image { get; init; }

    /// <summary>The sentence to translate with the help of an image; not together with a recording.</summary>
    public string? Text { get; init; }

    /// <summary>What the recording says, when that is known; only together with a recording.</summary>
    public string? Transcript { get; init; }

    /// <exception cref="OmniFusionException">The inputs together are no task that the thinker knows.</exception>
    internal void Validate()
    {
        bool text = !string.IsNullOrEmpty(Text), transcript = !string.IsNullOrEmpty(Transcript);
        if (!Audio && !Image)
            throw new OmniFusionException("The thinker needs a recording or an image; a text alone goes to the translator by itself.");
        if (Audio && text)
            throw new OmniFusionException("A recording and a text to translate cannot go together; what a recording says is its transcript.");
        if (!Audio && transcript)
            throw new OmniFusionException("A transcript needs the recording that it belongs to.");
    }
}
