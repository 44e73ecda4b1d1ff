namespace OmniFusion.Instruments;

/// <summary>What a fusion of some hidden states came to.</summary>
/// <param name="Layers">Numbers of the hidden states.</param>
/// <param name="Steps">Steps it was trained.</param>
/// <param name="Recipe">Fingerprint of everything else in the recipe: only equal ones can be compared.</param>
/// <param name="Loss">Mean loss on speech and pictures over the last quarter of the steps.</param>
/// <param name="Seconds">What the steps took.</param>
/// <param name="Quality">Figures on the validation set after the last step.</param>
public sealed record LayerResult(
    IReadOnlyList<int> Layers, int Steps, string Recipe, double Loss, double Seconds, IReadOnlyDictionary<string, double> Quality);
