using System.Buffers.Binary;
using OmniFusion.Media;

namespace OmniFusion.Training.Data;

/// <summary>Turns what a synthesiser wrote into a trimmed 16 kHz item of a pack.</summary>
internal static class RecordedSpeech
{
    // Below 1 % of the loudest sample (-40 dB) nothing is speech: the engines' pauses are digital silence or nearly so.
    private const double SilenceLevel = 0.01;

    /// <summary>Reads a 16-bit mono RIFF file. Data that claim more than there is, as in a piped file, end with the file.</summary>
    public static (short[] Samples, int SampleRate) ReadWave(ReadOnlySpan<byte> file)
    {
        if (file.Length < 12 || !file[..4].SequenceEqual("RIFF"u8) || !file[8..12].SequenceEqual("WAVE"u8))
            throw new OmniFusionException("The synthesiser gave no WAVE audio.");
        int sampleRate = 0;
        for (int at = 12; at + 8 <= file.Length;)
        {
            ReadOnlySpan<byte> name = file.Slice(at, 4);
            uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);
            ReadOnlySpan<byte> chunk = file[(at + 8)..];
            chunk = chunk[..(int)Math.Min(claimed, (uint)chunk.Length)];
            if (name.SequenceEqual("fmt "u8) && chunk.Length >= 16)
            {
                bool mono16 = chunk[0] == 1 && chunk[2] == 1 && chunk[14] == 16;
                sampleRate = mono16 ? BinaryPrimitives.ReadInt32LittleEndian(chunk[4..]) : 0;
            }
            else if (name.SequenceEqual("data"u8) && sampleRate is >= 4000 and <= 192000)
            {
                short[] samples = new short[chunk.Length / 2];
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt16LittleEndian(chunk[(2 * i)..]);
                return (samples, sampleRate);
            }

            at += 8 + chunk.Length + (chunk.Length & 1);
        }

        throw new OmniFusionException("The synthesiser gave audio that is not 16-bit mono.");
    }

    /// <summary>Gives the speech exactly the asked silence on either side; empty when there is no speech.</summary>
    public static short[] Trim(ReadOnlySpan<short> samples, int leadIn, int leadOut)
    {
        Range sound = Sounding(samples);
        (int first, int end) = (sound.Start.Value, sound.End.Value);
        if (first == end)
            return [];

        // What is quieter than the threshold is kept where there is some: a weak first or last consonant lies in it.
        int from = Math.Max(0, first - leadIn), to = Math.Min(samples.Length, end + leadOut);
        short[] trimmed = new short[leadIn + (end - first) + leadOut];
        samples[from..to].CopyTo(trimmed.AsSpan(leadIn - (first - from)));
        return trimmed;
    }

    /// <summary>From the first sample that is no silence to behind the last one; empty when there is none.</summary>
    public static Range Sounding(ReadOnlySpan<short> samples)
    {
        int peak = 0;
        foreach (short sample in samples)
            peak = Math.Max(peak, Math.Abs((int)sample));
        int threshold = Math.Max(1, (int)(peak * SilenceLevel));
        int first = 0, end = samples.Length;
        while (first < end && Math.Abs((int)samples[first]) < threshold)
            first++;
        while (end > first && Math.Abs((int)samples[end - 1]) < threshold)
            end--;
        return first..end;
    }

    /// <summary>Brings samples to the rate of packs.</summary>
    public static short[] Resample(short[] samples, int sampleRate) => sampleRate == SpeechPack.SampleRate ? samples
        : Round(Resampler.Resample([.. samples.Select(sample => sample / 32768f)], sampleRate));

    /// <summary>Samples of -1 to 1 as a pack holds them.</summary>
    public static short[] Round(ReadOnlySpan<float> samples)
    {
        short[] rounded = new short[samples.Length];
        for (int i = 0; i < samples.Length; i++)
            rounded[i] = (short)Math.Clamp(MathF.Round(samples[i] * 32768), short.MinValue, short.MaxValue);
        return rounded;
    }
}
