using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// One text in the making: what a decoder writes, how much of it the policy lets out, and that as text which only grows (unless the policy
/// revises), word by word.
/// </summary>
internal sealed class PartialText
{
    private readonly IPartialDecoder _decoder;
    private readonly Policy _policy;
    private readonly WordCuts _cuts;
    private readonly List<int> _kept = [];

    internal PartialText(IPartialDecoder decoder, Policy policy)
    {
        (_decoder, _policy) = (decoder, policy);
        _cuts = new WordCuts(decoder.Tokenizer);
    }

    /// <summary>What is out.</summary>
    internal string Text { get; private set; } = "";

    /// <summary>What would follow now.</summary>
    internal string Tentative { get; private set; } = "";

    /// <summary>Whether the last hypothesis is a whole sentence that the policy lets out to its end.</summary>
    internal bool IsSentence { get; private set; }

    /// <summary>The source has grown or ended: takes a new hypothesis. Nothing changes when it is cancelled.</summary>
    /// <param name="seconds">Audio heard.</param>
    /// <param name="words">Words of the source.</param>
    /// <param name="maxTokens">Tokens of the whole text at most.</param>
    /// <param name="cancellation">Checked at each token.</param>
    /// <param name="sentencesOnly">The hypothesis is not taken where it is no whole sentence.</param>
    /// <param name="endsAt">
    /// Whether the text shall end with a sentence, asked with the hypothesis and its length up to the end of a sentence that the policy lets
    /// out and nothing behind which is out; null: it shall not.
    /// </param>
    internal void Advance(double seconds, int words, int maxTokens, CancellationToken cancellation, bool sentencesOnly = false,
        Func<string, int, bool>? endsAt = null)
    {
        Hypothesis hypothesis = _decoder.Write(_kept, Math.Max(maxTokens - _kept.Count, 1), cancellation);
        string whole = Decode(hypothesis.Tokens);
        bool sentence = hypothesis.Ended && Sentences.IsWhole(whole);
        if (sentencesOnly && !sentence)
        {
            IsSentence = false;
            return;
        }
        if (_decoder.SourceEnded)
        {
            Put(hypothesis.Tokens, hypothesis.Tokens.Length);
            Tentative = "";
            return;
        }
        int stable = _policy.Stable(new PolicyStep(hypothesis, _kept.Count, _decoder.SourcePositions, seconds, words));
        int most = Math.Clamp(stable, _kept.Count, hypothesis.Tokens.Length);
        if (endsAt is not null && LastSentence(hypothesis, whole, most, endsAt) is { } end)
        {
            Put(hypothesis.Tokens, end);
            (IsSentence, Tentative) = (false, "");
            return;
        }
        // What may be taken back need not wait until its last word is whole.
        int cut = _policy.Revises ? _cuts.LastCharacter(hypothesis.Tokens, most) : _cuts.LastCut(hypothesis.Tokens, _kept.Count, most);
        Put(hypothesis.Tokens, cut);
        IsSentence = sentence && stable >= hypothesis.Tokens.Length;
        Tentative = whole.StartsWith(Text, StringComparison.Ordinal) ? whole[Text.Length..] : Decode(hypothesis.Tokens.AsSpan(cut));
    }

    private void Put(int[] tokens, int count)
    {
        string text = Decode(tokens.AsSpan(0, count));
        if (_policy.Revises)
        {
            Text = text;
            return;
        }
        ReadOnlySpan<int> added = tokens.AsSpan(Math.Min(_kept.Count, count)..count);
        _kept.AddRange(added);
        // What is out stays, even where a tokenizer would now write it otherwise.
        Text = text.StartsWith(Text, StringComparison.Ordinal) ? text : Text + Decode(added);
    }

    // Tokens up to the end of the last sentence with which the text ends, not behind so many.
    private int? LastSentence(Hypothesis hypothesis, string whole, int most, Func<string, int, bool> endsAt)
    {
        int[] tokens = hypothesis.Tokens;
        List<int> ends = Sentences.Ends(whole);
        if (ends.Count == 0)
            return null;
        for (int count = most; count >= Math.Max(_kept.Count, 1); count--)
            if (Decode(tokens.AsSpan(0, count)).Length is int end && ends.Contains(end)
                && (count == tokens.Length ? hypothesis.Ended : _cuts.IsCut(tokens, count)) && endsAt(whole, end))
                return count;
        return null;
    }

    private string Decode(ReadOnlySpan<int> tokens) => _decoder.Tokenizer.Decode(tokens, skipSpecialTokens: true);
}
