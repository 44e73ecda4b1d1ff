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

    /// <summary>pico2wave of SVOX Pico: one statistical voice a language.</summary>
    Pico,

    /// <summary>RHVoice-test of RHVoice: statistical voices of people with several accents.</summary>
    RHVoice,
}

/// <summary>
/// A voice of a synthesiser, and the range in which its rate and its pitch are drawn, so that one voice sounds like several speakers.
/// </summary>
/// <param name="Engine">The program that speaks.</param>
/// <param name="Name">What the program calls the voice, for example <c>en-gb+f2</c>.</param>
/// <param name="Share">How often the voice is drawn, relative to the others in a list.</param>
/// <param name="MinRate">Lower end of the rate: words per minute for espeak-ng, duration factor for flite and festival, per cent of its usual speed for pico and RHVoice.</param>
/// <param name="MaxRate">Upper end of the rate.</param>
/// <param name="MinPitch">Lower end of the pitch: 0 to 99 for espeak-ng, mean in Hz for flite and festival, per cent of its usual pitch for pico and RHVoice.</param>
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

    /// <summary>
    /// More voices to train with, of synthesisers that few systems pack: pico in two accents; by RHVoice a Scot, an Indian, two Americans
    /// and two Russians who speak English. A list of its own, so that what is drawn from <see cref="Training"/> stays what it was.
    /// </summary>
    public static IReadOnlyList<Voice> Further { get; } =
    [
        new(SpeechEngine.Pico, "en-US", 0.17, 80, 125, 75, 130),
        new(SpeechEngine.Pico, "en-GB", 0.17, 80, 125, 75, 130),
        new(SpeechEngine.RHVoice, "alan", 0.13, 80, 125, 80, 125),
        new(SpeechEngine.RHVoice, "bdl", 0.13, 80, 125, 80, 125),
        new(SpeechEngine.RHVoice, "clb", 0.13, 80, 125, 80, 125),
        new(SpeechEngine.RHVoice, "ksp", 0.11, 80, 125, 80, 125),
        new(SpeechEngine.RHVoice, "lyubov", 0.08, 80, 125, 80, 125),
        new(SpeechEngine.RHVoice, "evgeniy-eng", 0.08, 80, 125, 80, 125),
    ];

    /// <summary>The voice never trained with, which measures how well a model hears a speaker it does not know.</summary>
    public static IReadOnlyList<Voice> HeldOut { get; } = [new(SpeechEngine.Flite, "slt", 1, 0.9, 1.15, 155, 190)];

    /// <summary>Its name in lists and packs: <c>espeak:en-us+f2</c>, <c>flite:awb</c>, <c>rhvoice:bdl</c>.</summary>
    public string Id => $"{Engine.ToString().ToLowerInvariant()}:{Name}";

    /// <summary>Reads a list of voices.</summary>
    /// <param name="list">
    /// With commas between them: <c>train</c>, <c>further</c>, <c>test</c>, and <see cref="Id"/>s of voices. Each list and each single voice has the same share.
    /// </param>
    /// <exception cref="OmniFusionException">A name is not that of a known voice.</exception>
    public static IReadOnlyList<Voice> ParseList(string list) =>
        [.. list.Split(',', StringSplitOptions.TrimEntries).Distinct().SelectMany(Parts).DistinctBy(voice => voice.Id)];

    private static IReadOnlyList<Voice> Parts(string name) => name switch
    {
        "train" => Training,
        "further" => Further,
        "test" => HeldOut,
        _ => [Parse(name) with { Share = 1 }],
    };

    private static Voice Parse(string id) =>
        Training.Concat(Further).Concat(HeldOut).FirstOrDefault(voice => voice.Id == id)
        ?? throw new OmniFusionException(
            $"Unknown voice '{id}': give train, further, test, or names such as espeak:en-us+f2, flite:awb, festival:kal_diphone, pico:en-GB or rhvoice:bdl.");

    /// <inheritdoc/>
    public override string ToString() => Id;
}
