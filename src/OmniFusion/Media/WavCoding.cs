namespace OmniFusion.Media;

/// <summary>How a WAV file codes a sample; the values are the format tags of the RIFF WAVE specification.</summary>
internal enum WavCoding
{
    Other = 0,
    Pcm = 1,
    Float = 3,
    ALaw = 6,
    MuLaw = 7,
}
