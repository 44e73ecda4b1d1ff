namespace OmniFusion.Training.Data;

/// <summary>A free speech synthesiser that is run as a program.</summary>
public enum SpeechEngine
{
    /// <summary>espeak-ng: formant synthesis, many accents and timbres.</summary>
    Espeak,

    /// <summary>flite: small statistical and diphone voices.</summary>
    Flite,

    /// <summary>festival: diphone voices.</summary>
    Festival,
}

/// <summary>
/// A voice of a synthesiser, and the range in which its rate and its pitch are drawn, so that one voice sounds like several speakers.
/// </summary>
/// <param name="Engine">The program that speaks.</param>
/// <param name="Name">What the program calls the voice, for example <c>en-gb+f2</c>.</param>
/// <param name="Share">How often the voice is drawn, relative to the others in a list.</param>
/// <param name="MinRate">Lower end of the rate: words per minute for espeak-ng, duration factor for flite and festival.</param>
/// <param name="MaxRate">Upper end of the rate.</param>
/// <param name="MinPitch">Lower end of the pitch: 0 to 99 for espeak-ng, mean in Hz for flite and festival.</param>
/// <param name="MaxPitch">Upper end of the pitch.</param>
public sealed record Voice(SpeechEngine Engine, string Name, double Share, double MinRate, double MaxRate, double MinPitch, double MaxPitch)
{
    private static readonly string[] EspeakAccents = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-us-nyc"];

    private static readonly string[] EspeakTimbres = ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4"];

    /// <summary>
    /// The voices to train with: 45 % espeak-ng, 40 % flite and 15 % festival.
    /// <c>slt</c>, which speaks in <see cref="HeldOut"/>, is in neither flite's part nor festival's.
    /// </summary>
    public static IReadOnlyList<Voice> Training { get; } =
    [
        .. from accent in EspeakAccents
           from timbre in EspeakTimbres
           select new Voice(SpeechEngine.Espeak, accent + timbre, 0.45 / (EspeakAccents.Length * EspeakTimbres.Length), 130, 200, 20, 80),
        new(SpeechEngine.Flite, "awb", 0.14, 0.85, 1.2, 100, 160),
        new(SpeechEngine.Flite, "rms", 0.14, 0.85, 1.2, 80, 140),
        new(SpeechEngine.Flite, "kal16", 0.08, 0.85, 1.2, 80, 140),
        new(SpeechEngine.Flite, "kal", 0.04, 0.85, 1.2, 80, 140),
        new(SpeechEngine.Festival, "kal_diphone", 0.08, 0.85, 1.2, 85, 140),
        new(SpeechEngine.Festival, "ked_diphone", 0.07, 0.85, 1.2, 85, 140),
    ];

    /// <summary>The voice never trained with, which measures how well a model hears a speaker it does not know.</summary>
    public static IReadOnlyList<Voice> HeldOut { get; } = [new(SpeechEngine.Flite, "slt", 1, 0.9, 1.15, 155, 190)];

    /// <summary>Its name in lists and packs: <c>espeak:en-us+f2</c>, <c>flite:awb</c>, <c>festival:kal_diphone</c>.</summary>
    public string Id => $"{Engine.ToString().ToLowerInvariant()}:{Name}";

    /// <summary>Reads a list of voices.</summary>
    /// <param name="list"><c>train</c>, <c>test</c>, or the <see cref="Id"/>s of voices with commas between them.</param>
    /// <exception cref="OmniFusionException">A name is not that of a known voice.</exception>
    public static IReadOnlyList<Voice> ParseList(string list) => list switch
    {
        "train" => Training,
        "test" => HeldOut,
        _ => [.. list.Split(',', StringSplitOptions.TrimEntries).Distinct().Select(id => Parse(id) with { Share = 1 })],
    };

    private static Voice Parse(string id) =>
        Training.Concat(HeldOut).FirstOrDefault(voice => voice.Id == id)
        ?? throw new OmniFusionException(
            $"Unknown voice '{id}': give train, test, or names such as espeak:en-us+f2, flite:awb or festival:kal_diphone.");

    /// <inheritdoc/>
    public override string ToString() => Id;
}
