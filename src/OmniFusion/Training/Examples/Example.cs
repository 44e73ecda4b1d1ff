using OmniFusion.Media;
using OmniFusion.Models.Omni;
using OmniFusion.Text;

namespace OmniFusion.Training.Examples;

/// <summary>One thing to learn from: what is heard, seen and read, what the thinker should write about it, and its translations.</summary>
internal sealed record Example
{
    /// <summary>Log-mel frames of the speech, or null.</summary>
    internal float[]? Mel { get; init; }

    /// <summary>The share of what is said behind which the speech is to break off (<see cref="SpeechBeginnings"/>); null: it is heard to its end.</summary>
    internal double? BreaksOff { get; init; }

    /// <summary>What would have been said, where the speech has broken off.</summary>
    internal string? Whole { get; init; }

    /// <summary>The characters that are heard, as <see cref="CtcHead.Encode"/> numbers them; null: those of the answer.</summary>
    internal int[]? Letters { get; init; }

    /// <summary>The picture, or null.</summary>
    internal ImagePatches? Picture { get; init; }

    /// <summary>The sentence given beside the picture, or null.</summary>
    internal string? Text { get; init; }

    /// <summary>Whether the translator also reads what the thinker writes about the speech: a chain of thought.</summary>
    internal bool Transcribed { get; init; }

    /// <summary>What it wrote; null before, and where it does not.</summary>
    internal string? Transcript { get; init; }

    /// <summary>What the thinker should write: the transcript, the text of a slide, the names of what is seen.</summary>
    internal required string Answer { get; init; }

    /// <summary>What the fused model should write, by language code.</summary>
    internal IReadOnlyDictionary<string, string> Translations { get; init; } = new Dictionary<string, string>();

    /// <summary>What it should rather not write, because the picture shows the other reading, by language code; null where none does.</summary>
    internal IReadOnlyDictionary<string, string>? Mistranslations { get; init; }

    /// <summary>
    /// What a translator that only reads must be told to know the translations: the sentence, and before it what is seen where that decides.
    /// Null where they do not follow from words.
    /// </summary>
    internal string? Told { get; init; }

    /// <summary>Names of what the picture shows, in English, or null where that is not known.</summary>
    internal string? Seen { get; init; }

    /// <summary>Number of the one thing that the picture shows (<see cref="PictureBook"/>), or null: several, or something to read.</summary>
    internal int? Shown { get; init; }

    /// <summary>Which inputs there are.</summary>
    internal PromptInput Prompt => new() { Audio = Mel is not null, Image = Picture is not null, Text = Text, Transcript = Transcript };

    /// <summary>The inputs by name, for the log: speech, speech_image, transcribed, transcribed_image, text_image, image.</summary>
    internal string Kind => (Mel, Text, Picture) switch
    {
        ({ }, _, null) when Transcribed => "transcribed",
        ({ }, _, { }) when Transcribed => "transcribed_image",
        ({ }, _, null) => "speech",
        ({ }, _, { }) => "speech_image",
        (null, { }, _) => "text_image",
        _ => "image",
    };

    /// <summary>The thinker's input with the ids of a chat.</summary>
    internal ThinkerInput ToInput(int[] ids) => new()
    {
        Ids = ids, Mel = Mel, Patches = Picture?.Values,
        Grid = Picture is null ? default : new ImageGrid(Picture.Time, Picture.Height, Picture.Width), Transcribed = !string.IsNullOrEmpty(Transcript),
    };
}
