using OmniFusion.Media;
using OmniFusion.Training.Data;

namespace OmniFusion.Training;

/// <summary>
/// Spoken lines as log-mel spectrograms. While training, each reading has its own loudness and noise, drawn from the seed, the pass and the
/// item, so that a resumed run hears the same.
/// </summary>
internal sealed class SpeechExamples
{
    // Below this there is not one audio token to learn from.
    private const int LeastSamples = 1600;

    /// <summary>What no utterance exceeds, unless a recipe says less.</summary>
    internal const double MostSeconds = 30;

    private readonly SpeechPack _pack;
    private readonly int[] _items;
    private readonly LogMel _logMel;
    private readonly int _seed;

    /// <summary>Chooses the items.</summary>
    /// <param name="pack">The speech.</param>
    /// <param name="logMel">The front end.</param>
    /// <param name="seed">Of loudness and noise.</param>
    /// <param name="maxSeconds">Longer items are left out.</param>
    /// <param name="limit">Number of items, evenly spread, or 0 for all.</param>
    internal SpeechExamples(SpeechPack pack, LogMel logMel, int seed, double maxSeconds, int limit = 0)
    {
        _pack = pack;
        _logMel = logMel;
        _seed = seed;
        int[] usable = [.. Enumerable.Range(0, pack.Count)
            .Where(i => pack.Items[i].SampleCount > LeastSamples && pack.Items[i].Seconds <= maxSeconds)];
        _items = limit == 0 || limit >= usable.Length
            ? usable
            : [.. Enumerable.Range(0, limit).Select(i => usable[(long)i * usable.Length / limit])];
    }

    /// <summary>Opens the pack that speaks the lines of a text.</summary>
    /// <exception cref="OmniFusionException">A file cannot be read, or the pack speaks other lines.</exception>
    internal static SpeechPack Open(string packPath, string textPath)
    {
        SpeechPack pack = SpeechPack.Open(packPath);
        // A pack knows its lines as they are written, blanks and all.
        return pack.IsMadeFrom(TextLines.ReadAsWritten(textPath)) ? pack
            : throw new OmniFusionException($"{packPath} does not speak the lines of {textPath}, so they do not belong together.");
    }

    /// <summary>Whether each reading gets a voice of its own (<see cref="VoiceAugmentation"/>).</summary>
    internal bool NewVoices { get; init; }

    /// <summary>Number of items.</summary>
    internal int Count => _items.Length;

    /// <summary>Line of the text that was spoken.</summary>
    internal int TextIndex(int index) => _pack.Items[_items[index]].TextIndex;

    /// <summary>Length of an item: what it costs in a batch.</summary>
    internal double SecondsOf(int index) => _pack.Items[_items[index]].Seconds;

    /// <summary>Log-mel frames [frames, bins] of an item as it is.</summary>
    internal float[] Read(int index) => _logMel.Compute(Samples(index));

    /// <summary>Log-mel frames of an item, made louder or softer and noisy, and where wanted spoken by a voice of its own.</summary>
    internal float[] ReadAugmented(int index, int pass)
    {
        float[] samples = Samples(index);
        Random random = Chance.OfSound(_seed, pass, _items[index]);
        if (NewVoices)
            samples = VoiceAugmentation.Apply(samples, random);
        float gain = MathF.Pow(10, (float)(random.NextDouble() * 24 - 18) / 20);
        double power = 0;
        foreach (float sample in samples)
            power += sample * sample;
        // Half of the readings are clean; the others have white or, more like a room, low-passed noise 10 to 40 dB below the speech.
        float noise = 0, colour = 0;
        if (random.NextDouble() < 0.5)
        {
            noise = (float)(Math.Sqrt(3 * power / samples.Length) * Math.Pow(10, -(10 + 30 * random.NextDouble()) / 20));
            colour = random.NextDouble() < 0.5 ? 0 : 0.9f;
        }
        float state = 0;
        // A linear congruential generator: a cryptographic one would take longer than the spectrogram.
        uint noiseState = (uint)random.Next();
        for (int i = 0; i < samples.Length; i++)
        {
            noiseState = noiseState * 1664525 + 1013904223;
            float white = (int)noiseState * (1f / int.MaxValue);
            state = colour * state + white * (colour == 0 ? 1 : 0.44f);
            samples[i] = (samples[i] + noise * state) * gain;
        }
        return _logMel.Compute(samples);
    }

    private float[] Samples(int index) => _pack.ReadSamples(_items[index]);
}
