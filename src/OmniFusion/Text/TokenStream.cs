using System.Runtime.InteropServices;

namespace OmniFusion.Text;

/// <summary>
/// Decodes token by token: each call returns the text that became final, so that a reader never sees a character change. What is held back
/// is a character whose bytes are not complete, and a run of byte tokens, which is only decoded as a whole. The concatenation of what is
/// returned, with <see cref="Finish"/>, equals <see cref="Tokenizer.Decode"/> of all tokens.
/// </summary>
public sealed class TokenStream
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;

    // The tokens that later text may still depend on, and how many characters of their text have been returned.
    private readonly List<int> _window = [];
    private int _returned;

    /// <summary>Creates a stream for one text.</summary>
    /// <param name="tokenizer">The tokenizer of the ids.</param>
    /// <param name="skipSpecialTokens">Whether to leave special tokens out of the text.</param>
    public TokenStream(Tokenizer tokenizer, bool skipSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
    }

    /// <summary>Takes the next token and returns the text that became final with it, often that token's own, possibly empty.</summary>
    public string Push(int id)
    {
        if (!_tokenizer.IsText(id, _skipSpecialTokens))
            return "";
        _window.Add(id);
        if (_tokenizer.HasByteTokens && BpeModel.ByteOf(_tokenizer.TokenText(id)) >= 0)
            return "";

        string text = Text(_window);
        int final = text.EndsWith('\uFFFD') ? text.Length - 1 : text.Length;
        string fresh = final > _returned ? text[_returned..final] : "";
        _returned = Math.Max(_returned, final);
        // One token stays as context: a decoder treats the first of its tokens differently.
        if (final == text.Length && fresh.Length > 0)
        {
            _window.RemoveRange(0, _window.Count - 1);
            _returned = Text(_window).Length;
        }
        return fresh;
    }

    /// <summary>Returns what was held back, with U+FFFD for incomplete bytes, and makes the stream ready for another text.</summary>
    public string Finish()
    {
        string text = Text(_window);
        string rest = text.Length > _returned ? text[_returned..] : "";
        _window.Clear();
        _returned = 0;
        return rest;
    }

    private string Text(List<int> ids) => _tokenizer.Decode(CollectionsMarshal.AsSpan(ids), _skipSpecialTokens);
}
