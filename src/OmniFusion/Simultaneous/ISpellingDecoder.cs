namespace OmniFusion.Simultaneous;

/// <summary>A decoder of speech that can tell what is spelled before it is understood: for finding pauses and counting words.</summary>
public interface ISpellingDecoder : ISpeechDecoder
{
    /// <summary>What the audio so far spells; null in a bundle without a recogniser. What it encodes serves the next text, too.</summary>
    Spelling? Spell();
}
