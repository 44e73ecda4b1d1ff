namespace OmniFusion.Evaluation;

/// <summary>Checks and transposes a test set the way every text metric needs it.</summary>
internal static class TestSet
{
    /// <summary>The end of every signature: whose implementation computed the score.</summary>
    public static string Version { get; } = "version:omnifusion-" + (typeof(TestSet).Assembly.GetName().Version?.ToString(3) ?? "0");

    /// <summary>The references of each hypothesis; a missing one (null) is left out.</summary>
    public static string[][] BySentence(IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string?>> references)
    {
        ArgumentNullException.ThrowIfNull(hypotheses);
        ArgumentNullException.ThrowIfNull(references);
        if (hypotheses.Count == 0)
            throw new OmniFusionException("There is no hypothesis to score.");
        if (references.Count == 0)
            throw new OmniFusionException("There is no reference to score against.");
        for (int r = 0; r < references.Count; r++)
        {
            if (references[r].Count != hypotheses.Count)
                throw new OmniFusionException(
                    $"Reference set {r + 1} has {references[r].Count} sentences, but there are {hypotheses.Count} hypotheses.");
        }

        string[][] result = new string[hypotheses.Count][];
        for (int i = 0; i < result.Length; i++)
        {
            if (hypotheses[i] is null)
                throw new OmniFusionException($"Hypothesis {i + 1} is missing.");
            result[i] = [.. references.Select(set => set[i]).OfType<string>()];
            if (result[i].Length == 0)
                throw new OmniFusionException($"Sentence {i + 1} has no reference.");
        }
        return result;
    }

    /// <summary>The number of references as signatures show it.</summary>
    public static string ReferenceCount(string[][] bySentence) =>
        bySentence.All(r => r.Length == bySentence[0].Length) ? $"nrefs:{bySentence[0].Length}" : "nrefs:var";
}
