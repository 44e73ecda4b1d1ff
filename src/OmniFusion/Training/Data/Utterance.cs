namespace OmniFusion.Training.Data;

/// <summary>
/// How one line of a text is spoken. Everything is drawn from a hash of the seed, the line and the copy and from nothing else,
/// so an utterance is the same whatever was spoken before it, by how many workers, and in how many runs.
/// </summary>
/// <param name="TextIndex">Zero-based line of the text.</param>
/// <param name="Copy">Which time that the line is spoken, from 0.</param>
/// <param name="Voice">Who speaks.</param>
/// <param name="Rate">In the unit of the voice's engine.</param>
/// <param name="Pitch">In the unit of the voice's engine.</param>
/// <param name="LeadIn">Samples of silence before the speech, 100 to 200 ms.</param>
/// <param name="LeadOut">Samples of silence after the speech, 100 to 200 ms.</param>
public sealed record Utterance(int TextIndex, int Copy, Voice Voice, double Rate, double Pitch, int LeadIn, int LeadOut)
{
    /// <summary>Draws how a line is spoken.</summary>
    /// <param name="seed">Seed of the whole set.</param>
    /// <param name="textIndex">Zero-based line of the text.</param>
    /// <param name="copy">Which time that the line is spoken, from 0.</param>
    /// <param name="voices">Voices to draw from, by their shares; not empty.</param>
    public static Utterance Draw(long seed, int textIndex, int copy, IReadOnlyList<Voice> voices)
    {
        SplitMix64 random = new(SplitMix64.Mix((ulong)seed) ^ SplitMix64.Mix(((ulong)(uint)copy << 32) | (uint)textIndex));
        Voice voice = DrawVoice(voices, random.Unit());
        return new Utterance(
            textIndex,
            copy,
            voice,
            // Rounded, because the engines read them as decimal text.
            Math.Round(voice.MinRate + (voice.MaxRate - voice.MinRate) * random.Unit(), 3),
            Math.Round(voice.MinPitch + (voice.MaxPitch - voice.MinPitch) * random.Unit()),
            DrawSilence(random.Unit()),
            DrawSilence(random.Unit()));
    }

    private static Voice DrawVoice(IReadOnlyList<Voice> voices, double fraction)
    {
        double left = fraction * voices.Sum(voice => voice.Share);
        foreach (Voice voice in voices)
        {
            left -= voice.Share;
            if (left < 0)
                return voice;
        }

        return voices[^1];
    }

    private static int DrawSilence(double fraction) => (int)(SpeechPack.SampleRate * (0.1 + 0.1 * fraction));
}
