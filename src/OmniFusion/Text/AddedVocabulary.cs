using System.Buffers;
using System.Globalization;
using System.Text;

namespace OmniFusion.Text;

/// <summary>A token that is looked for in the text itself, before the model sees it.</summary>
internal sealed record AddedToken(int Id, string Content)
{
    /// <summary>Takes in the white space before it.</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Takes in the white space after it.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Looked for after the normalizer has run, instead of before.</summary>
    public bool Normalized { get; init; }

    /// <summary>Only found where no word character touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Not part of the text: left out where special tokens are skipped.</summary>
    public bool Special { get; init; }
}

/// <summary>A set of added tokens and the search for them, leftmost and then longest first.</summary>
internal sealed class AddedTokenFinder
{
    private readonly Node _root = new();
    private SearchValues<char> _firstCharacters = SearchValues.Create("");

    public void Add(string content, AddedToken token)
    {
        if (content.Length == 0)
            return;
        Node node = _root;
        foreach (char symbol in content)
        {
            if (!node.Next.TryGetValue(symbol, out Node? next))
                node.Next[symbol] = next = new Node();
            node = next;
        }
        node.Token = token;
        _firstCharacters = SearchValues.Create(string.Concat(_root.Next.Keys));
    }

    /// <summary>Calls back for each stretch of the text in order: with its token, or with null for the text between tokens.</summary>
    public void Split(string text, Action<string, AddedToken?> found)
    {
        int done = 0;
        for (int from = 0; from < text.Length;)
        {
            int at = text.AsSpan(from).IndexOfAny(_firstCharacters);
            if (at < 0)
                break;
            at += from;
            (AddedToken? token, int end) = Longest(text, at);
            if (token is null)
            {
                from = at + 1;
                continue;
            }
            from = end;
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, at)) || StartsWithWord(text.AsSpan(end))))
                continue;
            int begin = at;
            while (token.LeftStrip && begin > done && char.IsWhiteSpace(text[begin - 1]))
                begin--;
            while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            if (begin > done)
                found(text[done..begin], null);
            found(token.Content, token);
            done = from = end;
        }
        if (done < text.Length)
            found(done == 0 ? text : text[done..], null);
    }

    private (AddedToken? Token, int End) Longest(string text, int begin)
    {
        (AddedToken? Token, int End) best = (null, begin);
        Node? node = _root;
        for (int at = begin; at < text.Length && node.Next.TryGetValue(text[at], out node);)
        {
            at++;
            if (node.Token is not null)
                best = (node.Token, at);
        }
        return best;
    }

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool IsWord(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark
        or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.ConnectorPunctuation;

    private sealed class Node
    {
        public Dictionary<char, Node> Next { get; } = [];

        public AddedToken? Token { get; set; }
    }
}
