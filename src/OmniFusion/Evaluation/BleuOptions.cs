namespace OmniFusion.Evaluation;

/// <summary>How BLEU splits a sentence into words; the names are sacrebleu's.</summary>
public enum BleuTokenizer
{
    /// <summary><c>13a</c>: the tokenisation of mteval-v13a, the default for languages with spaces.</summary>
    V13a,

    /// <summary><c>intl</c>: mteval-v14, every punctuation mark and symbol of Unicode apart, except inside numbers.</summary>
    International,

    /// <summary><c>char</c>: every character is a word; for Japanese, Korean or Thai without a word splitter.</summary>
    Character,

    /// <summary><c>zh</c>: every Chinese character is a word, the rest as in <c>13a</c>.</summary>
    Chinese,

    /// <summary><c>none</c>: words are what white space separates.</summary>
    None,
}

/// <summary>What BLEU does with an n-gram order without a match (Chen and Cherry, WMT 2014).</summary>
public enum BleuSmoothing
{
    /// <summary><c>exp</c>: each further order without a match gets half of the count of the one before (mteval-v13a).</summary>
    Exp,

    /// <summary><c>floor</c>: a small count instead of zero, 0.1 unless told.</summary>
    Floor,

    /// <summary><c>add-k</c>: a constant, 1 unless told, added to matches and totals of the orders above one.</summary>
    AddK,

    /// <summary><c>none</c>: the score is zero.</summary>
    None,
}

/// <summary>The settings of <see cref="Bleu"/>; the defaults are sacrebleu's.</summary>
public sealed record BleuOptions
{
    /// <summary>How a sentence is split into words.</summary>
    public BleuTokenizer Tokenizer { get; init; } = BleuTokenizer.V13a;

    /// <summary>What is done with an order without a match.</summary>
    public BleuSmoothing Smoothing { get; init; } = BleuSmoothing.Exp;

    /// <summary>The constant of <see cref="BleuSmoothing.Floor"/> and <see cref="BleuSmoothing.AddK"/>; null for its usual value.</summary>
    public double? SmoothValue { get; init; }

    /// <summary>Leaves out the orders longer than the sentence; advisable for scores of single sentences.</summary>
    public bool EffectiveOrder { get; init; }

    /// <summary>Ignores the difference of upper and lower case.</summary>
    public bool Lowercase { get; init; }

    /// <summary>The longest n-gram, 1 to 16.</summary>
    public int MaxOrder { get; init; } = 4;
}
