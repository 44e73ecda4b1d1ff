namespace OmniFusion.Training.Data;

/// <summary>An English word with two readings that a picture tells apart.</summary>
/// <param name="Word">The word.</param>
/// <param name="Kind"><c>noun</c>, <c>verb</c> or <c>role</c> (whose readings are a woman and a man, or the other way round).</param>
/// <param name="Split"><c>mixed</c>: its sentences are divided among training and test; <c>heldout</c>: all are for the test only.</param>
/// <param name="Readings">What it means, in a word or two; two readings.</param>
/// <param name="Pictures">For each reading, the hexcodes of the pictograms that show it.</param>
public sealed record AmbiguousWord(
    string Word, string Kind, string Split, IReadOnlyList<string> Readings, IReadOnlyList<IReadOnlyList<string>> Pictures);

/// <summary>A sentence with an ambiguous word.</summary>
/// <param name="Word">The word.</param>
/// <param name="Split"><c>train</c>, <c>test</c>, or <c>heldout</c> for a word of which no sentence is trained with.</param>
/// <param name="English">The sentence, which leaves the reading open.</param>
/// <param name="Translations">For each language (<c>de</c>, <c>fr</c>, <c>cs</c>), the translation of each of the two readings.</param>
public sealed record AmbiguousSentence(
    AmbiguousWord Word, string Split, string English, IReadOnlyDictionary<string, IReadOnlyList<string>> Translations)
{
    /// <summary>The translations of one reading, 0 or 1, by language.</summary>
    internal Dictionary<string, string> TranslationsOf(int reading) => Translations.ToDictionary(item => item.Key, item => item.Value[reading]);
}
