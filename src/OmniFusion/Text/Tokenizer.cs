using System.Text;

namespace OmniFusion.Text;

/// <summary>
/// A tokenizer read from Hugging Face's <c>tokenizer.json</c>: text to token ids and back, equal to the published implementation. The
/// pipeline is the file's own: added tokens, normalizer, pre-tokenizer, byte-pair model, post-processor, decoder
/// (https://huggingface.co/docs/tokenizers/pipeline). Encoding and decoding may run on several threads at once; <see cref="AddToken"/> may
/// not.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly Dictionary<string, int> _idOfToken;
    private readonly Dictionary<int, string> _tokenOfId;
    private readonly Dictionary<int, AddedToken> _added = [];
    private readonly AddedTokenFinder _rawTokens = new(), _normalizedTokens = new();

    internal Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _idOfToken = new Dictionary<string, int>(parts.Vocabulary);
        _tokenOfId = new Dictionary<int, string>(parts.Vocabulary.Count);
        foreach ((string token, int id) in parts.Vocabulary)
        {
            _tokenOfId[id] = token;
            VocabularySize = Math.Max(VocabularySize, id + 1);
        }
        foreach (AddedToken token in parts.AddedTokens)
            Register(token);
        BosId = Named(parts.BosToken);
        EosId = Named(parts.EosToken);
        PadId = Named(parts.PadToken);
        UnknownId = Named(parts.UnknownToken);
    }

    /// <summary>One more than the highest token id; every id is below it.</summary>
    public int VocabularySize { get; private set; }

    /// <summary>The token that begins a text, where the tokenizer has one.</summary>
    public int? BosId { get; }

    /// <summary>The token that ends a text, where the tokenizer has one.</summary>
    public int? EosId { get; }

    /// <summary>The token that fills up a batch, where the tokenizer has one.</summary>
    public int? PadId { get; }

    /// <summary>The token for what the vocabulary cannot express, where the tokenizer has one.</summary>
    public int? UnknownId { get; }

    internal bool HasByteTokens => _parts.HasByteFallbackDecoder;

    /// <summary>
    /// Reads <c>tokenizer.json</c> of a folder, and the names of the begin, end, padding and unknown tokens from
    /// <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c> where there is one. A name that the vocabulary does not hold leaves
    /// its id null.
    /// </summary>
    /// <exception cref="OmniFusionException">A file is missing or damaged, or uses a component that is not supported.</exception>
    public static Tokenizer Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new Tokenizer(TokenizerReader.Read(folder));
    }

    /// <summary>
    /// The token ids of a text. Added tokens written out in it (<c>&lt;|im_start|&gt;</c>) become their ids; surrogates without a partner
    /// count as U+FFFD.
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <param name="addSpecialTokens">Whether to put the post-processor's tokens (such as <c>&lt;s&gt;</c>) around it.</param>
    public int[] Encode(string text, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<int> ids = new(text.Length / 3 + 8);
        if (addSpecialTokens)
            ids.AddRange(_parts.Prefix);
        bool first = true;
        List<Piece> pieces = [];
        _rawTokens.Split(WellFormed(text), (raw, token) =>
        {
            if (token is not null)
                ids.Add(token.Id);
            else
                _normalizedTokens.Split(_parts.Normalizer?.Normalize(raw) ?? raw, EncodeStretch);
            first = false;
        });
        if (addSpecialTokens)
            ids.AddRange(_parts.Suffix);
        return [.. ids];

        void EncodeStretch(string stretch, AddedToken? token)
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                first = false;
                return;
            }
            pieces.Clear();
            Piece whole = new(stretch, 0, stretch.Length, first);
            if (_parts.PreTokenizer is null)
                pieces.Add(whole);
            else
                _parts.PreTokenizer.Split(whole, pieces);
            foreach (Piece piece in pieces)
                _parts.Model.Encode(piece.Span, ids);
            first = false;
        }
    }

    /// <summary>
    /// The text of token ids. Bytes that are no UTF-8 become U+FFFD; ids that stand for no token (a model's output may be padded beyond its
    /// vocabulary) are left out.
    /// </summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Whether to leave special tokens out of the text.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        List<string> tokens = new(ids.Length);
        foreach (int id in ids)
            if (IsText(id, skipSpecialTokens))
                tokens.Add(_tokenOfId[id]);
        return _parts.Decoder is null ? string.Join(' ', tokens) : string.Concat(_parts.Decoder.Decode(tokens));
    }

    /// <summary>The id of a token by its text in the vocabulary (<c>Ġthe</c>, <c>▁the</c>, <c>&lt;|AUDIO|&gt;</c>), or null.</summary>
    public int? TokenId(string token) => _idOfToken.TryGetValue(token, out int id) ? id : null;

    /// <summary>The text of a token as the vocabulary has it.</summary>
    /// <exception cref="OmniFusionException">No token has this id.</exception>
    public string TokenText(int id) =>
        _tokenOfId.TryGetValue(id, out string? token)
            ? token
            : throw new OmniFusionException($"no token of {_parts.Source} has the id {id}");

    /// <summary>Whether a token is an added token marked as special, such as <c>&lt;/s&gt;</c>.</summary>
    public bool IsSpecial(int id) => _added.TryGetValue(id, out AddedToken? token) && token.Special;

    /// <summary>
    /// Adds a token that is found in texts from now on and returns its id: the next free one, or that of the token if there is one already.
    /// The model needs a row for it in its embedding.
    /// </summary>
    /// <param name="content">The text of the token, not empty.</param>
    /// <param name="special">Whether it is left out where special tokens are skipped.</param>
    public int AddToken(string content, bool special = true)
    {
        ArgumentException.ThrowIfNullOrEmpty(content);
        int id = TokenId(content) ?? VocabularySize;
        if (!_added.ContainsKey(id))
            Register(new AddedToken(id, content) { Special = special, Normalized = !special });
        return id;
    }

    internal bool IsText(int id, bool skipSpecialTokens) => _tokenOfId.ContainsKey(id) && !(skipSpecialTokens && IsSpecial(id));

    private void Register(AddedToken token)
    {
        _added[token.Id] = token;
        _idOfToken[token.Content] = token.Id;
        _tokenOfId[token.Id] = token.Content;
        VocabularySize = Math.Max(VocabularySize, token.Id + 1);
        if (token.Normalized)
            _normalizedTokens.Add(_parts.Normalizer?.Normalize(token.Content) ?? token.Content, token);
        else
            _rawTokens.Add(token.Content, token);
    }

    // A token named in the configuration is special even where the list of added tokens forgets it.
    private int? Named(string? name)
    {
        if (string.IsNullOrEmpty(name) || TokenId(name) is not { } id)
            return null;
        if (!_added.ContainsKey(id))
            Register(new AddedToken(id, name) { Special = true });
        return id;
    }

    internal static string WellFormed(string text) =>
        text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) : text;
}
