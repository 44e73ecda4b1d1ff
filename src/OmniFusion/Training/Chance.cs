namespace OmniFusion.Training;

/// <summary>What a training leaves to chance about an example: it depends on the recipe's seed, the pass and the item, so that a resumed run draws the same.</summary>
internal static class Chance
{
    /// <summary>Generators for what goes with an example: pictures, readings, who writes a transcript.</summary>
    internal static Random OfContent(int seed, int pass, int item) => Of(1, seed, pass, item);

    /// <summary>Generators for how it sounds.</summary>
    internal static Random OfSound(int seed, int pass, int item) => Of(2, seed, pass, item);

    /// <summary>Generators for the slide beside an utterance whose other content is drawn already.</summary>
    internal static Random OfSlide(int seed, int pass, int item) => Of(3, seed, pass, item);

    // One generator for all would let a voice tell whether there is a picture.
    private static Random Of(ulong matter, int seed, int pass, int item)
    {
        ulong mixed = matter;
        foreach (int number in (ReadOnlySpan<int>)[seed, pass, item])
            mixed = SplitMix64.Mix((mixed << 32 | mixed >> 32) ^ (uint)number);
        return new Random((int)(mixed >> 33));
    }
}
