namespace OmniFusion.Training.Data;

/// <summary>One spoken sentence of a <see cref="SpeechPack"/>.</summary>
/// <param name="TextIndex">Zero-based line of the text that it speaks.</param>
/// <param name="Copy">Which time that the line is spoken, from 0.</param>
/// <param name="Voice">The <see cref="Voice.Id"/> of the speaker.</param>
/// <param name="FirstSample">Where it begins in the pack, in samples.</param>
/// <param name="SampleCount">Its length in samples at 16 kHz; 0 when the line could not be spoken.</param>
public sealed record SpeechPackItem(int TextIndex, int Copy, string Voice, long FirstSample, int SampleCount)
{
    /// <summary>Its length in seconds.</summary>
    public double Seconds => (double)SampleCount / SpeechPack.SampleRate;
}
