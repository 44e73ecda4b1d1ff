using System.Text;

namespace OmniFusion.Text;

/// <summary>
/// Learns byte-pair vocabularies and writes them as <c>tokenizer.json</c> and <c>tokenizer_config.json</c>, in the two layouts of the
/// published models. The result depends on the text alone: the commonest pair is joined first, and of equally common ones that whose left,
/// and then whose right token has the lower id.
/// </summary>
public static class BpeTrainer
{
    /// <summary>The special tokens of the thinker, in the order of their ids.</summary>
    public static IReadOnlyList<string> ThinkerSpecialTokens { get; } =
    [
        "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", "<|vision_bos|>", "<|vision_eos|>",
        "<|vision_pad|>", "<|IMAGE|>", "<|VIDEO|>",
    ];

    /// <summary>
    /// Trains a byte-level BPE in Qwen's layout: the 256 byte symbols, the learned tokens, then the special tokens. It expresses any text.
    /// </summary>
    /// <param name="lines">The training text.</param>
    /// <param name="vocabularySize">The number of tokens, everything included.</param>
    /// <param name="specialTokens">Tokens with an id of their own that ordinary text never becomes, such as
    /// <see cref="ThinkerSpecialTokens"/>.</param>
    /// <param name="outputFolder">The folder for the two files; it is made if there is none.</param>
    /// <exception cref="OmniFusionException">The size is too small, the text does not yield so many tokens, or a file cannot be
    /// written.</exception>
    public static void TrainByteLevel(
        IEnumerable<string> lines, int vocabularySize, IReadOnlyList<string> specialTokens, string outputFolder)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(specialTokens);
        ArgumentNullException.ThrowIfNull(outputFolder);
        if (specialTokens.Distinct().Count() != specialTokens.Count || specialTokens.Contains(""))
            throw new OmniFusionException("a special token of the tokenizer is empty or named twice");

        BpeLearner learner = new([.. ByteAlphabet.Symbols.Select(symbol => symbol.ToString())], specialTokens);
        SplitPreTokenizer words = new(SplitPattern.Expression(SplitPattern.Qwen), SplitBehavior.Isolated, invert: false);
        List<Piece> pieces = [];
        foreach (string line in lines)
        {
            string text = UnicodeNormalizer.Normalize(Tokenizer.WellFormed(line), NormalizationForm.FormC);
            pieces.Clear();
            words.Split(new Piece(text, 0, text.Length, First: true), pieces);
            foreach (Piece piece in pieces)
                learner.Count(ByteAlphabet.Encode(piece.Span));
        }
        learner.Learn(vocabularySize - specialTokens.Count);
        TokenizerWriter.WriteByteLevel(outputFolder, learner.Tokens, learner.Merges, specialTokens);
    }

    /// <summary>
    /// Trains a BPE in the layout of Llama 2 and Mistral: <c>&lt;unk&gt; &lt;s&gt; &lt;/s&gt;</c>, 256 byte tokens, the characters of the
    /// text, then the learned tokens. A word begins with <c>▁</c>; letters, digits and other signs are never joined with one another.
    /// Characters that occur once, or for which there is no place (they may take half of the free ones, the commonest first), are left to
    /// the byte tokens.
    /// </summary>
    /// <param name="lines">The training text.</param>
    /// <param name="vocabularySize">The number of tokens, everything included.</param>
    /// <param name="outputFolder">The folder for the two files; it is made if there is none.</param>
    /// <exception cref="OmniFusionException">The size is too small, the text does not yield so many tokens, or a file cannot be
    /// written.</exception>
    public static void TrainSentencePiece(IEnumerable<string> lines, int vocabularySize, string outputFolder)
    {
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(outputFolder);
        string[] reserved = [.. TokenizerWriter.SentencePieceSpecials, .. Enumerable.Range(0, 256).Select(BpeModel.ByteToken)];
        SplitPreTokenizer words = new(
            SplitPattern.Expression(@"▁?[\p{L}\p{M}]+|▁?\p{N}|▁?[^▁\p{L}\p{M}\p{N}]+|▁"), SplitBehavior.Isolated, invert: false);
        Dictionary<string, long> counts = [];
        List<Piece> pieces = [];
        foreach (string line in lines)
        {
            if (line.Length == 0)
                continue;
            string text = "▁" + Tokenizer.WellFormed(line).Replace(' ', '▁');
            pieces.Clear();
            words.Split(new Piece(text, 0, text.Length, First: true), pieces);
            foreach (Piece piece in pieces)
            {
                string word = piece.Span.ToString();
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }

        int room = Math.Max(1, (vocabularySize - reserved.Length) / 2);
        Dictionary<string, long> characters = new() { ["▁"] = long.MaxValue / 2 };
        foreach ((string word, long count) in counts)
            foreach (Rune rune in word.EnumerateRunes())
                characters[rune.ToString()] = characters.GetValueOrDefault(rune.ToString()) + count;
        IEnumerable<string> alphabet = characters.Where(c => c.Value > 1)
            .OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal)
            .Take(room).Select(c => c.Key).Order(StringComparer.Ordinal);

        BpeLearner learner = new([.. reserved, .. alphabet], reserved);
        foreach ((string word, long count) in counts)
            learner.Count(word, count);
        learner.Learn(vocabularySize);
        TokenizerWriter.WriteSentencePiece(outputFolder, learner.Tokens, learner.Merges);
    }
}
