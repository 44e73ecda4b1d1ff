namespace OmniFusion.Simultaneous;

/// <summary>A decoder of speech that can tell what is spelled before it is understood: for finding pauses and ends of sentences, and counting words.</summary>
public interface ISpellingDecoder : ISpeechDecoder
{
    /// <summary>What the audio so far spells; null in a bundle without a recogniser. What it encodes serves the next text, too.</summary>
    Spelling? Spell();

    /// <summary>
    /// What the last text was written about, in words and with punctuation, the best reading first: a transcript, and what the gloss of the
    /// speech says; empty without either.
    /// </summary>
    IReadOnlyList<string> Heard { get; }
}
