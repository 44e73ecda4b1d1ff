using OmniFusion.Generation;

namespace OmniFusion.Simultaneous;

/// <summary>What every decoder asks of its caller.</summary>
internal static class KeptTokens
{
    /// <exception cref="ArgumentException">A token is unknown, or the number of tokens to write is negative.</exception>
    internal static void Check(IReadOnlyList<int> kept, int maxNewTokens, ICausalModel model)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentOutOfRangeException.ThrowIfNegative(maxNewTokens);
        for (int i = 0; i < kept.Count; i++)
            if ((uint)kept[i] >= (uint)model.VocabularySize)
                throw new ArgumentOutOfRangeException(nameof(kept), $"token {kept[i]} is outside a vocabulary of {model.VocabularySize}");
    }
}
