namespace OmniFusion;

/// <summary>
/// Random numbers that stay the same for ever (SplitMix64: Steele, Lea and Flood, OOPSLA 2014): System.Random may change between releases.
/// </summary>
internal sealed class SplitMix64(ulong state)
{
    private ulong _state = state;

    /// <summary>From 0 to below 1.</summary>
    internal double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A whole number from 0 to below <paramref name="count"/>.</summary>
    internal int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>Makes numbers that differ little differ in half of their bits; 0 stays 0.</summary>
    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);
}
