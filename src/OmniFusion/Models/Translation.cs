namespace OmniFusion.Models;

/// <summary>A translation.</summary>
/// <param name="Text">The text.</param>
/// <param name="Language">Code of its language.</param>
/// <param name="Ids">Its tokens in the translator's vocabulary, with the one that ended it.</param>
/// <param name="Score">Sequence score of beam search: sum of log-probabilities / length^penalty; null for greedy search.</param>
/// <param name="Seconds">Where the time went.</param>
public sealed record Translation(string Text, string Language, int[] Ids, float? Score, Timings Seconds)
{
    /// <summary>What the thinker heard, in a cascade or a chain of thought; null where nobody transcribed.</summary>
    public string? Transcript { get; init; }

    /// <summary>What the fused states say of speech and image by themselves (<see cref="PrefixGloss"/>); null where the model has no gloss.</summary>
    public string? Gloss { get; init; }

    /// <summary>Why not to trust it, or null: the recording is longer than those that the model was trained with.</summary>
    public string? Warning { get; init; }
}

/// <summary>Seconds that an item took; in a batch, encoding and decoding are its equal share of the batch's.</summary>
/// <param name="Load">Reading the files and preparing the inputs.</param>
/// <param name="Encode">Thinker, fusion and projection; in a cascade the recogniser, in a chain of thought both.</param>
/// <param name="Decode">The translator.</param>
public readonly record struct Timings(double Load, double Encode, double Decode);

/// <summary>What became of one request of a batch: a translation, or the error that its inputs caused.</summary>
/// <param name="Translation">The translation, or null.</param>
/// <param name="Error">The error, or null.</param>
public sealed record TranslationResult(Translation? Translation, OmniFusionException? Error);
